// Who was running below a frame: goroutines, threads and whether the thread held its P.
// Owns the questions put to the sample columns; the tree only says which leaves count.

import { SAMPLE_FLAG } from "./kind";
import type { Samples } from "./profile";
import type { Tree } from "./tree";

export interface Presence {
  samples: number;
  goroutines: number;
  threads: number;
  heldP: number;
  lostP: number;
  inC: number;
  kernel: number;
}

export function presenceBelow(samples: Samples, tree: Tree, node: number): Presence {
  const leaf = samples.leaf[tree.name];
  const end = tree.end[node]!;
  const goids = new Set<number>();
  const threads = new Set<number>();
  const found = { samples: 0, heldP: 0, lostP: 0, inC: 0, kernel: 0 };
  for (let i = 0; i < samples.count; i++) {
    const at = leaf[i]!;
    if (at < node || at >= end) continue;
    const flags = samples.flags[i]!;
    found.samples++;
    if (flags & SAMPLE_FLAG.heldP) found.heldP++;
    else if (flags & SAMPLE_FLAG.lostP) found.lostP++;
    if (flags & SAMPLE_FLAG.inC) found.inC++;
    if (flags & SAMPLE_FLAG.kernel) found.kernel++;
    threads.add(samples.thread[i]!);
    if (samples.goid[i] !== 0) goids.add(samples.goid[i]!);
  }
  return { ...found, goroutines: goids.size, threads: threads.size };
}
