// The tree a reader asks for: some of the samples, grouped, with frames taken out, the
// heaviest first or in order of time. Owns how these combine; without any of them the tree
// of the data itself is shown.

import { zeros } from "./numbers";
import type { Dimension } from "./dimension";
import { leafFunctions } from "./dimension";
import { type Filter, hiddenFunctions, passing } from "./filter";
import { GrowingTree } from "./grow";
import type { Profile } from "./profile";
import { NO_LEAF, type Tree } from "./tree";

export interface Wish {
  filters: readonly Filter[];
  group: Dimension | undefined;
  timed: boolean;
}

export function derive(profile: Profile, base: Tree, wish: Wish, all: Dimension[]): Tree {
  if (wish.filters.length === 0 && !wish.group && !wish.timed) return base;
  const { samples, frames } = profile;
  const leaf = samples.leaf[base.name];
  const pass = passing(profile, base, wish.filters, all);
  const hidden = hiddenFunctions(profile, wish.filters);
  const groups = ranked(profile, base, wish.group, pass);
  // Rows of one group stand together: by node, so that equal stacks are one path, or by time.
  const width = Math.max(base.count, samples.count);
  const keyOf = (row: number): number =>
    groups.rank[row]! * width + (wish.timed ? row : leaf[row]!);
  const weights = new Map<number, number>();
  for (let i = 0; i < samples.count; i++) {
    if (pass[i] === 0) continue;
    const key = keyOf(i);
    weights.set(key, (weights.get(key) ?? 0) + samples.weight[i]!);
  }
  const growing = new GrowingTree(profile, base.name, base.frame[0]!, { timed: wish.timed });
  const ends = new Map<number, number>();
  for (const key of Float64Array.from(weights.keys()).sort()) {
    const at = key % width;
    const path: number[] = [];
    for (let node = wish.timed ? leaf[at]! : at; node !== 0; node = base.parent[node]!) {
      const frame = base.frame[node]!;
      if (hidden?.[frames.fn[frame]!] !== 1) path.push(frame);
    }
    if (wish.group) path.push(groups.frames[Math.floor(key / width)]!);
    ends.set(key, growing.add(path.reverse(), weights.get(key)!));
  }
  const { tree, place } = growing.finish();
  tree.groups = new Map(groups.values.map((value, i) => [groups.frames[i]!, value]));
  tree.leaf = leaf.map((_, i) => (pass[i] === 1 ? place[ends.get(keyOf(i))!]! : NO_LEAF));
  return tree;
}

/** Number of each row's group, the heaviest being 0, and what stands for each group. */
function ranked(
  profile: Profile,
  base: Tree,
  group: Dimension | undefined,
  pass: Uint8Array,
): { rank: Uint32Array; values: string[]; frames: number[] } {
  const { samples } = profile;
  const rank = zeros(samples.count);
  if (!group) return { rank, values: [], frames: [] };
  const fns = leafFunctions(profile, base.name);
  const weights = new Map<string, number>();
  for (let i = 0; i < samples.count; i++) {
    if (pass[i] === 0) continue;
    const value = group.of(i, fns[i]!);
    weights.set(value, (weights.get(value) ?? 0) + samples.weight[i]!);
  }
  const values = [...weights.keys()].sort((a, b) => weights.get(b)! - weights.get(a)!);
  const numbers = new Map(values.map((value, i) => [value, i]));
  for (let i = 0; i < samples.count; i++) rank[i] = numbers.get(group.of(i, fns[i]!)) ?? 0;
  const frames = values.map((value) => profile.groupFrame(group.words(value)));
  return { rank, values, frames };
}
