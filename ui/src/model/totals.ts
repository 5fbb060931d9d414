// Weight per function and per kind. Owns the recursion rule: a sample counts once towards
// a function's total however often the function is on its stack.

import { zeros } from "./numbers";
import type { Profile } from "./profile";
import { KIND_COUNT } from "./kind";
import type { Tree } from "./tree";

export interface FunctionTotals {
  self: Uint32Array;
  total: Uint32Array;
  /** Number of nodes of the function. */
  instances: Uint32Array;
}

/** Totals of the nodes below `root`, itself included. */
export function functionTotals(profile: Profile, tree: Tree, root: number): FunctionTotals {
  const { functions, frames } = profile;
  const self = zeros(functions.count);
  const total = zeros(functions.count);
  const instances = zeros(functions.count);
  // Subtrees nest, so "inside an outer instance" is a comparison with where that one ends.
  const insideUntil = zeros(functions.count);
  for (let i = root; i < tree.end[root]!; i++) {
    const fn = frames.fn[tree.frame[i]!]!;
    self[fn]! += tree.self[i]!;
    instances[fn]!++;
    if (i < insideUntil[fn]!) continue;
    total[fn]! += tree.total[i]!;
    insideUntil[fn] = tree.end[i]!;
  }
  return { self, total, instances };
}

/** Self samples per kind below `root`. */
export function kindShares(profile: Profile, totals: FunctionTotals): Float64Array {
  const shares = new Float64Array(KIND_COUNT);
  for (let fn = 0; fn < profile.functions.count; fn++) {
    shares[profile.functions.kind[fn]!]! += totals.self[fn]!;
  }
  return shares;
}

export type TotalsKey = "self" | "total";

/** Function numbers with any instance, heaviest first; names do not break ties. */
export function rankFunctions(totals: FunctionTotals, key: TotalsKey): number[] {
  const { self, total } = totals;
  const [first, second] = key === "self" ? [self, total] : [total, self];
  const present: number[] = [];
  for (let fn = 0; fn < totals.instances.length; fn++) {
    if (totals.instances[fn]! > 0) present.push(fn);
  }
  return present.sort(
    (a, b) => first[b]! - first[a]! || second[b]! - second[a]! || a - b,
  );
}
