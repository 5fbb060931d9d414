// The state of one reading session: which samples in which order and grouping, where zoomed,
// what is selected, what is searched. Owns every change to it and tells listeners what kind
// of change it was; it touches no DOM, so that keyboard, pointer and fragments act alike.

import { counterpart } from "../model/counterpart";
import { derive } from "../model/derive";
import { type Dimension, dimensions } from "../model/dimension";
import { encodeFilter, type Filter } from "../model/filter";
import type { ViewState, Wishes } from "../model/hash";
import { deepestCovering, NO_NODE } from "../model/navigate";
import type { Profile } from "../model/profile";
import { sandwich } from "../model/sandwich";
import {
  compilePattern,
  type Matches,
  matchAt,
  matchFunctions,
  matchTree,
  type Pattern,
  stepMatch,
} from "../model/search";
import { functionTotals, type FunctionTotals } from "../model/totals";
import type { Tree } from "../model/tree";
import { type Span, spanOf, ZoomHistory } from "../model/zoom";

export type Change = "zoom" | "pan" | "selection" | "search" | "tree" | "flip" | "theme" | "table";

/** One graph with what the reader does to it; a sandwich has two. */
export interface Pane {
  tree: Tree;
  zoom: ZoomHistory;
  selected: number;
  matched: Matches | null;
}

export class Session {
  /** The callees or the whole graph first, then the callers. */
  panes: Pane[];
  /** The pane that keys, panel and table are about. */
  active = 0;
  /** What the panes are made of: the samples and frames that filters leave. */
  whole: Tree;
  readonly dimensions: Dimension[];
  wishes: Wishes = { plumbing: false, group: "", timed: false, filters: [], middle: NO_NODE };
  flipped = false;
  table: ViewState["table"] = 0;
  theme: ViewState["theme"] = "";
  pattern: Pattern | null = null;
  hit: Uint8Array | null = null;
  private wholeTotals: FunctionTotals | null = null;
  private listeners: ((change: Change) => void)[] = [];

  constructor(readonly profile: Profile) {
    this.whole = profile.tree("folded");
    this.panes = [paneOf(this.whole)];
    this.dimensions = dimensions(profile);
  }

  onChange(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  get pane(): Pane {
    return this.panes[this.active]!;
  }

  get tree(): Tree {
    return this.pane.tree;
  }

  get zoom(): ZoomHistory {
    return this.pane.zoom;
  }

  get selected(): number {
    return this.pane.selected;
  }

  get matched(): Matches | null {
    return this.pane.matched;
  }

  /** What shares are shares of: the samples that pass the filters. */
  get amount(): number {
    return this.whole.total[0]!;
  }

  /** Width of the whole graph in samples; an empty one still has one. */
  get extent(): number {
    return extentOf(this.tree);
  }

  /** The deepest node that fills the window: what "zoomed to" means for a free zoom too. */
  get focus(): number {
    return focusOf(this.pane);
  }

  /** Totals over the whole tree, computed when first asked for. */
  get totals(): FunctionTotals {
    return (this.wholeTotals ??= functionTotals(this.profile, this.whole, 0));
  }

  activate(pane: number): void {
    if (pane === this.active || !this.panes[pane]) return;
    this.active = pane;
    this.emit("selection");
  }

  select(node: number): void {
    if (node === this.selected) return;
    this.pane.selected = node;
    this.emit("selection");
  }

  zoomTo(node: number): void {
    this.zoom.push(spanOf(this.tree, node));
    this.emit("zoom");
  }

  zoomToSpan(span: Span): void {
    this.zoom.push({ node: NO_NODE, ...span });
    this.emit("zoom");
  }

  /** Continuous zooming and panning, without an animation and without new history. */
  adjust(span: Span): void {
    this.zoom.adjust(span);
    this.emit("pan");
  }

  /** One step out: of the zoom, then of the sandwich. */
  back(): boolean {
    if (this.zoom.back()) {
      this.emit("zoom");
      return true;
    }
    if (this.wishes.middle < 0) return false;
    this.wish({ middle: NO_NODE });
    return true;
  }

  resetZoom(): void {
    this.zoom.reset(this.extent);
    this.emit("zoom");
  }

  search(text: string): void {
    if (text === (this.pattern?.text ?? "")) return;
    this.pattern = compilePattern(text);
    this.match();
    this.emit("search");
  }

  /** Selects the next or previous match, from the selection on. Returns its node. */
  step(direction: 1 | -1): number {
    if (!this.matched || this.matched.nodes.length === 0) return NO_NODE;
    const from = Math.max(0, this.selected);
    const fresh = this.selected === NO_NODE && direction === 1 && this.matched.nodes[0] === 0;
    this.select(fresh ? 0 : this.matched.nodes[stepMatch(this.matched, from, direction)]!);
    return this.selected;
  }

  /** Which match the selection is, counted from 1; 0 when it is none. */
  get matchNumber(): number {
    return this.matched && this.selected >= 0 ? matchAt(this.matched, this.selected) + 1 : 0;
  }

  /** Changes what is shown; selection and zoom stay where the new trees have them. */
  wish(change: Partial<Wishes>): void {
    const { pane } = this;
    this.wishes = { ...this.wishes, ...change };
    const base = this.profile.tree(this.wishes.plumbing ? "full" : "folded");
    const { filters, timed, group } = this.wishes;
    const by = this.dimensions.find(({ id }) => id === group);
    this.whole = derive(this.profile, base, { filters, timed, group: by }, this.dimensions);
    const parts = sandwich(this.profile, this.whole, this.wishes.middle);
    if (!parts) this.wishes.middle = NO_NODE;
    this.panes = parts ? [paneOf(parts.callees), paneOf(parts.callers)] : [paneOf(this.whole)];
    this.active = 0;
    this.wholeTotals = null;
    if (parts) this.pane.selected = 0;
    else {
      const carry = (node: number): number =>
        node > 0 ? counterpart(this.profile, pane.tree, node, this.tree) : node;
      const zoomed = pane.zoom.zoomed ? carry(focusOf(pane)) : 0;
      if (zoomed > 0) this.zoom.push(spanOf(this.tree, zoomed));
      this.pane.selected = carry(pane.selected);
    }
    this.match();
    this.emit("tree");
  }

  addFilter(filter: Filter): void {
    const { filters } = this.wishes;
    const same = encodeFilter(filter);
    if (filters.some((known) => encodeFilter(known) === same)) return;
    this.wish({ filters: [...filters, filter] });
  }

  setFlipped(flipped: boolean): void {
    this.flipped = flipped;
    this.emit("flip");
  }

  setTable(table: ViewState["table"]): void {
    this.table = table;
    this.emit("table");
  }

  setTheme(theme: ViewState["theme"]): void {
    this.theme = theme;
    this.emit("theme");
  }

  /** The state as it goes into the fragment. */
  get view(): ViewState {
    return {
      ...this.wishes,
      search: this.pattern?.text ?? "",
      zoom: this.zoom.path.map((step) => (step.node >= 0 ? step.node : [step.from, step.to])),
      selected: this.selected,
      pane: this.active,
      flipped: this.flipped,
      table: this.table,
      theme: this.theme,
    };
  }

  /** Takes a state from a fragment; what does not fit this profile is left out. */
  restore(view: ViewState): void {
    const { plumbing, group, timed, filters, middle } = view;
    this.wish({ plumbing, group, timed, filters, middle });
    if (this.panes[view.pane]) this.active = view.pane;
    const { count, total } = this.tree;
    this.zoom.reset(this.extent);
    for (const step of view.zoom) {
      if (typeof step !== "number") {
        const [from, to] = step;
        if (to <= total[0]!) this.zoom.push({ node: NO_NODE, from, to });
      } else if (step < count && total[step]! > 0) this.zoom.push(spanOf(this.tree, step));
    }
    this.pane.selected = view.selected < count ? view.selected : NO_NODE;
    this.flipped = view.flipped;
    this.table = view.table;
    this.theme = view.theme;
    this.search(view.search);
    for (const change of ["theme", "flip", "table", "zoom", "selection"] as const) {
      this.emit(change);
    }
  }

  private match(): void {
    this.hit = this.pattern && matchFunctions(this.profile, this.pattern);
    for (const pane of this.panes) {
      pane.matched = this.hit && matchTree(pane.tree, this.profile.frames.fn, this.hit);
    }
  }

  private emit(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}

function paneOf(tree: Tree): Pane {
  return { tree, zoom: new ZoomHistory(extentOf(tree)), selected: NO_NODE, matched: null };
}

function extentOf(tree: Tree): number {
  return Math.max(1, tree.total[0]!);
}

function focusOf({ tree, zoom }: Pane): number {
  return deepestCovering(tree, zoom.current.from, zoom.current.to);
}
