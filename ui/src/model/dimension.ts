// What samples can be told apart by: thread, goroutine, label, module, kind, state, CPU.
// Owns the list for a profile and the words for every value; grouping and filters use it.

import { kindWord } from "./kind";
import { baseName } from "./names";
import type { Profile } from "./profile";
import type { Samples } from "./samples";
import type { TreeName } from "./tree";

export interface Dimension {
  /** As it is spelt in the fragment. */
  id: string;
  /** The value of a row of the samples, given the node it ends in. */
  of(row: number, fn: number): string;
  /** The value in words, with the name of the dimension. */
  words(value: string): string;
}

const LABEL = "label:";

/** Those that tell anything apart in this profile. */
export function dimensions(profile: Profile): Dimension[] {
  if (!profile.hasSamples) return [];
  const { threads, header, functions } = profile;
  const { strings, states, labelSets } = header;
  const number = (text: string): number => Number(text);
  const dimension = (
    id: string,
    of: (samples: Samples, row: number, fn: number) => string | number,
    words: (value: string) => string,
  ): Dimension => ({ id, of: (row, fn) => `${of(profile.samples, row, fn)}`, words });
  const list = [
    dimension(
      "thread",
      (samples, row) => threads.tid[samples.thread[row]!]!,
      (tid) => `thread ${tid} ${strings[threads.name[threads.tid.indexOf(number(tid))]!] ?? ""}`,
    ),
    dimension(
      "goroutine",
      (samples, row) => samples.goids[samples.goroutine[row]!] ?? 0,
      (goid) => (goid === "0" ? "no goroutine" : `goroutine ${goid}`),
    ),
    dimension(
      "state",
      (samples, row) => states[samples.state[row]!] ?? "",
      (state) => (state === "" ? "no state" : `state ${state}`),
    ),
    dimension("cpu", (samples, row) => samples.cpu[row]!, (cpu) => `CPU ${cpu}`),
    dimension(
      "module",
      (_samples, _row, fn) => strings[functions.module[fn]!]!,
      (path) => (path === "" ? "no module" : baseName(path)),
    ),
    dimension("kind", (_samples, _row, fn) => functions.kind[fn]!, (kind) => kindWord(number(kind))),
  ];
  for (const key of new Set(labelSets.flatMap((set) => Object.keys(set)))) {
    list.push(
      dimension(
        LABEL + key,
        (samples, row) => labelSets[samples.labels[row]!]?.[key] ?? "",
        (value) => (value === "" ? `no ${key}` : `${key}=${value}`),
      ),
    );
  }
  return list.filter(({ id }) => id !== "state" || states.length > 1);
}

/** The function every row ends in. */
export function leafFunctions(profile: Profile, name: TreeName): Uint32Array {
  const { frame } = profile.tree(name);
  return profile.samples.leaf[name].map((node) => profile.frames.fn[frame[node]!]!);
}
