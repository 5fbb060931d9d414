// Which boxes are visible: walks the tree once in pre-order, skips subtrees outside the
// window and gathers boxes too narrow to see into "+n frames" bars. Owns widths in pixels
// and the honesty rule that every node in the window is in a box or counted in a bar.
// It does not draw and does not know about rows on screen beyond their numbers.

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
  left: Float32Array;
  width: Float32Array;
  /** Zero for a box; for a bar, how many frames it stands for. */
  merged: Uint32Array;
  /** One past the last node a bar stands for; unused for a box. */
  mergedEnd: Uint32Array;
}

/** Boxes narrower than this are gathered into bars. */
export const NARROW_PX = 1.5;
/** Above this many boxes the next coarser limit is tried: drawing is what costs. */
export const BOXES_MAX = 5000;
const COARSER = [NARROW_PX, 3, 6] as const;
const CAPACITY = 1 << 16;

export function createBoxes(): Boxes {
  return {
    count: 0,
    node: new Uint32Array(CAPACITY),
    row: new Uint16Array(CAPACITY),
    left: new Float32Array(CAPACITY),
    width: new Float32Array(CAPACITY),
    merged: new Uint32Array(CAPACITY),
    mergedEnd: new Uint32Array(CAPACITY),
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

const clipped = { left: 0, width: 0 };

function clip(left: number, right: number, view: Viewport, scale: number): typeof clipped {
  const from = Math.max(left, view.from);
  clipped.left = (from - view.from) * scale;
  clipped.width = (Math.min(right, view.to) - from) * scale;
  return clipped;
}

function push(out: Boxes, node: number, row: number, place: typeof clipped): void {
  const b = out.count++;
  out.node[b] = node;
  out.row[b] = row;
  out.left[b] = place.left;
  out.width[b] = place.width;
  out.merged[b] = 0;
  out.mergedEnd[b] = 0;
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
  if (b >= 0 && place.left - (out.left[b]! + out.width[b]!) < 0.75 && out.width[b]! < 8) {
    out.width[b] = place.left + place.width - out.left[b]!;
    out.merged[b]! += end - node;
    out.mergedEnd[b] = end;
    return;
  }
  lastBar[row] = out.count;
  push(out, node, row, place);
  out.merged[out.count - 1] = end - node;
  out.mergedEnd[out.count - 1] = end;
}
