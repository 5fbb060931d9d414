// A random profile with a given number of nodes in each tree, to measure opening and
// drawing. Paths are skewed like real ones: few heavy ways, very many light ones.

import { ProfileBuilder } from "./profile-builder.mjs";
import { random } from "./random.mjs";

const FUNCTIONS = 20000;
const DEPTH_MAX = 90;
const KINDS = [0, 0, 0, 1, 2, 2, 3, 4, 5];
const PACKAGES = 300;

export function large(nodes) {
  const builder = new ProfileBuilder("large");
  const rand = random(42);
  const frames = Array.from({ length: FUNCTIONS }, (_, i) =>
    builder.frame(functionNumber(i, rand)),
  );
  const { folded } = builder.trees;
  while (folded.count < nodes) {
    const path = [];
    let at = 0;
    const depth = 8 + Math.floor(rand() * (DEPTH_MAX - 8));
    for (let level = 0; level < depth; level++) {
      // The high power makes first children heavy; every other level does not branch.
      const choice = level % 2 === 0 ? 0 : Math.floor(rand() ** 5 * 8);
      at = (at * 31 + choice * 7919 + level) % FUNCTIONS;
      path.push([frames[at], false]);
    }
    const goid = 1 + Math.floor(rand() * 10000);
    const tid = 1 + Math.floor(rand() * 64);
    builder.sample(path, path, { tid, goid, flags: 1, time: 1e7 * rand() * nodes });
  }
  const header = {
    title: "large",
    subtitle: [`${folded.count.toLocaleString("en-US")} nodes`],
    tier: "synthetic",
    quality: [
      {
        label: "samples",
        value: builder.samples.length.toLocaleString("en-US"),
        note: "",
        level: "",
      },
    ],
    notes: [],
    unit: "samples",
    period_ns: 10101010,
    time_step_ns: 100_000,
    strings: builder.strings.values,
  };
  return { header, columns: builder.columns() };
}

function functionNumber(i, rand) {
  const kind = KINDS[Math.floor(rand() * KINDS.length)];
  const group = Math.floor(rand() * PACKAGES);
  const name =
    kind === 2 || kind === 3
      ? `lib${group}_function_${i}`
      : kind === 4
        ? `cgo call → lib${group}_function_${i}`
        : `example.org/team/project/pkg${group}.(*Type${i % 40}).Method${i}`;
  return {
    name,
    kind,
    module: `module${group}`,
    file: `src/pkg${group}/file.go`,
    line: 1 + (i % 900),
  };
}
