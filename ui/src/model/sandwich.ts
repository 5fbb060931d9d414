// One function in the middle: who calls it, and what it calls, each merged over all its
// instances. A sample counts once: from the outermost instance on its stack.

import { GrowingTree } from "./grow";
import type { Profile } from "./profile";
import type { Tree } from "./tree";

export interface Sandwich {
  callees: Tree;
  callers: Tree;
}

/** Null when the function is not in the tree. */
export function sandwich(profile: Profile, tree: Tree, fn: number): Sandwich | null {
  const isFn = (node: number): boolean => profile.frames.fn[tree.frame[node]!] === fn;
  let first = 0;
  while (first < tree.count && !isFn(first)) first++;
  if (first === tree.count) return null;
  const { name, frame } = tree;
  const callees = new GrowingTree(profile, name, frame[first]!, {});
  const callers = new GrowingTree(profile, name, frame[first]!, { inverted: true });
  /** The frames from one node up to another, the latter left out. */
  const climb = (from: number, to: number): number[] => {
    const path: number[] = [];
    for (let at = from; at !== to; at = tree.parent[at]!) path.push(frame[at]!);
    return path;
  };
  for (let node = first; node < tree.count;) {
    if (!isFn(node)) {
      node++;
      continue;
    }
    // The process itself has no callers.
    callers.add(climb(tree.parent[node]!, 0), tree.total[node]!);
    const outermost = node;
    for (; node < tree.end[outermost]!; node++) {
      if (tree.self[node] === 0) continue;
      callees.add(climb(node, outermost).reverse(), tree.self[node]!);
    }
  }
  return { callees: callees.finish().tree, callers: callers.finish().tree };
}
