// The flame graph as a component: a canvas in a scrolling box. Owns sizes, the frame
// loop, the zoom animation and hit tests. It shows a Scene and reports what the reader
// does through FlameEvents; it decides nothing about zoom or selection itself.

import { on } from "./on";
import { Kind } from "../model/kind";
import { createBoxes, layout, mergedFrames } from "../model/layout";
import { shadeOf, SHADE_COUNT, SHADE_PLAIN } from "../model/shade";
import type { Profile } from "../model/profile";
import type { Span } from "../model/zoom";
import { Labels } from "./labels";
import { type Painter, paint } from "./paint";
import { Overlay, type PixelSpan } from "./overlay";
import { paletteOf } from "./palette";
import {
  type Geometry,
  type Metrics,
  metricsFor,
  rowAt,
  rowTop,
  type Scene,
  visibleRows,
} from "./scene";
import { createHatch } from "./hatch";
import { TextFitter } from "./text";

/** What lies under the pointer: a node, or a bar of nodes too narrow to draw. */
export interface Target {
  node: number;
  /** Zero for a node; how many frames a bar stands for otherwise. */
  merged: number;
  mergedEnd: number;
  span: Span;
}

export interface FlameStats {
  merged: number;
}

const ZOOM_MS = 160;

export class FlameView {
  readonly canvas = document.createElement("canvas");
  private overlay: Overlay;
  private spacer = document.createElement("div");
  private context: CanvasRenderingContext2D;
  private boxes = createBoxes();
  private painter: Painter;
  private metrics: Metrics = metricsFor(0);
  private fitter: TextFitter;
  private scene: Scene | null = null;
  private shown: Span = { from: 0, to: 1 };
  private animation: { from: Span; began: number } | null = null;
  private geometry: Geometry;
  private hovered: PixelSpan | null = null;
  private pending = 0;
  private size = "";
  private boxesDirty = true;

  constructor(
    readonly scroller: HTMLElement,
    private profile: Profile,
    private onStats: (stats: FlameStats) => void,
  ) {
    const stage = document.createElement("div");
    stage.className = "stage";
    stage.append(this.canvas);
    this.overlay = new Overlay(stage);
    this.spacer.append(stage);
    scroller.append(this.spacer);
    this.context = context2d(this.canvas);
    this.fitter = new TextFitter(this.context, this.metrics.font);
    this.geometry = {
      widthPx: 0,
      heightPx: 0,
      scrollTop: 0,
      contentPx: 0,
      rowPx: 0,
      flipped: false,
    };
    this.painter = {
      context: this.context,
      pixelRatio: 0,
      palette: paletteOf("light"),
      hatch: null,
      metrics: this.metrics,
      labels: new Labels(profile, this.fitter),
      colourOf: colourOfFunctions(profile),
    };
    new ResizeObserver(() => this.invalidate()).observe(scroller);
    on(scroller, "scroll", () => this.invalidate(), { passive: true });
  }

  /** Shows a scene, moving there over a moment when `animate` is set. */
  show(scene: Scene, animate: boolean): void {
    const before = this.scene;
    const moved =
      before !== null &&
      before.tree === scene.tree &&
      (before.span.from !== scene.span.from || before.span.to !== scene.span.to);
    if (moved && animate && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.animation = { from: this.shown, began: performance.now() };
    } else if (moved || !this.animation || before?.tree !== scene.tree) {
      this.animation = null;
      this.shown = scene.span;
    }
    this.scene = scene;
    // Groups bring functions of their own.
    if (this.painter.colourOf.length < this.profile.functions.count) {
      this.painter.colourOf = colourOfFunctions(this.profile);
    }
    this.measure();
    if (before && before.flipped !== scene.flipped) {
      this.scroller.scrollTop = scene.flipped ? this.geometry.contentPx : 0;
    }
    this.invalidate();
  }

  invalidate(): void {
    this.boxesDirty = true;
    this.request();
  }

  /** Scrolls the row of a node into sight, with a row of context. */
  reveal(row: number): void {
    this.measure();
    const { rowPx, heightPx } = this.geometry;
    const top = rowTop(this.geometry, row);
    if (top < 0) this.scroller.scrollTop += top - rowPx;
    else if (top + rowPx > heightPx) this.scroller.scrollTop += top + 2 * rowPx - heightPx;
  }

  hover(target: PixelSpan | null): void {
    const same = this.hovered?.row === target?.row && this.hovered?.leftPx === target?.leftPx;
    this.hovered = target;
    if (!same) this.request();
  }

  /** Sample position under a pixel of the canvas. */
  positionAt(x: number): number {
    const { from, to } = this.shown;
    return from + (x / this.geometry.widthPx) * (to - from);
  }

  samplesPerPixel(): number {
    return (this.shown.to - this.shown.from) / Math.max(1, this.geometry.widthPx);
  }

  /** Looks among the boxes as drawn, so that what is seen is what is hit. */
  targetAt(x: number, y: number): { target: Target; place: PixelSpan } | null {
    const { boxes, scene } = this;
    if (!scene) return null;
    const row = rowAt(this.geometry, y);
    for (let b = 0; b < boxes.count; b++) {
      const left = boxes.leftPx[b]!;
      const width = Math.max(boxes.widthPx[b]!, 1);
      if (boxes.row[b] !== row || x < left || x >= left + width) continue;
      const node = boxes.node[b]!;
      const span =
        boxes.merged[b] === 0
          ? { from: scene.tree.start[node]!, to: scene.tree.start[node]! + scene.tree.total[node]! }
          : { from: this.positionAt(left), to: this.positionAt(left + width) };
      return {
        target: { node, merged: boxes.merged[b]!, mergedEnd: boxes.mergedEnd[b]!, span },
        place: { row, leftPx: left, widthPx: width },
      };
    }
    return null;
  }

  private request(): void {
    if (this.pending === 0) this.pending = requestAnimationFrame((now) => this.frame(now));
  }

  private frame(now: number): void {
    this.pending = 0;
    const { scene } = this;
    if (!scene) return;
    this.animate(now, scene);
    this.measure();
    const { geometry, metrics, painter } = this;
    if (geometry.widthPx < 1 || geometry.heightPx < 1) return;
    if (this.boxesDirty) {
      this.boxesDirty = this.animation !== null;
      layout(
        scene.tree,
        { ...this.shown, ...visibleRows(geometry), widthPx: geometry.widthPx },
        this.boxes,
      );
      paint(painter, scene, this.boxes, geometry);
      this.onStats({ merged: mergedFrames(this.boxes) });
    }
    this.overlay.place({ ...scene, span: this.shown }, geometry, metrics, this.hovered);
    if (this.animation) this.request();
  }

  private animate(now: number, scene: Scene): void {
    if (!this.animation) return;
    const { from, began } = this.animation;
    const time = Math.min(1, Math.max(0, (now - began) / ZOOM_MS));
    const eased = 1 - (1 - time) ** 3;
    this.shown =
      time === 1
        ? scene.span
        : {
            from: from.from + (scene.span.from - from.from) * eased,
            to: from.to + (scene.span.to - from.to) * eased,
          };
    if (time === 1) this.animation = null;
  }

  /** Brings canvas sizes, fonts and colours in line with the window and the scene. */
  private measure(): void {
    const { scene, scroller } = this;
    if (!scene) return;
    const metrics = metricsFor(scroller.clientWidth);
    const heightPx = scroller.clientHeight;
    const contentPx = Math.max(heightPx, (scene.rows + 1) * metrics.rowPx);
    const height = `${contentPx}px`;
    if (this.spacer.style.height !== height) this.spacer.style.height = height;
    const widthPx = scroller.clientWidth;
    const { scrollTop } = scroller;
    this.geometry = {
      widthPx,
      heightPx,
      scrollTop,
      contentPx,
      rowPx: metrics.rowPx,
      flipped: scene.flipped,
    };
    this.fitCanvases(widthPx, heightPx, metrics);
    this.metrics = this.painter.metrics = metrics;
    const palette = paletteOf(scene.theme);
    if (palette === this.painter.palette && this.painter.hatch) return;
    this.painter.palette = palette;
    this.painter.hatch = createHatch(this.context, palette.hatch, this.painter.pixelRatio);
  }

  private fitCanvases(widthPx: number, heightPx: number, metrics: Metrics): void {
    const { canvas, painter } = this;
    const ratio = window.devicePixelRatio || 1;
    const size = [widthPx, heightPx, ratio, metrics.font].join();
    if (size === this.size) return;
    this.size = size;
    canvas.width = Math.round(widthPx * ratio);
    canvas.height = Math.round(heightPx * ratio);
    canvas.style.width = `${widthPx}px`;
    canvas.style.height = `${heightPx}px`;
    painter.pixelRatio = ratio;
    painter.hatch = null;
    this.boxesDirty = true;
    if (metrics.font === this.metrics.font) return;
    this.fitter.setFont(metrics.font);
    painter.labels.forget();
  }
}

function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("this browser gives the page no 2D canvas");
  return context;
}

function colourOfFunctions(profile: Profile): Uint8Array {
  const { functions, header } = profile;
  const colours = new Uint8Array(functions.count);
  for (let fn = 0; fn < functions.count; fn++) {
    const name = header.strings[functions.name[fn]!]!;
    const module = header.strings[functions.module[fn]!]!;
    const kind = functions.kind[fn]!;
    // The process is not code of any package.
    const shade = kind === Kind.Root ? SHADE_PLAIN : shadeOf(name, module);
    colours[fn] = kind * SHADE_COUNT + shade;
  }
  return colours;
}
