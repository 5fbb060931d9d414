// The same place in another tree of the same profile, for changing what is shown. Owns what
// "same" means: the function, and on the way to it as many of the same functions as can be.

import { NO_NODE, pathToRoot } from "./navigate";
import type { Profile } from "./profile";
import type { Tree } from "./tree";

/** Frames looked at before the best so far is taken: the heaviest places come first. */
const FRAMES_MAX = 200_000;
/** Callers tried where a function is not in the other tree, as edges are not. */
const CALLERS_MAX = 100;

/** The node of `to`, or that of the nearest caller that has one; NO_NODE without any. */
export function counterpart(profile: Profile, from: Tree, node: number, to: Tree): number {
  const way = (tree: Tree, leaf: number): number[] =>
    pathToRoot(tree, leaf).map((at) => profile.frames.fn[tree.frame[at]!]!);
  const wanted = way(from, node);
  for (let i = 0; i < CALLERS_MAX && wanted.length > 1; i++) {
    const found = nearest(wanted, to, (at) => way(to, at), profile);
    if (found !== NO_NODE) return found;
    wanted.shift();
  }
  return NO_NODE;
}

function nearest(
  wanted: readonly number[],
  to: Tree,
  way: (node: number) => number[],
  { frames }: Profile,
): number {
  const known = new Set(wanted);
  let best = NO_NODE;
  let least = Infinity;
  let looked = 0;
  for (let i = 0; i < to.count && looked < FRAMES_MAX; i++) {
    if (frames.fn[to.frame[i]!] !== wanted[0]) continue;
    const found = way(i);
    looked += found.length;
    const here = new Set(found);
    const common = wanted.filter((fn) => here.has(fn)).length;
    // A function may be on the way several times.
    const repeated = found.filter((fn) => known.has(fn)).length;
    const differs = wanted.length - common + Math.abs(repeated - common);
    if (differs < least) {
      least = differs;
      best = i;
    }
  }
  return best;
}
