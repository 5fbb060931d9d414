// Filters: which samples count, and which frames are taken out of their stacks. Owns their
// meaning, their words and their spelling in the fragment.

import { type Dimension, leafFunctions } from "./dimension";
import { shortName } from "./names";
import type { Profile } from "./profile";
import { compilePattern, matchFunctions } from "./search";
import type { Tree } from "./tree";

/** `only` keeps, `without` drops the samples; `hide` takes frames out of their stacks. */
export type FilterMode = "only" | "without" | "hide";

export interface Filter {
  mode: FilterMode;
  /** A dimension, or FRAME: some frame of the stack matches a pattern. */
  by: string;
  value: string;
}

export const FRAME = "frame";

export function filterWords({ mode, by, value }: Filter, dimensions: Dimension[]): string {
  if (by !== FRAME) {
    const dimension = dimensions.find(({ id }) => id === by);
    return `${mode} ${dimension?.words(value) ?? `${by} ${value}`}`;
  }
  // A pattern for one name reads better as that name.
  const exact = /^\^(.*)\$$/.exec(value);
  const what = exact ? shortName(exact[1]!.replace(/\\(.)/g, "$1")) : `“${value}”`;
  return `${mode} ${mode === "hide" ? "frames" : "stacks with"} ${what}`;
}

export function encodeFilter({ mode, by, value }: Filter): string {
  return [mode, by, value].map(encodeURIComponent).join("/");
}

/** Null for what is no filter; whether its value occurs is not asked. */
export function decodeFilter(text: string): Filter | null {
  try {
    const [mode, by, value] = text.split("/").map(decodeURIComponent);
    const known = mode === "only" || mode === "without" || (mode === "hide" && by === FRAME);
    return known && by && value !== undefined ? { mode, by, value } : null;
  } catch {
    return null;
  }
}

/** One byte per row of the samples: 1 where every filter lets it pass. */
export function passing(
  profile: Profile,
  tree: Tree,
  filters: readonly Filter[],
  dimensions: Dimension[],
): Uint8Array {
  const { samples } = profile;
  const pass = new Uint8Array(samples.count).fill(1);
  const fns = leafFunctions(profile, tree.name);
  for (const { mode, by, value } of filters) {
    if (mode === "hide") continue;
    const dimension = dimensions.find(({ id }) => id === by);
    const inside = by === FRAME ? nodesBelow(profile, tree, value) : null;
    if (!dimension && !inside) continue;
    for (let i = 0; i < samples.count; i++) {
      const is = inside
        ? inside[samples.leaf[tree.name][i]!] === 1
        : dimension!.of(i, fns[i]!) === value;
      if (is !== (mode === "only")) pass[i] = 0;
    }
  }
  return pass;
}

/** One byte per function: 1 where its frames are taken out. */
export function hiddenFunctions(profile: Profile, filters: readonly Filter[]): Uint8Array | null {
  let hidden: Uint8Array | null = null;
  for (const { mode, value } of filters) {
    if (mode !== "hide") continue;
    const hit = functionsNamed(profile, value);
    hidden = hidden ? hidden.map((byte, fn) => byte | hit[fn]!) : hit;
  }
  return hidden;
}

function functionsNamed(profile: Profile, pattern: string): Uint8Array {
  const compiled = compilePattern(pattern);
  return compiled ? matchFunctions(profile, compiled) : new Uint8Array(profile.functions.count);
}

/** One byte per node: 1 where the node or one above it matches. The process is no frame. */
function nodesBelow(profile: Profile, tree: Tree, pattern: string): Uint8Array {
  const hit = functionsNamed(profile, pattern);
  const inside = new Uint8Array(tree.count);
  for (let i = 1; i < tree.count; i++) {
    inside[i] = inside[tree.parent[i]!]! | hit[profile.frames.fn[tree.frame[i]!]!]!;
  }
  return inside;
}
