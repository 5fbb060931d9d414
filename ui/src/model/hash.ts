// The view state in the location's fragment, so that a reload or a shared link shows the
// same. Owns the spelling of the fragment; whether the numbers fit the profile is checked
// by whoever applies them.

import { decodeFilter, encodeFilter, type Filter } from "./filter";

/** What of the profile is to be shown. */
export interface Wishes {
  plumbing: boolean;
  /** Dimension that makes the groups; empty for none. */
  group: string;
  timed: boolean;
  filters: Filter[];
  /** Function in the middle of a sandwich, or -1. */
  middle: number;
}

export interface ViewState extends Wishes {
  search: string;
  /** Nodes zoomed to, outermost first; a free range is [from, to]. */
  zoom: (number | [number, number])[];
  selected: number;
  /** The pane that zoom and selection belong to. */
  pane: number;
  flipped: boolean;
  /** 0 none, 1 functions, 2 frames as a tree. */
  table: 0 | 1 | 2;
  theme: "" | "light" | "dark";
}

const ZOOM_STEPS_MAX = 16;

export function encodeView(view: ViewState): string {
  const parts: string[] = [];
  const put = (key: string, value: string | boolean): void => {
    if (value) parts.push(`${key}=${encodeURIComponent(value === true ? 1 : value)}`);
  };
  const putIndex = (key: string, value: number, from = 0): void => {
    if (value >= from) parts.push(`${key}=${value}`);
  };
  put("q", view.search);
  if (view.zoom.length) put("z", view.zoom.slice(-ZOOM_STEPS_MAX).map(step).join());
  putIndex("s", view.selected);
  put("p", view.plumbing);
  put("i", view.flipped);
  putIndex("t", view.table, 1);
  put("d", view.theme);
  put("g", view.group);
  put("o", view.timed);
  for (const filter of view.filters) put("f", encodeFilter(filter));
  putIndex("m", view.middle);
  putIndex("a", view.pane, 1);
  // Both are allowed in a fragment, and it reads better with them.
  return parts.join("&").replace(/%2C/g, ",").replace(/%2F/g, "/");
}

export function decodeView(hash: string): ViewState {
  const fields = new URLSearchParams(hash.replace(/^#/, "").replace(/\+/g, "%2B"));
  const get = (key: string): string => fields.get(key) ?? "";
  const isSet = (key: string): boolean => get(key) === "1";
  const theme = get("d");
  return {
    search: get("q"),
    zoom: get("z")
      .split(",")
      .map(parseStep)
      .filter((s) => s !== null),
    selected: index(get("s")) ?? -1,
    plumbing: isSet("p"),
    flipped: isSet("i"),
    table: isSet("t") ? 1 : get("t") === "2" ? 2 : 0,
    theme: theme === "light" || theme === "dark" ? theme : "",
    group: get("g"),
    timed: isSet("o"),
    filters: fields
      .getAll("f")
      .map(decodeFilter)
      .filter((filter) => filter !== null),
    middle: index(get("m")) ?? -1,
    pane: isSet("a") ? 1 : 0,
  };
}

function step(zoom: number | [number, number]): string {
  return typeof zoom === "number" ? String(zoom) : zoom.map((x) => +x.toFixed(2)).join("-");
}

function parseStep(text: string): number | [number, number] | null {
  const node = index(text);
  if (node !== null) return node;
  const range = /^([\d.]+)-([\d.]+)$/.exec(text);
  if (!range) return null;
  const from = Number(range[1]);
  const to = Number(range[2]);
  return from < to ? [from, to] : null;
}

function index(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
