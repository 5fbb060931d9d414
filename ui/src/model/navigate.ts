// Moving about in a tree: children, siblings, paths and hit tests. Pure index arithmetic
// on the pre-order arrays; every loop is bounded by a depth or by a sibling run.

import type { Tree } from "./tree";

export const NO_NODE = -1;

export function firstChild(tree: Tree, node: number): number {
  return tree.end[node]! > node + 1 ? node + 1 : NO_NODE;
}

export function parentOf(tree: Tree, node: number): number {
  return node === 0 ? NO_NODE : tree.parent[node]!;
}

export function nextSibling(tree: Tree, node: number): number {
  if (node === 0) return NO_NODE;
  const next = tree.end[node]!;
  return next < tree.end[tree.parent[node]!]! ? next : NO_NODE;
}

/** Steps over the elder siblings from the parent on; they are few or light to skip. */
export function previousSibling(tree: Tree, node: number): number {
  if (node === 0) return NO_NODE;
  let before = NO_NODE;
  for (let at = tree.parent[node]! + 1; at < node; at = tree.end[at]!) before = at;
  return before;
}

/** Children come heaviest first, so following first children follows the weight. */
export function heaviestLeaf(tree: Tree, node: number): number {
  let at = node;
  for (let child = firstChild(tree, at); child !== NO_NODE; child = firstChild(tree, at)) {
    at = child;
  }
  return at;
}

/** Nodes from `node` up to the root, both included. */
export function pathToRoot(tree: Tree, node: number): number[] {
  const path = [node];
  for (let at = node; at !== 0;) {
    at = tree.parent[at]!;
    path.push(at);
  }
  return path;
}

export function contains(tree: Tree, ancestor: number, node: number): boolean {
  return ancestor <= node && node < tree.end[ancestor]!;
}

/** The node whose box covers sample position `x` at `depth`, if any. */
export function nodeAt(tree: Tree, x: number, depth: number): number {
  let at = 0;
  if (x < 0 || x >= tree.total[0]!) return NO_NODE;
  while (tree.depth[at]! < depth) {
    const child = childAt(tree, at, x);
    if (child === NO_NODE) return NO_NODE;
    at = child;
  }
  return at;
}

/** The deepest node that covers the whole range of sample positions. */
export function deepestCovering(tree: Tree, from: number, to: number): number {
  let at = 0;
  for (;;) {
    const child = childAt(tree, at, from);
    if (child === NO_NODE || tree.start[child]! + tree.total[child]! < to) return at;
    at = child;
  }
}

function childAt(tree: Tree, node: number, x: number): number {
  const last = tree.end[node]!;
  for (let child = node + 1; child < last; child = tree.end[child]!) {
    if (x < tree.start[child]!) return NO_NODE;
    if (x < tree.start[child]! + tree.total[child]!) return child;
  }
  return NO_NODE;
}
