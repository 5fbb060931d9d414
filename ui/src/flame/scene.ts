// What the canvas is to show, and where things are on it. Owns the measures of rows and
// the conversion between rows and pixels; no drawing, no events.

import type { Matches } from "../model/search";
import type { Profile } from "../model/profile";
import type { Span } from "../model/zoom";
import type { Tree } from "../model/tree";
import type { ThemeName } from "./palette";

export interface Scene {
  profile: Profile;
  tree: Tree;
  span: Span;
  /** Number of rows that the zoomed part has. */
  rows: number;
  flipped: boolean;
  selected: number;
  /** One byte per function where a search is on. */
  hit: Uint8Array | null;
  matched: Matches | null;
  theme: ThemeName;
}

export interface Metrics {
  rowPx: number;
  gapPx: number;
  font: string;
  paddingPx: number;
}

const FONT_FAMILY = "system-ui,sans-serif";
const LARGE_FROM_PX = 1800;

/** Rows and text grow a little where there is much room. */
export function metricsFor(widthPx: number): Metrics {
  return widthPx >= LARGE_FROM_PX
    ? { rowPx: 28, gapPx: 1, font: `13.5px ${FONT_FAMILY}`, paddingPx: 6 }
    : { rowPx: 23, gapPx: 1, font: `12px ${FONT_FAMILY}`, paddingPx: 5 };
}

export interface Geometry {
  widthPx: number;
  heightPx: number;
  scrollTop: number;
  contentPx: number;
  rowPx: number;
  flipped: boolean;
}

export function rowTop(geometry: Geometry, row: number): number {
  const { rowPx, scrollTop, contentPx, flipped } = geometry;
  return (flipped ? contentPx - (row + 1) * rowPx : row * rowPx) - scrollTop;
}

export function rowAt(geometry: Geometry, y: number): number {
  const { rowPx, scrollTop, contentPx, flipped } = geometry;
  const inside = y + scrollTop;
  return Math.floor((flipped ? contentPx - inside : inside) / rowPx);
}

/** First and last row on screen, in the tree's order. */
export function visibleRows(geometry: Geometry): { firstRow: number; lastRow: number } {
  const a = rowAt(geometry, 0);
  const b = rowAt(geometry, geometry.heightPx);
  return { firstRow: Math.max(0, Math.min(a, b)), lastRow: Math.max(0, Math.max(a, b)) };
}
