// The functions of the zoomed part as a table: the graph for those who can't or don't want
// to see it. Owns sorting, the filter by search and the limit on rows in the document.

import type { Flame } from "../app/connect";
import type { Session } from "../app/session";
import { formatCount, formatShare } from "../model/format";
import { kindWord } from "../model/kind";
import { baseName, shortName } from "../model/names";
import {
  functionTotals,
  rankFunctions,
  type FunctionTotals,
  type TotalsKey,
} from "../model/totals";
import { button, byId, el, oncePerFrame } from "./dom";
import { visitFunction } from "./visit";

const ROWS_STEP = 200;

interface TableState {
  key: TotalsKey;
  limit: number;
  /** The search that filters rows: not one that a click on a row started. */
  filter: Uint8Array | null;
  visiting: boolean;
}

export function buildTable(session: Session, flame: Flame): void {
  const host = byId("table");
  const state: TableState = { key: "total", limit: ROWS_STEP, filter: null, visiting: false };
  const update = oncePerFrame(() => {
    host.hidden = !session.table;
    if (!session.table) return;
    const top = host.scrollTop;
    const focused = focusedKey(host);
    host.replaceChildren(...tableParts(session, flame, state, update));
    host.scrollTop = top;
    if (focused) host.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
  });
  session.onChange((change) => {
    if (change === "search" && !state.visiting) state.filter = session.hit;
    if (change !== "selection" && change !== "theme") update();
  });
}

/** Rows are made anew on every change; the focus must find its way back. */
function focusedKey(host: HTMLElement): string | undefined {
  const { activeElement } = document;
  if (!(activeElement instanceof HTMLElement) || !host.contains(activeElement)) return undefined;
  return activeElement.dataset.key;
}

function tableParts(
  session: Session,
  flame: Flame,
  state: TableState,
  update: () => void,
): HTMLElement[] {
  const { filter } = state;
  const totals = functionTotals(session.profile, session.tree, session.focus);
  const ranked = rankFunctions(totals, state.key).filter((fn) => !filter || filter[fn] === 1);
  const visit = (fn: number): void => {
    state.visiting = true;
    visitFunction(session, flame, fn);
    state.visiting = false;
  };
  const rows = ranked.slice(0, state.limit).map((fn) => functionRow(session, totals, fn, visit));
  const head = headRow(state.key, (chosen) => {
    state.key = chosen;
    update();
  });
  const caption = el("caption", "hidden", "functions of the part shown");
  const table = el("table", "", caption, head, el("tbody", "", ...rows));
  const rest = ranked.length - rows.length;
  if (rest === 0) return [table];
  const showMore = (): void => {
    state.limit += ROWS_STEP * 5;
    update();
  };
  return [table, button("chip", "", showMore, `${formatCount(rest)} more`)];
}

function headRow(key: TotalsKey, onSort: (key: TotalsKey) => void): HTMLElement {
  const sortable = (name: TotalsKey): HTMLElement => {
    const sort = button(
      "bare",
      `sort by ${name}`,
      () => onSort(name),
      name + (key === name ? " ▾" : ""),
    );
    sort.dataset.key = name;
    const cell = el("th", "number", sort);
    cell.setAttribute("aria-sort", key === name ? "descending" : "none");
    return cell;
  };
  const row = el(
    "tr",
    "",
    sortable("self"),
    el("th", "number", "samples"),
    sortable("total"),
    el("th", "number", "samples"),
    el("th", "", "kind"),
    el("th", "", "function"),
    el("th", "", "module"),
  );
  for (const cell of row.cells) cell.setAttribute("scope", "col");
  return el("thead", "", row);
}

function functionRow(
  session: Session,
  totals: FunctionTotals,
  fn: number,
  visit: (fn: number) => void,
): HTMLElement {
  const { functions, header } = session.profile;
  const whole = session.tree.total[0]!;
  const name = header.strings[functions.name[fn]!]!;
  const module = header.strings[functions.module[fn]!]!;
  const number = (text: string): HTMLElement => el("td", "number", text);
  const row = el(
    "tr",
    "",
    number(formatShare(totals.self[fn]!, whole)),
    number(formatCount(totals.self[fn]!)),
    number(formatShare(totals.total[fn]!, whole)),
    number(formatCount(totals.total[fn]!)),
    el("td", "", kindWord(functions.kind[fn]!)),
    el("td", "name", shortName(name)),
    el("td", "muted", baseName(module)),
  );
  row.title = name;
  row.tabIndex = 0;
  row.dataset.key = String(fn);
  if (session.hit?.[fn] === 1) row.setAttribute("aria-selected", "true");
  row.addEventListener("click", () => visit(fn));
  row.addEventListener("keydown", (event) => {
    if (event.key === "Enter") visit(fn);
  });
  return row;
}
