// Who was running below a frame: goroutines, threads and whether the thread held its P.
// Owns the questions put to the sample columns; the tree only says which leaves count.

import { SampleFlag } from "./kind";
import type { Samples } from "./samples";
import type { Tree } from "./tree";

export interface Presence {
  goroutines: number;
  threads: number;
  heldP: number;
  lostP: number;
}

/** For trees that know where each sample ends. */
export function presenceBelow(samples: Samples, tree: Tree, node: number): Presence {
  const end = tree.end[node]!;
  const goroutines = new Set<number>();
  const threads = new Set<number>();
  let heldP = 0;
  let lostP = 0;
  for (let i = 0; i < samples.count; i++) {
    const at = tree.leaf![i]!;
    if (at < node || at >= end) continue;
    const flags = samples.flags[i]!;
    if (flags & SampleFlag.HeldP) heldP += samples.weight[i]!;
    else if (flags & SampleFlag.LostP) lostP += samples.weight[i]!;
    threads.add(samples.thread[i]!);
    const goroutine = samples.goroutine[i]!;
    if (samples.goids[goroutine] !== 0) goroutines.add(goroutine);
  }
  return { goroutines: goroutines.size, threads: threads.size, heldP, lostP };
}
