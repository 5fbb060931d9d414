// Connects the session with the canvas: scenes go out, pointer actions come back. Owns the
// rules of "click selects and zooms" and of bringing a node into sight.

import { on } from "../flame/on";
import { type FlameStats, FlameView } from "../flame/view";
import { bindPointer } from "../flame/pointer";
import type { ThemeName } from "../flame/palette";
import { describeNode } from "../model/describe";
import { formatAmount, formatShare } from "../model/format";
import { deepestCovering, NO_NODE } from "../model/navigate";
import { buildTooltip, type Tooltip } from "../panels/tooltip";
import { byId, el } from "../panels/dom";
import type { Session } from "./session";
import { spanOf, type ZoomHistory } from "../model/zoom";

export interface Flame {
  /** Zooms and scrolls as little as needed to see a node as a readable box. */
  reveal(node: number): void;
  /** Selects a node and brings it into sight. */
  visit(node: number): void;
  /** Of the active pane. */
  readonly view: FlameView;
}

const READABLE_PX = 36;
/** By number of the pane. */
const HOSTS = ["flame", "callers"];

export function connectFlame(
  session: Session,
  themeOf: () => ThemeName,
  onStats: (stats: FlameStats) => void,
): Flame {
  const tooltip = buildTooltip(session);
  const merged = [0, 0];
  const views = HOSTS.map((id, pane) => {
    const view = new FlameView(byId(id), session.profile, (stats) => {
      merged[pane] = session.panes[pane] ? stats.merged : 0;
      onStats({ merged: merged[0]! + merged[1]! });
    });
    connectPane(session, view, pane, tooltip);
    return view;
  });
  const empty = el("p", "empty");
  byId("flame").append(empty);

  session.onChange((change) => {
    const { panes, active } = session;
    for (let pane = 0; pane < views.length; pane++) {
      views[pane]!.scroller.hidden = !panes[pane];
      if (panes[pane]) show(session, views[pane]!, pane, themeOf(), change !== "pan");
    }
    byId("panes").className = [
      panes.length > 1 ? "two" : "",
      session.flipped ? "flipped" : "",
      active === 1 ? "second" : "",
    ].join(" ");
    empty.hidden = session.amount > 0;
    empty.textContent =
      session.wishes.filters.length > 0 ? "no samples pass the filters" : "no samples";
    // What was under the pointer has moved away from it.
    if (change !== "selection") {
      tooltip.hide();
      for (const view of views) view.hover(null);
    }
    if (change === "selection" || change === "tree") announce(session);
  });
  const reveal = (node: number): void => revealNode(session, views[session.active]!, node);
  return {
    reveal,
    visit(node) {
      session.select(node);
      reveal(node);
    },
    get view() {
      return views[session.active]!;
    },
  };
}

function show(
  session: Session,
  view: FlameView,
  number: number,
  theme: ThemeName,
  animate: boolean,
): void {
  const { profile, hit, active } = session;
  const { tree, zoom, selected, matched } = session.panes[number]!;
  const { from, to } = zoom.current;
  const rows = tree.deepest[deepestCovering(tree, from, to)]! + 1;
  view.show(
    {
      profile,
      tree,
      span: { from, to },
      rows,
      // Callers grow the other way from the function in the middle.
      flipped: session.flipped !== (number === 1),
      selected: number === active ? selected : NO_NODE,
      hit,
      matched,
      theme,
    },
    animate,
  );
  // Callers leave what they do not need to the callees.
  if (number === 1) view.scroller.style.maxHeight = `${(tree.deepest[0]! + 2) * 28}px`;
  if (view.canvas.dataset.rows !== `${rows}`) view.canvas.dataset.rows = `${rows}`;
}

function connectPane(session: Session, view: FlameView, pane: number, tooltip: Tooltip): void {
  const own = (): ZoomHistory => session.panes[pane]!.zoom;
  on(view.scroller, "focus", () => session.activate(pane));
  bindPointer(view, {
    hover(found, x, y) {
      view.hover(found?.place ?? null);
      if (found) tooltip.show(session.panes[pane]!, found.target, x, y);
      else tooltip.hide();
    },
    click(found) {
      session.activate(pane);
      if (!found) return;
      const { target } = found;
      if (target.merged > 0) return session.zoomToSpan(target.span);
      session.select(target.node);
      session.zoomTo(target.node);
    },
    span(span) {
      session.activate(pane);
      session.adjust(span);
    },
    current: () => own().current,
    total: () => Math.max(1, session.panes[pane]!.tree.total[0]!),
  });
}

function revealNode(session: Session, view: FlameView, node: number): void {
  const { tree, zoom } = session;
  const { from, to } = zoom.current;
  const own = spanOf(tree, node);
  const widthPx = view.scroller.clientWidth;
  const shown = (Math.min(own.to, to) - Math.max(own.from, from)) / (to - from);
  if (shown * widthPx < READABLE_PX) {
    let target = node;
    // The outermost ancestor in which the box is still readable keeps the most context.
    while (
      target !== 0 &&
      ((own.to - own.from) / tree.total[tree.parent[target]!]!) * widthPx >= READABLE_PX
    ) {
      target = tree.parent[target]!;
    }
    session.zoomTo(target);
  }
  view.reveal(tree.depth[node]!);
}

/** Screen readers hear the selection; the canvas itself is silent. */
function announce(session: Session): void {
  if (session.selected < 0) return;
  const facts = describeNode(session.profile, session.tree, session.selected);
  const whole = session.amount;
  byId("live").textContent = [
    facts.short,
    facts.kindText,
    `total ${formatShare(facts.total, whole)}`,
    formatAmount(facts.total, session.profile.header.unit),
    ...(session.tree.inverted ? [] : [`self ${formatShare(facts.self, whole)}`]),
  ].join(", ");
}
