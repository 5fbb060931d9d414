// Which boxes are visible: walks the tree once in pre-order, skips subtrees outside the
// window and gathers boxes too narrow to see into "+n frames" bars. Owns widths in pixels
// and the honesty rule that every node in the window is in a box or counted in a bar.
// It does not draw and does not know about rows on screen beyond their numbers.

import { zeros } from "./numbers";
import type { Tree } from "./tree";

/** The window on the tree: sample positions across, rows (depths) down, both inclusive. */
export interface Viewport {
  from: number;
  to: number;
  firstRow: number;
  lastRow: number;
  widthPx: number;
}

/** Reused between frames, so that drawing allocates nothing. */
export interface Boxes {
  count: number;
  node: Uint32Array;
  row: Uint16Array;
  /** Pixels from the left edge of the window, clipped to it. */
  leftPx: Float32Array;
  widthPx: Float32Array;
  /** Zero for a box; for a bar, how many frames it stands for. */
  merged: Uint32Array;
  /** One past the last node a bar stands for; unused for a box. */
  mergedEnd: Uint32Array;
}

/** Boxes narrower than this are gathered into bars. */
export const NARROW_PX = 1.5;
/** Above this many boxes the next coarser limit is tried: drawing is what costs. */
export const BOXES_MAX = 5000;
const COARSER = [NARROW_PX, 3, 6, 12] as const;
const CAPACITY = 1 << 16;

export function createBoxes(): Boxes {
  return {
    count: 0,
    node: zeros(CAPACITY),
    row: new Uint16Array(CAPACITY),
    leftPx: new Float32Array(CAPACITY),
    widthPx: new Float32Array(CAPACITY),
    merged: zeros(CAPACITY),
    mergedEnd: zeros(CAPACITY),
  };
}

export function layout(tree: Tree, view: Viewport, out: Boxes): void {
  for (const narrowPx of COARSER) {
    if (layoutAt(tree, view, narrowPx, out)) return;
  }
}

/** Total number of frames hidden in bars. */
export function mergedFrames(boxes: Boxes): number {
  let sum = 0;
  for (let b = 0; b < boxes.count; b++) sum += boxes.merged[b]!;
  return sum;
}

/** Returns whether the result is small enough to draw; the coarsest is kept anyway. */
function layoutAt(tree: Tree, view: Viewport, narrowPx: number, out: Boxes): boolean {
  const { parent, depth, start, total, end, self } = tree;
  const { from, to, firstRow, lastRow, widthPx } = view;
  const scale = widthPx / (to - from);
  const lastBar = new Int32Array(lastRow + 1).fill(-1);
  const until = new Float32Array(lastRow + 1).fill(-1);
  out.count = 0;
  for (let i = 0; i < tree.count;) {
    const left = start[i]!;
    const right = left + total[i]!;
    const above = parent[i]!;
    if (left >= to || depth[i]! > lastRow) {
      // Siblings further right are outside too.
      i = i === 0 ? tree.count : end[above]!;
    } else if (right <= from) {
      i = end[i]!;
    } else if (tree.timed && (right - left) * scale < narrowPx) {
      i = pushMoment(tree, out, lastBar, until, i, firstRow, narrowPx, clip(left, right, view, scale));
    } else if ((right - left) * scale < narrowPx && i !== 0) {
      // Siblings come heaviest first: all that follow are narrow as well.
      const barRight = start[above]! + total[above]! - self[above]!;
      if (depth[i]! >= firstRow) {
        pushBar(out, lastBar, i, end[above]!, depth[i]!, clip(left, barRight, view, scale));
      }
      i = end[above]!;
    } else {
      if (depth[i]! >= firstRow) push(out, i, depth[i]!, clip(left, right, view, scale));
      i++;
    }
    if (out.count > BOXES_MAX && narrowPx < COARSER[COARSER.length - 1]!) return false;
    if (out.count === CAPACITY) return true;
  }
  return true;
}

const clipped = { leftPx: 0, widthPx: 0 };

function clip(left: number, right: number, view: Viewport, scale: number): typeof clipped {
  const from = Math.max(left, view.from);
  clipped.leftPx = (from - view.from) * scale;
  clipped.widthPx = (Math.min(right, view.to) - from) * scale;
  return clipped;
}

function push(out: Boxes, node: number, row: number, place: typeof clipped): void {
  const b = out.count++;
  out.node[b] = node;
  out.row[b] = row;
  out.leftPx[b] = place.leftPx;
  out.widthPx[b] = place.widthPx;
  out.merged[b] = 0;
  out.mergedEnd[b] = 0;
}

/** In order of time neighbours differ little in weight: one stands for all of a moment, and
 *  what it calls is drawn below it. Returns the node to go on with. */
function pushMoment(
  tree: Tree,
  out: Boxes,
  lastBar: Int32Array,
  until: Float32Array,
  node: number,
  firstRow: number,
  narrowPx: number,
  place: typeof clipped,
): number {
  const row = tree.depth[node]!;
  const taken = place.leftPx < until[row]!;
  const next = taken ? tree.end[node]! : node + 1;
  if (!taken) {
    until[row] = place.leftPx + narrowPx;
    place.widthPx = narrowPx;
  }
  if (row >= firstRow) {
    if (!taken) {
      lastBar[row] = out.count;
      push(out, node, row, place);
    }
    out.merged[lastBar[row]!]! += next - node;
    out.mergedEnd[lastBar[row]!] = next;
  }
  return next;
}

/** Bars of neighbouring parents that touch become one: a box per pixel helps nobody. */
function pushBar(
  out: Boxes,
  lastBar: Int32Array,
  node: number,
  end: number,
  row: number,
  place: typeof clipped,
): void {
  const b = lastBar[row]!;
  if (b >= 0 && place.leftPx - (out.leftPx[b]! + out.widthPx[b]!) < 0.75 && out.widthPx[b]! < 8) {
    out.widthPx[b] = place.leftPx + place.widthPx - out.leftPx[b]!;
    out.merged[b]! += end - node;
    out.mergedEnd[b] = end;
    return;
  }
  lastBar[row] = out.count;
  push(out, node, row, place);
  out.merged[out.count - 1] = end - node;
  out.mergedEnd[out.count - 1] = end;
}
