// What kind of code a function is. Owns the numbers of the data format and their words,
// so that colour is never the only sign. Colours live in flame/palette.ts.

export const KIND = {
  go: 0,
  goRuntime: 1,
  c: 2,
  kernel: 3,
  edge: 4,
  unknown: 5,
  root: 6,
} as const;

export const KIND_COUNT = 7;

/** Indexed by kind number. */
export const KIND_WORDS = [
  "Go",
  "Go runtime",
  "C / C++",
  "kernel",
  "cgo edge",
  "no name",
  "process",
] as const;

export function kindWord(kind: number): string {
  return KIND_WORDS[kind] ?? "no name";
}

/** Bits of a frame's flags column. */
export const FRAME_FLAG = { inlined: 1, plumbing: 2, callback: 4, elision: 8 } as const;

/** Bits of a sample's flags column. */
export const SAMPLE_FLAG = { heldP: 1, lostP: 2, inC: 4, kernel: 8 } as const;

export const ARROW_CALL = "↳";
export const ARROW_CALLBACK = "↲";
