// Connects the session with the canvas: scenes go out, pointer actions come back. Owns the
// rules of "click selects and zooms" and of bringing a node into sight.

import { type FlameStats, FlameView } from "../flame/view";
import { bindPointer } from "../flame/pointer";
import type { ThemeName } from "../flame/palette";
import { describeNode } from "../model/describe";
import { formatAmount, formatShare } from "../model/format";
import { buildTooltip } from "../panels/tooltip";
import { byId, el } from "../panels/dom";
import type { Change, Session } from "./session";
import { spanOf } from "../model/zoom";

export interface Flame {
  /** Zooms and scrolls as little as needed to see a node as a readable box. */
  reveal(node: number): void;
  /** Selects a node and brings it into sight. */
  visit(node: number): void;
  view: FlameView;
}

const READABLE_PX = 36;

export function connectFlame(
  session: Session,
  themeOf: () => ThemeName,
  onStats: (stats: FlameStats) => void,
): Flame {
  if (session.tree.total[0] === 0) byId("flame").append(el("p", "empty", "no samples"));
  const view = new FlameView(byId("flame"), session.profile, onStats);
  const tooltip = buildTooltip(session);
  const reveal = (node: number): void => revealNode(session, view, node);

  const show = (change: Change): void => {
    const { tree, zoom, flipped, selected, hit, matches, profile } = session;
    const { from, to } = zoom.current;
    const rows = tree.deepest[session.focus]! + 1;
    view.show(
      {
        profile,
        tree,
        span: { from, to },
        rows,
        flipped,
        selected,
        hit,
        matches,
        theme: themeOf(),
      },
      change !== "pan",
    );
    if (view.canvas.dataset.rows !== `${rows}`) view.canvas.dataset.rows = `${rows}`;
    // What was under the pointer has moved away from it.
    if (change !== "selection") {
      tooltip.hide();
      view.hover(null);
    }
  };
  session.onChange(show);
  session.onChange((change) => {
    if (change === "selection" || change === "tree") announce(session);
  });

  bindPointer(view, {
    hover(found, x, y) {
      view.hover(found?.place ?? null);
      if (found) tooltip.show(found.target, x, y);
      else tooltip.hide();
    },
    click(found) {
      if (!found) return;
      const { target } = found;
      if (target.merged > 0) return session.zoomToSpan(target.span);
      session.select(target.node);
      session.zoomTo(target.node);
    },
    span: (span) => session.adjust(span),
    current: () => session.zoom.current,
    total: () => session.extent,
  });
  return {
    reveal,
    visit(node) {
      session.select(node);
      reveal(node);
    },
    view,
  };
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
  const whole = session.tree.total[0]!;
  byId("live").textContent = [
    facts.short,
    facts.kindText,
    `total ${formatShare(facts.total, whole)}`,
    formatAmount(facts.total, session.profile.header.unit),
    `self ${formatShare(facts.self, whole)}`,
  ].join(", ");
}
