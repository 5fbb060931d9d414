// What the panel says when nothing is selected: where the time went by kind, and the
// functions with the most self time. The first answer before any click.

import type { Session } from "../app/session";
import type { Flame } from "../app/connect";
import { kindColour, type ThemeName } from "../flame/palette";
import { formatCount, formatShare } from "../model/format";
import { KIND_COUNT, kindWord } from "../model/kind";
import { shortName } from "../model/names";
import { kindShares, rankFunctions } from "../model/totals";
import { fact, presencePart } from "./details";
import { button, el } from "./dom";
import { visitFunction } from "./visit";

const FUNCTIONS_SHOWN = 10;

export function summary(session: Session, theme: ThemeName, flame: Flame): HTMLElement[] {
  const { header } = session.profile;
  const whole = session.amount;
  const title = el("h2", "", "Whole profile");
  if (whole === 0) return [title, el("p", "muted", `no ${header.unit}`)];
  return [
    title,
    el("p", "muted", "select a frame for its stack"),
    fact(header.unit, formatCount(whole)),
    el("h3", "", "Time by kind"),
    ...kindRows(session, theme, whole),
    el("h3", "", "Most self time"),
    el("ol", "top", ...functionRows(session, flame, whole)),
    ...presencePart(session, 0),
  ];
}

function kindRows(session: Session, theme: ThemeName, whole: number): HTMLElement[] {
  const shares = kindShares(session.profile, session.totals);
  const rows: HTMLElement[] = [];
  for (let kind = 0; kind < KIND_COUNT; kind++) {
    if (shares[kind] === 0) continue;
    const bar = el("i");
    bar.style.width = `${(100 * shares[kind]!) / whole}%`;
    bar.style.backgroundColor = kindColour(theme, kind);
    const row = fact(kindWord(kind), formatShare(shares[kind]!, whole));
    row.classList.add("kind");
    row.append(el("span", "bar", bar));
    rows.push(row);
  }
  return rows;
}

function functionRows(session: Session, flame: Flame, whole: number): HTMLElement[] {
  const { functions, header } = session.profile;
  const { totals } = session;
  const ranked = rankFunctions(totals, "self").filter((fn) => totals.self[fn]! > 0);
  return ranked.slice(0, FUNCTIONS_SHOWN).map((fn) => {
    const name = header.strings[functions.name[fn]!]!;
    return el(
      "li",
      "",
      button(
        "row",
        name,
        () => visitFunction(session, flame, fn),
        el("span", "name", shortName(name)),
        el("span", "value", formatShare(totals.self[fn]!, whole)),
      ),
    );
  });
}
