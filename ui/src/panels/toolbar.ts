// The row of chips above the graph: plumbing, zoom, search result, and the legend of
// kinds. Owns their texts; every chip is a button that undoes or toggles what it says.

import type { Session } from "../app/session";
import { step } from "../app/keys";
import type { Flame } from "../app/connect";
import { describeNode } from "../model/describe";
import { formatCount, formatShare } from "../model/format";
import { KIND, KIND_WORDS } from "../model/kind";
import { kindShares } from "../model/totals";
import type { ThemeName } from "../flame/palette";
import { kindColour } from "../flame/palette";
import { button, byId, calmly, el, oncePerFrame } from "./dom";

export function buildToolbar(session: Session, themeOf: () => ThemeName, flame: Flame): void {
  const plumbing = button("chip", "show or fold the frames of the cgo machinery (p)", () =>
    session.setPlumbing(!session.plumbing),
  );
  plumbing.id = "plumbing";
  const zoom = button("chip zoom", "back to the whole graph (Esc goes back one step)", () =>
    session.resetZoom(),
  );
  zoom.id = "zoom";
  const result = el("div", "result");
  result.id = "result";
  const legend = el("div", "legend");
  byId("toolbar").append(plumbing, zoom, result, legend);

  const update = calmly(() => {
    plumbing.textContent = session.plumbing ? "cgo plumbing shown" : "cgo plumbing folded";
    plumbing.setAttribute("aria-pressed", String(session.plumbing));
    updateZoom(session, zoom);
  });
  const updateSearch = oncePerFrame(() => updateResult(session, flame, result));
  const updateLegend = oncePerFrame(() => fillLegend(session, themeOf(), legend));
  session.onChange((change) => {
    update();
    if (change === "search" || change === "selection" || change === "tree") updateSearch();
    if (change === "theme" || change === "tree") updateLegend();
  });
}

function updateZoom(session: Session, chip: HTMLButtonElement): void {
  const { zoom, profile, tree } = session;
  chip.hidden = !zoom.zoomed;
  if (!zoom.zoomed) return;
  const { from, to, node } = zoom.current;
  const name =
    node >= 0
      ? describeNode(profile, tree, node).short
      : `${formatShare(to - from, tree.total[0]!)} of the width`;
  chip.replaceChildren(el("span", "", `zoomed: ${name}`), " ×");
}

function updateResult(session: Session, flame: Flame, result: HTMLElement): void {
  const { pattern, matches, tree } = session;
  result.hidden = !pattern;
  if (!pattern || !matches) return;
  const count = matches.nodes.length;
  const number = session.matchNumber;
  const share = formatShare(matches.samples, tree.total[0]!);
  const which = number > 0 ? `${formatCount(number)} of ${formatCount(count)}` : formatCount(count);
  const text = count === 0 ? "no match" : `${share} · ${which}`;
  result.replaceChildren(el("span", "quoted", `“${pattern.text}”`), el("span", "", ` ${text}`));
  if (count > 0) {
    result.append(
      button("bare", "previous match (N)", () => step(session, flame, -1), "⟨"),
      button("bare", "next match (n)", () => step(session, flame, 1), "⟩"),
    );
  }
  result.append(button("bare", "end the search", () => session.search(""), "×"));
  if (pattern.problem) result.append(el("span", "problem", pattern.problem));
  result.dataset.share = count === 0 ? "0" : String((100 * matches.samples) / tree.total[0]!);
}

const LEGEND_ORDER = [KIND.go, KIND.goRuntime, KIND.c, KIND.kernel, KIND.edge, KIND.unknown];

function fillLegend(session: Session, theme: ThemeName, legend: HTMLElement): void {
  const shares = kindShares(session.profile, session.totals);
  const whole = session.tree.total[0]!;
  legend.replaceChildren(
    ...LEGEND_ORDER.map((kind) => {
      const swatch = el("i", kind === KIND.edge ? "hatched" : "");
      swatch.style.backgroundColor = kindColour(theme, kind);
      const share = formatShare(shares[kind]!, whole);
      const shown = el("span", "share", kind === KIND.edge ? "" : share);
      const entry = el("span", "", swatch, KIND_WORDS[kind]!, shown);
      entry.title = `${KIND_WORDS[kind]}: ${share} of the samples end here`;
      return entry;
    }),
  );
}
