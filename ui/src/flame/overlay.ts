// Outlines of the selected and the hovered box: two elements above the canvas, so that
// moving the pointer moves an element and draws nothing. Owns where they are.

import { type Geometry, type Metrics, rowTop, type Scene } from "./scene";

export interface PixelSpan {
  row: number;
  leftPx: number;
  widthPx: number;
}

/** A selected frame too narrow to see is still marked by a stroke of this width. */
const MARK_MIN_PX = 4;

export class Overlay {
  private selected = outline("outline selected");
  private hovered = outline("outline");

  constructor(stage: HTMLElement) {
    stage.append(this.hovered, this.selected);
  }

  place(scene: Scene, geometry: Geometry, metrics: Metrics, hovered: PixelSpan | null): void {
    move(this.hovered, hovered, geometry, metrics);
    move(this.selected, scene.selected < 0 ? null : nodeSpan(scene, geometry), geometry, metrics);
  }
}

function nodeSpan(scene: Scene, geometry: Geometry): PixelSpan | null {
  const { span, selected, tree } = scene;
  const scale = geometry.widthPx / (span.to - span.from);
  const left = Math.max(0, (tree.start[selected]! - span.from) * scale);
  const end = tree.start[selected]! + tree.total[selected]!;
  const right = Math.min(geometry.widthPx, (end - span.from) * scale);
  if (right < 0 || left > geometry.widthPx) return null;
  return { row: tree.depth[selected]!, leftPx: left, widthPx: Math.max(MARK_MIN_PX, right - left) };
}

function move(
  element: HTMLElement,
  span: PixelSpan | null,
  geometry: Geometry,
  metrics: Metrics,
): void {
  const top = span ? rowTop(geometry, span.row) : 0;
  const hidden = !span || top <= -metrics.rowPx || top >= geometry.heightPx;
  if (element.hidden !== hidden) element.hidden = hidden;
  if (hidden) return;
  const { style } = element;
  style.transform = `translate(${Math.round(span.leftPx)}px,${Math.round(top)}px)`;
  style.width = `${Math.max(MARK_MIN_PX, Math.round(span.widthPx) - metrics.gapPx)}px`;
  style.height = `${metrics.rowPx - metrics.gapPx}px`;
}

function outline(className: string): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.hidden = true;
  return element;
}
