// The graph as a tree of rows, for those who read by keyboard or screen reader: every frame
// can be reached, opened and closed. Owns which rows are open; the zoomed part is its root.

import type { Flame } from "../app/connect";
import type { Session } from "../app/session";
import { on } from "../flame/on";
import { describeNode } from "../model/describe";
import { formatShare } from "../model/format";
import { firstChild, NO_NODE } from "../model/navigate";
import { attribute, byId, el, oncePerFrame } from "./dom";
import { focusedKey, headRow, ROWS_STEP, showRows } from "./rows";

/** Deeper rows tell their level by number only. */
const INDENT_MAX = 24;

export function buildFrames(session: Session, flame: Flame): void {
  const host = byId("frames");
  const open = new Set<number>();
  let shown = session.tree;
  let limit = ROWS_STEP;
  /** The row that Tab reaches. */
  let current = 0;
  const update = oncePerFrame(() => {
    const { tree, focus } = session;
    host.hidden = session.table !== 2;
    if (host.hidden) return;
    if (shown !== tree) {
      open.clear();
      shown = tree;
      limit = ROWS_STEP;
    }
    open.add(focus);
    const rows: HTMLTableRowElement[] = [];
    let rest = 0;
    for (let node = focus; node < tree.end[focus]!;) {
      if (rows.length < limit || node === current) {
        rows.push(frameRow(session, node, open.has(node)));
      } else rest++;
      node = open.has(node) ? node + 1 : tree.end[node]!;
    }
    const more = (): void => {
      limit += 5 * ROWS_STEP;
      update();
    };
    const head = headRow(["total", "self", "kind", "frame"], 2);
    const caption = "frames; arrows move, open and close, Enter goes to the frame";
    const inside = focusedKey(host) !== undefined;
    const table = showRows(host, { caption, head, rows, current: `${current}`, rest, more });
    attribute(table, "role", "treegrid");
    const row = table.querySelector<HTMLElement>('[tabindex="0"]');
    if (inside) row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  });
  session.onChange((change) => {
    if (change === "selection" && session.selected >= 0) {
      current = session.selected;
      for (let at = current; at !== 0;) open.add((at = session.tree.parent[at]!));
    }
    if (change !== "theme" && change !== "pan") update();
  });
  const rowOf = (event: Event): number => {
    const row = (event.target as Element).closest("tr");
    return row ? (current = Number(row.dataset.key)) : NO_NODE;
  };
  on(host, "click", (event) => {
    const node = rowOf(event);
    if (node === NO_NODE) return;
    if (!open.delete(node)) open.add(node);
    flame.visit(node);
    update();
  });
  on(host, "keydown", (event) => {
    const { key } = event;
    const node = rowOf(event);
    if (node === NO_NODE) return;
    if (key === "Enter") flame.visit(node);
    else if (key === "ArrowRight") {
      if (open.has(node)) current = Math.max(node, firstChild(session.tree, node));
      open.add(node);
    } else if (key === "ArrowLeft") {
      if (node !== session.focus && !open.delete(node)) current = session.tree.parent[node]!;
    } else return;
    event.preventDefault();
    update();
  });
}

function frameRow(session: Session, node: number, open: boolean): HTMLTableRowElement {
  const { tree, profile, focus, amount } = session;
  const facts = describeNode(profile, tree, node);
  const level = tree.depth[node]! - tree.depth[focus]!;
  const inner = firstChild(tree, node) !== NO_NODE;
  const sign = inner ? (open ? "▾ " : "▸ ") : "· ";
  const name = el("td", "name", sign, facts.short, " ", el("span", "muted", facts.placeShort));
  name.style.paddingLeft = `${8 + 12 * Math.min(level, INDENT_MAX)}px`;
  const row = el(
    "tr",
    "",
    el("td", "number", formatShare(facts.total, amount)),
    el("td", "number", tree.inverted ? "" : formatShare(facts.self, amount)),
    el("td", "", facts.kindText),
    name,
  );
  row.title = facts.name;
  row.dataset.key = `${node}`;
  attribute(row, "aria-level", level + 1);
  if (inner) attribute(row, "aria-expanded", open);
  if (node === session.selected) attribute(row, "aria-selected", true);
  return row;
}
