// Pages with invented data for what a real recording does not show reliably: stacks thousands
// of frames deep, hundreds of small siblings, labels, and no samples at all.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeContainer, fillTemplate } from "../../ui/dev/container.mjs";
import { ProfileBuilder } from "../../ui/dev/profile-builder.mjs";

export const DEPTH = 4000;
export const SMALL = 3000;

/** Writes a page into the folder and gives its path. */
export async function writePage(folder, name, fill) {
  const builder = new ProfileBuilder(name);
  fill(builder);
  const header = {
    title: name,
    subtitle: [],
    unit: "samples",
    strings: builder.strings.values,
    states: ["", "running", "waiting"],
    label_sets: [{}, { route: "/search" }, { route: "/orders" }],
    time_step_ns: 1000,
  };
  const template = await readFile(new URL("../../ui/dist/flame.html", import.meta.url), "utf8");
  const file = join(folder, `${name}.html`);
  await writeFile(file, fillTemplate(template, name, encodeContainer(header, builder.columns())));
  return file;
}

/** One stack of 4,000 frames, and one function that calls 3,000 others a little. */
export function deepAndWide(builder) {
  const path = Array.from({ length: DEPTH }, (_, i) => [builder.frame({ name: `f${i}` }), false]);
  for (let i = 0; i < SMALL; i++) add(builder, path, i);
  const wide = [builder.frame({ name: "wide" }), false];
  for (let i = 0; i < SMALL; i++) {
    add(builder, [wide, [builder.frame({ name: `small${i}`, kind: i % 4 }), false]], i);
  }
}

export function empty() {}

function add(builder, path, i) {
  builder.sample(path, path, {
    tid: 1 + (i % 3),
    goid: i % 5,
    time: i * 2000,
    cpu: i % 2,
    state: i % 3,
    labels: i % 3,
  });
}
