// The horizontal window on the tree and the way back out of it. Owns the arithmetic of
// zooming and panning and the history behind Esc; positions are samples from the left.

import type { Tree } from "./tree";

export interface Span {
  from: number;
  to: number;
}

/** A step of the history: the span and what it is called ("" for a free zoom). */
export interface ZoomStep extends Span {
  /** The node zoomed to, or -1 for a range. */
  node: number;
}

/** Closer than this a box is no longer a whole sample. */
const SPAN_MIN = 1;
const HISTORY_MAX = 64;

export class ZoomHistory {
  private steps: ZoomStep[] = [];

  private total: number;

  constructor(total: number) {
    this.total = total;
  }

  reset(total: number): void {
    this.total = total;
    this.steps = [];
  }

  get current(): ZoomStep {
    return this.steps[this.steps.length - 1] ?? { node: 0, from: 0, to: this.total };
  }

  get path(): readonly ZoomStep[] {
    return this.steps;
  }

  get zoomed(): boolean {
    return this.steps.length > 0;
  }

  push(step: ZoomStep): void {
    const { current } = this;
    if (step.from === current.from && step.to === current.to) return;
    this.steps.push(step);
    if (this.steps.length > HISTORY_MAX) this.steps.shift();
  }

  /** Free zooming and panning change the top step instead of adding one per wheel tick. */
  adjust(span: Span): void {
    if (span.from <= 0 && span.to >= this.total) {
      this.steps = [];
      return;
    }
    const step = { node: -1, ...span };
    if (this.zoomed && this.current.node === -1) this.steps[this.steps.length - 1] = step;
    else this.steps.push(step);
  }

  back(): boolean {
    return this.steps.pop() !== undefined;
  }
}

export function spanOf(tree: Tree, node: number): ZoomStep {
  const from = tree.start[node]!;
  return { node, from, to: from + tree.total[node]! };
}

/** Zooms so that `center` keeps its place; factor < 1 goes closer. */
export function scaleSpan(span: Span, center: number, factor: number, total: number): Span {
  const width = span.to - span.from;
  const wanted = Math.min(total, Math.max(Math.min(SPAN_MIN, total), width * factor));
  const from = center - (center - span.from) * (wanted / width);
  return clampSpan({ from, to: from + wanted }, total);
}

export function shiftSpan(span: Span, by: number, total: number): Span {
  return clampSpan({ from: span.from + by, to: span.to + by }, total);
}

function clampSpan(span: Span, total: number): Span {
  const width = Math.min(span.to - span.from, total);
  const from = Math.min(Math.max(0, span.from), total - width);
  return { from, to: from + width };
}
