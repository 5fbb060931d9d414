// A call tree in pre-order: parallel arrays, node 0 is the root. Owns the derived columns
// (where a node starts, where its subtree ends, how deep it goes) and the checks of the
// pre-order. Nothing here recurses and no node is an object: trees of a million nodes and
// thousands of levels are normal.

import { zeros } from "./numbers";
import { type Container, fail } from "./container";

export type TreeName = "folded" | "full";

export interface TreeColumns {
  parent: Uint32Array;
  frame: Uint32Array;
  depth: Uint16Array;
  /** Number of cgo and callback edges from the root down to the node, itself included. */
  callDepth: Uint16Array;
  self: Uint32Array;
  total: Uint32Array;
}

/** What a tree that the page made itself has besides. */
export interface TreeView {
  /** Children stand in order of time instead of the heaviest first. */
  timed?: boolean;
  /** Children are callers. */
  inverted?: boolean;
  /** First sample of each node, where children need not begin at the left. */
  start?: Uint32Array;
}

export interface Tree extends TreeColumns, Omit<TreeView, "start"> {
  name: TreeName;
  count: number;
  /** The node in which each row of the samples ends, NO_LEAF if none; absent when not known. */
  leaf?: Uint32Array;
  /** The value that a group stands for, by its frame. */
  groups?: Map<number, string>;
  /** First sample of the node, when samples are laid out left heavy from 0 to the total. */
  start: Uint32Array;
  /** One past the last node of the subtree. */
  end: Uint32Array;
  /** Depth of the deepest node of the subtree. */
  deepest: Uint16Array;
}

export const NO_LEAF = 0xffffffff;

/** Depth is a 16-bit column. */
const DEPTHS = 65536;

export function readTreeColumns(container: Container, name: TreeName): TreeColumns {
  const parent = container.u32(`${name}_parent`);
  const count = parent.length;
  if (count === 0) fail(`the ${name} tree is empty`);
  return {
    parent,
    frame: container.u32(`${name}_frame`, count),
    depth: container.u16(`${name}_depth`, count),
    callDepth: container.u16(`${name}_calldepth`, count),
    self: container.u32(`${name}_self`, count),
    total: container.u32(`${name}_total`, count),
  };
}

export function buildTree(
  name: TreeName,
  columns: TreeColumns,
  frameCount: number,
  view: TreeView = {},
): Tree {
  const count = columns.parent.length;
  const tree: Tree = {
    ...view,
    ...columns,
    name,
    count,
    start: view.start ?? zeros(count),
    end: zeros(count),
    deepest: new Uint16Array(count),
  };
  if (columns.parent[0] !== 0 || columns.depth[0] !== 0) failNode(name, 0, "is no root");
  if (columns.frame[0]! >= frameCount) failNode(name, 0, "has no frame");
  if (!view.start) placeNodes(tree, frameCount);
  closeSubtrees(tree);
  return tree;
}

/** Walks down in pre-order; `next` holds where a node's next child starts. */
function placeNodes(tree: Tree, frameCount: number): void {
  const { count, parent, frame, depth, self, total, start } = tree;
  const next = zeros(count);
  // What the previous child of a node weighed: the order of children is a promise of the
  // format that layout.ts relies on to skip whole runs of narrow boxes.
  const previous = zeros(count).fill(0xffffffff);
  const lastAtDepth = zeros(DEPTHS);
  for (let i = 1; i < count; i++) {
    const above = parent[i]!;
    const level = depth[i]!;
    if (level === 0 || level > depth[i - 1]! + 1 || lastAtDepth[level - 1] !== above) {
      failNode(tree.name, i, "is not in pre-order");
    }
    lastAtDepth[level] = i;
    if (frame[i]! >= frameCount) failNode(tree.name, i, "has no frame");
    if (total[i]! > previous[above]!) failNode(tree.name, i, "is heavier than the sibling before it");
    previous[above] = total[i]!;
    start[i] = start[above]! + next[above]!;
    next[above]! += total[i]!;
    if (next[above]! > total[above]! - self[above]!) failNode(tree.name, i, "does not fit its parent");
  }
}

function closeSubtrees(tree: Tree): void {
  const { count, parent, depth, end, deepest } = tree;
  for (let i = count - 1; i >= 0; i--) {
    if (end[i] === 0) end[i] = i + 1;
    if (deepest[i]! < depth[i]!) deepest[i] = depth[i]!;
    if (i === 0) return;
    const above = parent[i]!;
    // The first child met from behind is the last one: it closes the parent.
    if (end[above] === 0) end[above] = end[i]!;
    if (deepest[above]! < deepest[i]!) deepest[above] = deepest[i]!;
  }
}

function failNode(name: TreeName, node: number, what: string): never {
  fail(`node ${node} of the ${name} tree ${what}`);
}
