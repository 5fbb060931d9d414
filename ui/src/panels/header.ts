// The top of the page: facts about the process, the search field, the quality strip and
// notes. Owns their markup; searching itself is the session's.

import { on } from "../flame/on";
import type { Session } from "../app/session";
import { toggleTheme } from "../app/theme";
import { attribute, button, byId, el } from "./dom";
import type { Help } from "./help";

const SEARCH_DELAY_MS = 60;

/** Returns the search field, for the keyboard. */
export function buildHeader(session: Session, help: Help): HTMLInputElement {
  const { header } = session.profile;
  const search = buildSearch(session);
  const facts = header.subtitle.map((fact) => el("span", "fact", fact));
  byId("header").append(
    el("h1", "", header.title),
    el("div", "facts", ...facts),
    el("span", "tier", header.tier),
    search,
    el("div", "tools", ...buildTools(session, help)),
  );
  buildQuality(session);
  return search;
}

function buildSearch(session: Session): HTMLInputElement {
  const search = el("input");
  search.type = "search";
  search.id = "search";
  search.placeholder = "search: name or regexp  /";
  search.spellcheck = false;
  search.autocomplete = "off";
  attribute(search, "aria-label", "search functions, regular expression, key /");
  let timer = 0;
  on(search, "input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => session.search(search.value), SEARCH_DELAY_MS);
  });
  session.onChange((change) => {
    if (change !== "search") return;
    const text = session.pattern?.text ?? "";
    if (search.value !== text) search.value = text;
    search.classList.toggle("plain", (session.pattern?.problem ?? "") !== "");
  });
  return search;
}

function buildTools(session: Session, help: Help): HTMLButtonElement[] {
  const table = button(
    "tool",
    "table of functions (t)",
    () => session.setTable(session.table ? 0 : 1),
    "☰",
  );
  const flip = button(
    "tool",
    "root at the other end (i)",
    () => session.setFlipped(!session.flipped),
    "⇅",
  );
  const theme = button("tool", "light or dark (d)", () => toggleTheme(session), "◐");
  const keys = button("tool", "keys and help (?)", () => help.open(), "?");
  session.onChange((change) => {
    if (change === "table") attribute(table, "aria-pressed", String(session.table > 0));
    if (change === "flip") attribute(flip, "aria-pressed", String(session.flipped));
  });
  for (const tool of [table, flip, theme, keys]) attribute(tool, "aria-label", tool.title);
  return [table, flip, theme, keys];
}

function buildQuality(session: Session): void {
  const { quality, notes } = session.profile.header;
  const strip = byId("quality");
  for (const fact of quality) {
    const value = el("b", fact.level, fact.value);
    const parts = [`${fact.label} `, value, fact.note ? ` ${fact.note}` : ""];
    // The level is a colour; the word makes it readable without one.
    if (fact.level === "warn" || fact.level === "bad") value.prepend(el("i", "", "! "));
    strip.append(el("span", "", ...parts));
  }
  if (notes.length > 0) {
    const list = el("div", "notes", ...notes.map((note) => el("span", "", note)));
    list.title = notes.join("\n");
    strip.append(list);
  }
  strip.hidden = quality.length + notes.length === 0;
}
