// The functions of the zoomed part as a table: the graph for those who can't or don't want
// to see it. Owns sorting and the filter by search.

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
import { on } from "../flame/on";
import { attribute, button, byId, el, oncePerFrame } from "./dom";
import { focusedKey, headRow, ROWS_STEP, showRows } from "./rows";
import { visitFunction } from "./visit";

export function buildTable(session: Session, flame: Flame): void {
  const host = byId("table");
  let key: TotalsKey = "total";
  let limit = ROWS_STEP;
  /** The search that filters rows: not one that a click on a row started. */
  let filter: Uint8Array | null = null;
  let visiting = false;
  const visit = (fn: number): void => {
    visiting = true;
    visitFunction(session, flame, fn);
    visiting = false;
  };
  const update = oncePerFrame(() => {
    host.hidden = session.table !== 1;
    if (host.hidden) return;
    const totals = functionTotals(session.profile, session.tree, session.focus);
    const ranked = rankFunctions(totals, key).filter((fn) => !filter || filter[fn] === 1);
    const head = sortableHead(key, (chosen) => {
      key = chosen;
      update();
    });
    showRows(host, {
      caption: "functions of the part shown",
      head,
      rows: ranked.slice(0, limit).map((fn) => functionRow(session, totals, fn, visit)),
      current: focusedKey(host),
      rest: Math.max(0, ranked.length - limit),
      more() {
        limit += 5 * ROWS_STEP;
        update();
      },
    });
  });
  session.onChange((change) => {
    if (change === "search" && !visiting) filter = session.hit;
    // The groups' functions are new to the search.
    if (change === "tree" && filter) filter = session.hit;
    if (change !== "selection" && change !== "theme") update();
  });
}

function sortableHead(key: TotalsKey, onSort: (key: TotalsKey) => void): HTMLElement {
  const sortable = (name: TotalsKey): HTMLElement => {
    const text = name + (key === name ? " ▾" : "");
    const sort = button("bare", `sort by ${name}`, () => onSort(name), text);
    sort.dataset.key = name;
    return sort;
  };
  const cells = [sortable("self"), "samples", sortable("total"), "samples"];
  const head = headRow([...cells, "kind", "function", "module"], cells.length);
  const sorted = head.querySelectorAll("th")[key === "self" ? 0 : 2]!;
  attribute(sorted, "aria-sort", "descending");
  return head;
}

function functionRow(
  session: Session,
  totals: FunctionTotals,
  fn: number,
  visit: (fn: number) => void,
): HTMLTableRowElement {
  const { functions, header } = session.profile;
  const whole = session.amount;
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
  row.dataset.key = `${fn}`;
  if (session.hit?.[fn] === 1) attribute(row, "aria-selected", true);
  on(row, "click", () => visit(fn));
  on(row, "keydown", (event) => {
    if (event.key === "Enter") visit(fn);
  });
  return row;
}
