// What both tables share: rows that the arrow keys walk, of which Tab reaches one, a limit on
// rows in the document with a button for more, and keeping focus and place when rows change.

import { on } from "../flame/on";
import { formatCount } from "../model/format";
import { button, el } from "./dom";

export const ROWS_STEP = 200;

export interface Rows {
  caption: string;
  head: HTMLElement;
  /** Each with its key. */
  rows: HTMLTableRowElement[];
  /** Key of the row that Tab reaches. */
  current: string | undefined;
  /** Rows that are not among them. */
  rest: number;
  more(): void;
}

export function showRows(host: HTMLElement, { caption, head, rows, ...rest }: Rows): HTMLElement {
  const focused = focusedKey(host);
  const { scrollTop } = host;
  const table = el("table", "", el("caption", "hidden", caption));
  table.append(head, el("tbody", "", ...rows));
  host.replaceChildren(table);
  if (rest.rest > 0) {
    host.append(button("chip", "", rest.more, `${formatCount(rest.rest)} more`));
  }
  host.scrollTop = scrollTop;
  for (const row of rows) row.tabIndex = -1;
  const current = rows.find((row) => row.dataset.key === rest.current) ?? rows[0];
  if (current) current.tabIndex = 0;
  on(table, "keydown", (event) => {
    const row = (event.target as Element).closest("tr");
    const { key } = event;
    const next = key === "ArrowDown" ? row?.nextSibling : key === "ArrowUp" && row?.previousSibling;
    if (next === undefined || next === false) return;
    event.preventDefault();
    (next as HTMLElement | null)?.focus();
  });
  // Rows are made anew on every change; the focus must find its way back.
  if (focused) {
    const same = [...table.querySelectorAll<HTMLElement>("[data-key]")];
    (same.find((element) => element.dataset.key === focused) ?? current)?.focus();
  }
  return table;
}

/** The first columns are numbers. */
export function headRow(cells: (string | HTMLElement)[], numbers: number): HTMLElement {
  const row = el("tr");
  cells.forEach((cell, i) => {
    const head = el("th", i < numbers ? "number" : "", cell);
    head.scope = "col";
    row.append(head);
  });
  return el("thead", "", row);
}

export function focusedKey(host: HTMLElement): string | undefined {
  const { activeElement } = document;
  if (!(activeElement instanceof HTMLElement) || !host.contains(activeElement)) return undefined;
  return activeElement.dataset.key;
}
