// The view state in the location's fragment, so that a reload or a shared link shows the
// same. Owns the spelling of the fragment; whether the numbers fit the profile is checked
// by whoever applies them.

export interface ViewState {
  search: string;
  /** Nodes zoomed to, outermost first; a free range is [from, to]. */
  zoom: (number | [number, number])[];
  selected: number;
  plumbing: boolean;
  flipped: boolean;
  table: boolean;
  theme: "" | "light" | "dark";
}

export const EMPTY_VIEW: ViewState = {
  search: "",
  zoom: [],
  selected: -1,
  plumbing: false,
  flipped: false,
  table: false,
  theme: "",
};

const ZOOM_STEPS_MAX = 16;

export function encodeView(view: ViewState): string {
  const parts: string[] = [];
  if (view.search) parts.push(`q=${encodeURIComponent(view.search)}`);
  if (view.zoom.length) parts.push(`z=${view.zoom.slice(-ZOOM_STEPS_MAX).map(step).join(",")}`);
  if (view.selected >= 0) parts.push(`s=${view.selected}`);
  if (view.plumbing) parts.push("p=1");
  if (view.flipped) parts.push("i=1");
  if (view.table) parts.push("t=1");
  if (view.theme) parts.push(`d=${view.theme}`);
  return parts.join("&");
}

export function decodeView(hash: string): ViewState {
  const fields = new URLSearchParams(hash.replace(/^#/, "").replace(/\+/g, "%2B"));
  const theme = fields.get("d");
  return {
    search: fields.get("q") ?? "",
    zoom: (fields.get("z") ?? "")
      .split(",")
      .map(parseStep)
      .filter((s) => s !== null),
    selected: index(fields.get("s") ?? "") ?? -1,
    plumbing: fields.get("p") === "1",
    flipped: fields.get("i") === "1",
    table: fields.get("t") === "1",
    theme: theme === "light" || theme === "dark" ? theme : "",
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
