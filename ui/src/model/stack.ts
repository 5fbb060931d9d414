// One whole stack through a node: the heaviest way down below it and the callers above.
// Owns which nodes are listed and the limit on very deep stacks.

import { heaviestLeaf, pathToRoot } from "./navigate";
import type { Tree } from "./tree";

export interface WholeStack {
  /** Leaf first, root last. */
  nodes: number[];
  /** Frames left out at either end, because nobody reads thousands of rows. */
  omittedBelow: number;
  omittedAbove: number;
}

/** Below the selection the stack is one of many, so little of it is shown. */
const ROWS_BELOW_MAX = 20;
const ROWS_ABOVE_MAX = 300;

export function wholeStack(tree: Tree, node: number): WholeStack {
  const path = pathToRoot(tree, heaviestLeaf(tree, node));
  const at = path.indexOf(node);
  const first = Math.max(0, at - ROWS_BELOW_MAX);
  const last = Math.min(path.length, at + ROWS_ABOVE_MAX + 1);
  return {
    nodes: path.slice(first, last),
    omittedBelow: first,
    omittedAbove: path.length - last,
  };
}
