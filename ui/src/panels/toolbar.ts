// The row above the graph: plumbing, groups, order, chips for what narrows the view, search
// result, and the legend of kinds. Owns their texts; every chip undoes or toggles what it says.

import { on } from "../flame/on";
import type { Session } from "../app/session";
import { step } from "../app/keys";
import type { Flame } from "../app/connect";
import { describeNode } from "../model/describe";
import { FRAME, type FilterMode, filterWords } from "../model/filter";
import { NO_NODE } from "../model/navigate";
import { shortName } from "../model/names";
import { formatCount, formatShare } from "../model/format";
import { Kind, KIND_TAGS, KIND_WORDS } from "../model/kind";
import { kindShares } from "../model/totals";
import type { ThemeName } from "../flame/palette";
import { kindColour } from "../flame/palette";
import { attribute, button, byId, calmly, el, oncePerFrame } from "./dom";

export function buildToolbar(session: Session, themeOf: () => ThemeName, flame: Flame): void {
  const plumbing = button("chip", "show or fold the cgo machinery (p)", () =>
    session.wish({ plumbing: !session.wishes.plumbing }),
  );
  const timed = button("chip", "the heaviest first, or as the samples came (o)", () =>
    session.wish({ timed: !session.wishes.timed }),
  );
  plumbing.id = "plumbing";
  timed.id = "timed";
  const group = groupSelect(session);
  const chips = el("div", "chips");
  const result = el("div", "result");
  result.id = "result";
  const legend = el("div", "legend");
  byId("toolbar").append(plumbing, ...(group ? [group, timed] : []), chips, result, legend);

  const fill = (): void => {
    const { wishes } = session;
    plumbing.textContent = wishes.plumbing ? "cgo plumbing shown" : "cgo plumbing folded";
    timed.textContent = wishes.timed ? "in order of time" : "heaviest first";
    attribute(plumbing, "aria-pressed", `${wishes.plumbing}`);
    attribute(timed, "aria-pressed", `${wishes.timed}`);
    if (group) group.value = wishes.group;
    updateChips(session, flame, chips);
  };
  const update = oncePerFrame(fill);
  const updateCalmly = calmly(fill);
  const updateSearch = oncePerFrame(() => updateResult(session, flame, result));
  const updateLegend = oncePerFrame(() => fillLegend(session, themeOf(), legend));
  session.onChange((change) => {
    (change === "pan" ? updateCalmly : update)();
    if (change === "search" || change === "selection" || change === "tree") updateSearch();
    if (change === "theme" || change === "tree") updateLegend();
  });
}

/** Absent where the data tells no samples apart. */
function groupSelect(session: Session): HTMLSelectElement | null {
  if (session.dimensions.length === 0) return null;
  const select = el("select", "chip", el("option", "", "no groups"));
  select.id = "group";
  select.title = "group by (g)";
  attribute(select, "aria-label", select.title);
  select.options[0]!.value = "";
  for (const { id } of session.dimensions) {
    const option = el("option", "", `by ${id.replace(":", " ")}`);
    option.value = id;
    select.append(option);
  }
  on(select, "change", () => session.wish({ group: select.value }));
  return select;
}

/** What narrows the view, each with a way to take it back. */
function updateChips(session: Session, flame: Flame, host: HTMLElement): void {
  const { zoom, profile, tree, wishes, dimensions, amount } = session;
  const chips: HTMLElement[] = [];
  const add = (id: string, title: string, text: string, remove: () => void): void => {
    const leave = (): void => {
      remove();
      flame.view.scroller.focus();
    };
    const chip = button("chip removable", title, leave, el("span", "", text), " ×");
    chip.id = id;
    attribute(chip, "aria-label", `${text}: ${title}`);
    on(chip, "keydown", (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      leave();
    });
    chips.push(chip);
  };
  for (const filter of wishes.filters) {
    const filters = wishes.filters.filter((other) => other !== filter);
    const text = filterWords(filter, dimensions);
    add("", "remove this filter (Del)", text, () => session.wish({ filters }));
  }
  if (wishes.middle >= 0) {
    const name = profile.header.strings[profile.functions.name[wishes.middle]!]!;
    add("middle", "back to the whole stacks (Esc)", `sandwich: ${shortName(name)}`, () =>
      session.wish({ middle: NO_NODE }),
    );
  }
  if (zoom.zoomed) {
    const { from, to, node } = zoom.current;
    const name =
      node >= 0
        ? describeNode(profile, tree, node).short
        : `${formatShare(to - from, amount)} of the width`;
    add("zoom", "back to the whole graph (0)", `zoomed: ${name}`, () =>
      session.resetZoom(),
    );
  }
  const texts = chips.map((chip) => chip.textContent).join("\n");
  if (texts === host.dataset.key) return;
  host.dataset.key = texts;
  host.replaceChildren(...chips);
}

const MODES: readonly FilterMode[] = ["only", "without", "hide"];

function updateResult(session: Session, flame: Flame, result: HTMLElement): void {
  const { pattern, matched, amount } = session;
  result.hidden = !pattern;
  if (!pattern || !matched) return;
  const count = matched.nodes.length;
  const number = session.matchNumber;
  const share = formatShare(matched.samples, amount);
  const which = number > 0 ? `${formatCount(number)} of ${formatCount(count)}` : formatCount(count);
  const text = count === 0 ? "no match" : `${share} · ${which}`;
  result.replaceChildren(el("span", "quoted", `“${pattern.text}”`), el("span", "", ` ${text}`));
  if (count > 0) {
    result.append(
      button("bare", "previous match (N)", () => step(session, flame, -1), "⟨"),
      button("bare", "next match (n)", () => step(session, flame, 1), "⟩"),
    );
    for (const mode of session.profile.hasSamples ? MODES : []) {
      const words = filterWords({ mode, by: FRAME, value: pattern.text }, []);
      const apply = (): void => {
        session.addFilter({ mode, by: FRAME, value: pattern.text });
        session.search("");
      };
      result.append(button("bare", words, apply, mode));
    }
  }
  result.append(button("bare", "end the search", () => session.search(""), "×"));
  if (pattern.problem) result.append(el("span", "problem", pattern.problem));
  result.dataset.share = count === 0 ? "0" : String((100 * matched.samples) / amount);
}

const LEGEND_ORDER = [Kind.Go, Kind.GoRuntime, Kind.C, Kind.Kernel, Kind.Edge, Kind.Unknown];

function fillLegend(session: Session, theme: ThemeName, legend: HTMLElement): void {
  const { profile, totals, amount } = session;
  const shares = kindShares(profile, totals);
  legend.replaceChildren(
    ...LEGEND_ORDER.map((kind) => {
      const swatch = el("i", kind === Kind.Edge ? "hatched" : "", KIND_TAGS[kind]!);
      swatch.style.backgroundColor = kindColour(theme, kind);
      const share = formatShare(shares[kind]!, amount);
      const shown = el("span", "share", kind === Kind.Edge ? "" : share);
      const title = `${share} of the samples end in ${KIND_WORDS[kind]}`;
      const entry = [swatch, KIND_WORDS[kind]!, shown];
      const plain = el("span", "", ...entry);
      plain.title = title;
      if (!profile.hasSamples || shares[kind] === 0) return plain;
      const only = (): void => session.addFilter({ mode: "only", by: "kind", value: `${kind}` });
      return button("bare", `${title}; click for only these`, only, ...entry);
    }),
  );
}
