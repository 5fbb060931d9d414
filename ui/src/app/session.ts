// The state of one reading session: which tree, where zoomed, what is selected, what is
// searched. Owns every change to it and tells listeners what kind of change it was; it
// touches no DOM, so that keyboard, pointer and restored fragments all act through it.

import { deepestCovering, NO_NODE } from "../model/navigate";
import type { Profile } from "../model/profile";
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
import { translateNode } from "../model/translate";
import type { Tree } from "../model/tree";
import type { ViewState } from "../model/hash";
import { type Span, spanOf, ZoomHistory } from "../model/zoom";

export type Change = "zoom" | "pan" | "selection" | "search" | "tree" | "flip" | "theme" | "table";

export class Session {
  tree: Tree;
  readonly zoom: ZoomHistory;
  selected = NO_NODE;
  flipped = false;
  table = false;
  theme: ViewState["theme"] = "";
  pattern: Pattern | null = null;
  hit: Uint8Array | null = null;
  matches: Matches | null = null;
  private wholeTotals: FunctionTotals | null = null;
  private listeners: ((change: Change) => void)[] = [];

  constructor(readonly profile: Profile) {
    this.tree = profile.tree("folded");
    this.zoom = new ZoomHistory(this.extent);
  }

  onChange(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  get plumbing(): boolean {
    return this.tree.name === "full";
  }

  /** Width of the whole graph in samples; an empty profile still has one. */
  get extent(): number {
    return Math.max(1, this.tree.total[0]!);
  }

  /** The deepest node that fills the window: what "zoomed to" means for a free zoom too. */
  get focus(): number {
    const { from, to } = this.zoom.current;
    return deepestCovering(this.tree, from, to);
  }

  /** Totals over the whole tree, computed when first asked for. */
  get totals(): FunctionTotals {
    return (this.wholeTotals ??= functionTotals(this.profile, this.tree, 0));
  }

  select(node: number): void {
    if (node === this.selected) return;
    this.selected = node;
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

  back(): boolean {
    if (!this.zoom.back()) return false;
    this.emit("zoom");
    return true;
  }

  resetZoom(): void {
    this.zoom.reset(this.extent);
    this.emit("zoom");
  }

  search(text: string): void {
    if (text === (this.pattern?.text ?? "")) return;
    this.pattern = compilePattern(text);
    this.hit = this.pattern && matchFunctions(this.profile, this.pattern);
    this.match();
    this.emit("search");
  }

  /** Selects the next or previous match, from the selection on. Returns its node. */
  step(direction: 1 | -1): number {
    if (!this.matches || this.matches.nodes.length === 0) return NO_NODE;
    const from = Math.max(0, this.selected);
    const fresh = this.selected === NO_NODE && direction === 1 && this.hitsRoot();
    this.select(fresh ? 0 : this.matches.nodes[stepMatch(this.matches, from, direction)]!);
    return this.selected;
  }

  /** Which match the selection is, counted from 1; 0 when it is none. */
  get matchNumber(): number {
    return this.matches && this.selected >= 0 ? matchAt(this.matches, this.selected) + 1 : 0;
  }

  setPlumbing(shown: boolean): void {
    if (shown === this.plumbing) return;
    const before = this.tree;
    const next = this.profile.tree(shown ? "full" : "folded");
    const { samples } = this.profile;
    const { selected, zoom } = this;
    const focus = zoom.zoomed ? translateNode(samples, before, next, this.focus) : 0;
    this.selected = selected > 0 ? translateNode(samples, before, next, selected) : selected;
    this.tree = next;
    this.wholeTotals = null;
    zoom.reset(this.extent);
    if (focus !== 0) zoom.push(spanOf(next, focus));
    this.match();
    this.emit("tree");
  }

  setFlipped(flipped: boolean): void {
    this.flipped = flipped;
    this.emit("flip");
  }

  setTable(shown: boolean): void {
    this.table = shown;
    this.emit("table");
  }

  setTheme(theme: ViewState["theme"]): void {
    this.theme = theme;
    this.emit("theme");
  }

  /** The state as it goes into the fragment. */
  get view(): ViewState {
    return {
      search: this.pattern?.text ?? "",
      zoom: this.zoom.path.map((step) => (step.node >= 0 ? step.node : [step.from, step.to])),
      selected: this.selected,
      plumbing: this.plumbing,
      flipped: this.flipped,
      table: this.table,
      theme: this.theme,
    };
  }

  /** Takes a state from a fragment; what does not fit this profile is left out. */
  restore(view: ViewState): void {
    this.setPlumbing(view.plumbing);
    const { count, total } = this.tree;
    this.zoom.reset(this.extent);
    for (const step of view.zoom) {
      if (typeof step !== "number") {
        const [from, to] = step;
        if (to <= total[0]!) this.zoom.push({ node: NO_NODE, from, to });
      } else if (step < count && total[step]! > 0) this.zoom.push(spanOf(this.tree, step));
    }
    this.selected = view.selected < count ? view.selected : NO_NODE;
    this.flipped = view.flipped;
    this.table = view.table;
    this.theme = view.theme;
    this.search(view.search);
    for (const change of ["theme", "flip", "table", "zoom", "selection"] as const) {
      this.emit(change);
    }
  }

  private hitsRoot(): boolean {
    return this.matches !== null && this.matches.nodes[0] === 0;
  }

  private match(): void {
    const { hit, profile, tree } = this;
    this.matches = hit && matchTree(tree, profile.frames.fn, hit);
  }

  private emit(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}
