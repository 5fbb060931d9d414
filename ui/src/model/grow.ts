// Trees the page makes itself, out of weighted paths: lists of frames from below the root. Owns merging (by function, under one
// parent) and the order of children: the heaviest first, or as the paths came. Nothing
// recurses; paths may be thousands of frames long.

import { zeros } from "./numbers";
import { Kind } from "./kind";
import type { Profile } from "./profile";
import { buildTree, type Tree, type TreeName, type TreeView } from "./tree";

export interface Grown {
  tree: Tree;
  /** From the number `add` gave to the number in the tree. */
  place: Uint32Array;
}

export class GrowingTree {
  private frame: number[];
  private parent = [0];
  private self = [0];
  private start = [0];
  private children = new Map<number, number>();
  /** The nodes of the path added last. */
  private last: number[] = [];
  private weight = 0;

  private profile: Profile;
  private name: TreeName;
  private view: TreeView;

  constructor(profile: Profile, name: TreeName, root: number, view: TreeView) {
    this.profile = profile;
    this.name = name;
    this.view = view;
    this.frame = [root];
  }

  /** Returns the number of the leaf. */
  add(path: readonly number[], weight: number): number {
    const { frame, last, view } = this;
    const { fn } = this.profile.frames;
    let at = 0;
    let same = true;
    for (let d = 0; d < path.length; d++) {
      const wanted = path[d]!;
      same &&= d < last.length && fn[frame[last[d]!]!] === fn[wanted];
      if (same) at = last[d]!;
      else {
        // In order of time only what follows at once is the same call.
        const key = at * fn.length + fn[wanted]!;
        let child = view.timed ? undefined : this.children.get(key);
        if (child === undefined) {
          child = this.create(at, wanted);
          if (!view.timed) this.children.set(key, child);
        }
        at = last[d] = child;
      }
    }
    last.length = path.length;
    this.self[at]! += weight;
    this.weight += weight;
    return at;
  }

  finish(): Grown {
    const count = this.parent.length;
    const total = Uint32Array.from(this.self);
    for (let i = count - 1; i > 0; i--) total[this.parent[i]!]! += total[i]!;
    const order = this.view.timed ? total.map((_, i) => i) : heaviestFirst(this.parent, total);
    const place = zeros(count);
    for (let i = 0; i < count; i++) place[order[i]!] = i;
    const column = (values: ArrayLike<number>): Uint32Array => order.map((i) => values[i]!);
    const parent = order.map((i) => place[this.parent[i]!]!);
    const frame = column(this.frame);
    const { frames, functions } = this.profile;
    const depth = new Uint16Array(count);
    const callDepth = new Uint16Array(count);
    for (let i = 1; i < count; i++) {
      depth[i] = depth[parent[i]!]! + 1;
      const crossing = functions.kind[frames.fn[frame[i]!]!] === Kind.Edge;
      callDepth[i] = callDepth[parent[i]!]! + (crossing ? 1 : 0);
    }
    const columns = { parent, depth, frame, callDepth, self: column(this.self), total: column(total) };
    const start = this.view.timed && column(this.start);
    const tree = buildTree(this.name, columns, frames.count, { ...this.view, ...(start && { start }) });
    return { tree, place };
  }

  private create(parent: number, frame: number): number {
    this.parent.push(parent);
    this.frame.push(frame);
    this.start.push(this.weight);
    return this.self.push(0) - 1;
  }
}

/** Pre-order with the heaviest child first; of equal ones, the first that came. */
function heaviestFirst(parent: readonly number[], total: Uint32Array): Uint32Array {
  const count = parent.length;
  // Weight and number in one key, because sorting plain numbers is many times faster.
  const keys = Float64Array.from(total, (weight, i) => weight * count + (count - 1 - i)).sort();
  const firstChild = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  for (const key of keys) {
    const i = count - 1 - (key % count);
    if (i === 0) continue;
    next[i] = firstChild[parent[i]!]!;
    firstChild[parent[i]!] = i;
  }
  const order = zeros(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    order[i] = at;
    if (firstChild[at]! >= 0) at = firstChild[at]!;
    else {
      while (at !== 0 && next[at]! < 0) at = parent[at]!;
      at = next[at]!;
    }
  }
  return order;
}
