// The same place in the other tree, for switching the cgo plumbing on and off. Owns the
// search through samples: a sample below the node has a leaf in both trees, and on the way
// to that leaf the same frame stands at the same count of repetitions.

import { NO_NODE, pathToRoot } from "./navigate";
import type { Samples } from "./profile";
import type { Tree } from "./tree";

/** The matching node of `to`, or of the nearest ancestor that has one; 0 at worst. */
export function translateNode(samples: Samples, from: Tree, to: Tree, node: number): number {
  for (let at = node; at !== 0; at = from.parent[at]!) {
    const leaf = leafBelow(samples, from, to, at);
    if (leaf === NO_NODE) continue;
    const found = sameFrame(from, at, to, leaf);
    if (found !== NO_NODE) return found;
  }
  return 0;
}

function leafBelow(samples: Samples, from: Tree, to: Tree, node: number): number {
  const leaves = samples.leaf[from.name];
  const end = from.end[node]!;
  for (let i = 0; i < samples.count; i++) {
    if (leaves[i]! >= node && leaves[i]! < end) return samples.leaf[to.name][i]!;
  }
  return NO_NODE;
}

function sameFrame(from: Tree, node: number, to: Tree, leaf: number): number {
  const frame = from.frame[node]!;
  let repetitions = pathToRoot(from, node).filter((at) => from.frame[at] === frame).length;
  for (const at of pathToRoot(to, leaf).reverse()) {
    if (to.frame[at] === frame && --repetitions === 0) return at;
  }
  return NO_NODE;
}
