// What kind of code a function is. Owns the numbers of the data format and their words,
// so that colour is never the only sign. Colours live in flame/palette.ts.

export const enum Kind {
  Go,
  GoRuntime,
  C,
  Kernel,
  Edge,
  Unknown,
  Root,
  /** Made by the page, never in the data. */
  Group,
}

export const KIND_COUNT = 8;

/** Indexed by kind number. */
export const KIND_WORDS = [
  "Go",
  "Go runtime",
  "C / C++",
  "kernel",
  "cgo edge",
  "no name",
  "process",
  "group",
] as const;

/** Short signs for boxes and legend, the words of the command line. */
export const KIND_TAGS = ["go", "rt", "c", "krn", "↳", "?", "", ""] as const;

export function kindWord(kind: number): string {
  return KIND_WORDS[kind] ?? "no name";
}

/** Bits of a frame's flags column. */
export const enum FrameFlag {
  Inlined = 1,
  Plumbing = 2,
  Callback = 4,
  Elision = 8,
}

/** Bits of a sample's flags column. */
export const enum SampleFlag {
  HeldP = 1,
  LostP = 2,
  InC = 4,
  Kernel = 8,
}

export const ARROW_CALL = "↳";
export const ARROW_CALLBACK = "↲";
