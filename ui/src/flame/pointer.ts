// Mouse, pen, touch and wheel on the canvas. Owns the gestures: click, drag to pan, wheel
// to scroll, Ctrl+wheel to zoom around the pointer. What a gesture means is up to the
// handlers.

import { on } from "./on";
import { scaleSpan, shiftSpan, type Span } from "../model/zoom";
import type { PixelSpan } from "./overlay";
import type { FlameView, Target } from "./view";

export interface Found {
  target: Target;
  place: PixelSpan;
}

export interface PointerHandlers {
  hover(found: Found | null, clientX: number, clientY: number): void;
  click(found: Found | null): void;
  span(span: Span): void;
  current(): Span;
  total(): number;
}

const DRAG_FROM_PX = 4;
const ZOOM_PER_WHEEL_PX = 0.0022;
/** Wheels that report lines instead of pixels. */
const LINE_PX = 24;

export function bindPointer(view: FlameView, handlers: PointerHandlers): void {
  bindHover(view, handlers);
  bindDrag(view, handlers);
  bindWheel(view, handlers);
}

function locate(view: FlameView, event: MouseEvent): { x: number; y: number } {
  const box = view.scroller.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function bindHover(view: FlameView, handlers: PointerHandlers): void {
  on(view.scroller, "pointermove", (event) => {
    if (event.buttons !== 0) return;
    const { x, y } = locate(view, event);
    const found = view.targetAt(x, y);
    view.scroller.classList.toggle("over", found !== null);
    handlers.hover(found, event.clientX, event.clientY);
  });
  on(view.scroller, "pointerleave", () => handlers.hover(null, 0, 0));
}

function bindDrag(view: FlameView, handlers: PointerHandlers): void {
  let start: { x: number; y: number; span: Span; scrollTop: number } | null = null;
  let dragging = false;
  const { scroller } = view;

  on(scroller, "pointerdown", (event) => {
    const { x, y } = locate(view, event);
    // The native scrollbar lies outside the client area and keeps its own behaviour.
    if (event.button !== 0 || x >= scroller.clientWidth) return;
    start = { x, y, span: { ...handlers.current() }, scrollTop: scroller.scrollTop };
    dragging = false;
  });
  on(scroller, "pointermove", (event) => {
    if (!start || event.buttons === 0) return;
    const { x, y } = locate(view, event);
    if (!dragging) {
      if (Math.hypot(x - start.x, y - start.y) < DRAG_FROM_PX) return;
      dragging = true;
      scroller.setPointerCapture(event.pointerId);
      scroller.classList.add("dragging");
      handlers.hover(null, 0, 0);
    }
    const perPixel = (start.span.to - start.span.from) / Math.max(1, scroller.clientWidth);
    handlers.span(shiftSpan(start.span, (start.x - x) * perPixel, handlers.total()));
    scroller.scrollTop = start.scrollTop + start.y - y;
  });
  const finish = (event: PointerEvent): void => {
    if (start && !dragging && event.type === "pointerup") {
      const { x, y } = locate(view, event);
      handlers.click(view.targetAt(x, y));
    }
    start = null;
    scroller.classList.remove("dragging");
  };
  on(scroller, "pointerup", finish);
  on(scroller, "pointercancel", finish);
}

function bindWheel(view: FlameView, handlers: PointerHandlers): void {
  on(view.scroller, "wheel",
    (event) => {
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
      const span = handlers.current();
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const center = view.positionAt(locate(view, event).x);
        const factor = Math.exp(event.deltaY * unit * ZOOM_PER_WHEEL_PX);
        handlers.span(scaleSpan(span, center, factor, handlers.total()));
      } else if (event.deltaX !== 0 && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        const by = event.deltaX * unit * view.samplesPerPixel();
        handlers.span(shiftSpan(span, by, handlers.total()));
      }
      // A plain wheel scrolls the rows, which the browser does by itself.
    },
    { passive: false },
  );
}
