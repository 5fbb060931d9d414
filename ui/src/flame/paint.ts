// Draws the laid-out boxes: colour by colour, then the hatch of cgo edges, then labels.
// Owns drawing order and the limits per frame; the choice of boxes is model/layout.ts,
// selection and hover are on a canvas of their own (overlay.ts).

import { Kind } from "../model/kind";
import type { Boxes } from "../model/layout";
import { matchesBetween } from "../model/search";
import { SHADE_COUNT } from "../model/shade";
import { BOX_COLOURS, type Palette } from "./palette";
import { type Geometry, type Metrics, rowTop, type Scene } from "./scene";
import type { Labels } from "./labels";

/** Bars come after the box colours; the same again for what a search does not match. */
const BAR = BOX_COLOURS;
const FADED = BOX_COLOURS + 1;
const BUCKETS = 2 * FADED;
const EDGE_FIRST = Kind.Edge * SHADE_COUNT;
const EDGE_LAST = EDGE_FIRST + SHADE_COUNT - 1;

const LABEL_MIN_PX = 26;
const LABELS_MAX = 500;
const BAR_PADDING_PX = 2;
const HATCH_MIN_PX = 4;

export interface Painter {
  context: CanvasRenderingContext2D;
  pixelRatio: number;
  palette: Palette;
  hatch: CanvasPattern | null;
  metrics: Metrics;
  labels: Labels;
  /** kind × shade of every function. */
  colourOf: Uint8Array;
}

const starts = new Uint32Array(BUCKETS + 1);
let bucketOf = new Uint8Array(0);
let order = new Uint32Array(0);

export function paint(painter: Painter, scene: Scene, boxes: Boxes, geometry: Geometry): void {
  const { context, palette, pixelRatio } = painter;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, geometry.widthPx, geometry.heightPx);
  sortByColour(painter, scene, boxes);
  drawBoxes(painter, boxes, geometry);
  drawHatch(painter, boxes, geometry);
  if (scene.matched) drawMatchMarks(painter, boxes, geometry);
  drawLabels(painter, scene, boxes, geometry);
}

/** A counting sort: canvas state changes once per colour, not once per box. */
function sortByColour(painter: Painter, scene: Scene, boxes: Boxes): void {
  const { count, node, merged } = boxes;
  if (bucketOf.length < count) {
    bucketOf = new Uint8Array(boxes.node.length);
    order = new Uint32Array(boxes.node.length);
  }
  const { tree, hit, matched } = scene;
  const frameFn = scene.profile.frames.fn;
  starts.fill(0);
  for (let b = 0; b < count; b++) {
    const at = node[b]!;
    const fn = frameFn[tree.frame[at]!]!;
    // In order of time a bar stands for much of the same, so it has a colour.
    let bucket = merged[b] === 0 || tree.timed ? painter.colourOf[fn]! : BAR;
    if (matched && hit) {
      const found =
        merged[b] === 0 ? hit[fn] === 1 : matchesBetween(matched, at, boxes.mergedEnd[b]!) > 0;
      if (!found) bucket += FADED;
    }
    bucketOf[b] = bucket;
    starts[bucket + 1]!++;
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1]! += starts[bucket]!;
  const next = starts.slice();
  for (let b = 0; b < count; b++) order[next[bucketOf[b]!]!++] = b;
}

function drawBoxes(painter: Painter, boxes: Boxes, geometry: Geometry): void {
  const { context, palette } = painter;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (starts[bucket] === starts[bucket + 1]) continue;
    context.fillStyle = fillOf(palette, bucket);
    for (let at = starts[bucket]!; at < starts[bucket + 1]!; at++) {
      place(painter, boxes, order[at]!, geometry);
      context.fillRect(leftPx, topPx, widthPx, heightPx);
    }
  }
}

function fillOf(palette: Palette, bucket: number): string {
  if (bucket % FADED === BAR) return palette.bar;
  return bucket < FADED ? palette.box[bucket]! : palette.faded[bucket - FADED]!;
}

/** The pattern is moved along with each box, or the stripes would swim while panning. */
function drawHatch(painter: Painter, boxes: Boxes, geometry: Geometry): void {
  const { context, hatch, pixelRatio } = painter;
  if (!hatch) return;
  context.fillStyle = hatch;
  for (const shift of [0, FADED]) {
    context.globalAlpha = shift === 0 ? 1 : 0.4;
    for (let at = starts[EDGE_FIRST + shift]!; at < starts[EDGE_LAST + shift + 1]!; at++) {
      place(painter, boxes, order[at]!, geometry);
      if (widthPx < HATCH_MIN_PX) continue;
      const x = leftPx * pixelRatio;
      context.setTransform(pixelRatio, 0, 0, pixelRatio, x, topPx * pixelRatio);
      context.fillRect(0, 0, widthPx, heightPx);
    }
  }
  context.globalAlpha = 1;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
}

/** A dark foot under every match, so that a hit does not show by colour alone. */
function drawMatchMarks(painter: Painter, boxes: Boxes, geometry: Geometry): void {
  const { context, palette } = painter;
  context.fillStyle = palette.outline;
  for (let at = 0; at < starts[FADED]!; at++) {
    place(painter, boxes, order[at]!, geometry);
    context.fillRect(leftPx, topPx + heightPx - 2, widthPx, 2);
  }
}

function drawLabels(painter: Painter, scene: Scene, boxes: Boxes, geometry: Geometry): void {
  const { context, palette, metrics, labels } = painter;
  const minPx = labelMinimum(boxes);
  context.font = metrics.font;
  context.textBaseline = "middle";
  const middle = (metrics.rowPx - metrics.gapPx) / 2 + 0.5;
  for (const faded of [false, true]) {
    const first = faded ? starts[FADED]! : 0;
    const last = faded ? boxes.count : starts[FADED]!;
    for (let at = first; at < last; at++) {
      const b = order[at]!;
      if (boxes.widthPx[b]! < minPx) continue;
      const isBar = boxes.merged[b] !== 0;
      const padding = isBar ? BAR_PADDING_PX : metrics.paddingPx;
      const room = boxes.widthPx[b]! - 2 * padding;
      const text = isBar
        ? labels.ofBar(boxes.merged[b]!, room)
        : labels.ofNode(scene.tree, boxes.node[b]!, room);
      if (text === "") continue;
      context.fillStyle = faded ? palette.textDim : isBar ? palette.barText : palette.text;
      place(painter, boxes, b, geometry);
      context.fillText(text, leftPx + padding, topPx + middle);
      const tag = isBar ? "" : labels.tag(scene.tree, boxes.node[b]!, text, room);
      if (tag === "") continue;
      context.textAlign = "right";
      context.fillText(tag, leftPx + widthPx - padding, topPx + middle);
      context.textAlign = "left";
    }
  }
}

/** The width from which boxes get a label, so that at most LABELS_MAX do. */
function labelMinimum(boxes: Boxes): number {
  for (let minPx = LABEL_MIN_PX; ; minPx *= 1.4) {
    let labelled = 0;
    for (let b = 0; b < boxes.count; b++) if (boxes.widthPx[b]! >= minPx) labelled++;
    if (labelled <= LABELS_MAX) return minPx;
  }
}

let leftPx = 0;
let topPx = 0;
let widthPx = 0;
let heightPx = 0;

/** Where a box is drawn, on whole device pixels where it is wide enough to matter. */
function place(painter: Painter, boxes: Boxes, b: number, geometry: Geometry): void {
  const { pixelRatio, metrics } = painter;
  const left = boxes.leftPx[b]!;
  const width = boxes.widthPx[b]!;
  topPx = Math.round(rowTop(geometry, boxes.row[b]!) * pixelRatio) / pixelRatio;
  heightPx = metrics.rowPx - metrics.gapPx;
  if (width < 3) {
    leftPx = left;
    widthPx = Math.max(width * 0.8, 0.6);
    return;
  }
  leftPx = Math.round(left * pixelRatio) / pixelRatio;
  const right = Math.round((left + width) * pixelRatio) / pixelRatio;
  widthPx = right - leftPx - metrics.gapPx;
}
