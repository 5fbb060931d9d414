// The panel at the right: the selected frame with its weight, its whole stack and who ran
// it; without a selection a summary of the whole profile (summary.ts).

import type { Session } from "../app/session";
import type { Flame } from "../app/connect";
import type { ThemeName } from "../flame/palette";
import { describeNode, edgeArrow, type NodeFacts } from "../model/describe";
import { formatCount, formatShare } from "../model/format";
import { baseName } from "../model/names";
import { heaviestLeaf } from "../model/navigate";
import { presenceBelow } from "../model/presence";
import { wholeStack } from "../model/stack";
import { FRAME, type FilterMode } from "../model/filter";
import { Kind } from "../model/kind";
import { exactly } from "../model/search";
import { toggleSandwich } from "../app/keys";
import { attribute, byId, button, el, oncePerFrame } from "./dom";
import { copyStack } from "./copy";
import { summary } from "./summary";

export function buildDetails(session: Session, themeOf: () => ThemeName, flame: Flame): void {
  const panel = byId("details");
  const update = oncePerFrame(() => {
    const parts =
      session.selected < 0 ? summary(session, themeOf(), flame) : selection(session, flame);
    panel.replaceChildren(...parts);
    panel.scrollTop = 0;
  });
  session.onChange((change) => {
    if (change === "selection" || change === "tree" || change === "theme") update();
  });
}

function selection(session: Session, flame: Flame): HTMLElement[] {
  const { tree, profile, selected, totals, amount: whole } = session;
  const facts = describeNode(profile, tree, selected);
  const weigh = (part: number): string => `${formatShare(part, whole)} · ${formatCount(part)}`;
  const title = el("h2", "", facts.isEdge ? `${edgeArrow(facts.isCallback)} ` : "", facts.short);
  title.title = facts.name;
  const about = [facts.kindText, facts.placeShort, ...facts.remarks].filter((text) => text !== "");
  const subtitle = el("p", "muted", about.join(" · "));
  if (facts.place) subtitle.title = facts.place;
  const parts = [
    title,
    subtitle,
    fact("this frame", weigh(facts.total)),
    fact("all instances", weigh(totals.total[facts.fn]!)),
  ];
  if (!tree.inverted) parts.push(fact("self", weigh(facts.self)));
  if (facts.module) parts.push(fact("module", baseName(facts.module), facts.module));
  parts.push(el("div", "actions", ...actions(session, facts)));
  return [...parts, ...stackPart(session, flame), ...presencePart(session, selected)];
}

/** What can be asked about the selected frame, as buttons. */
function actions(session: Session, { kind, name }: NodeFacts): HTMLElement[] {
  const { tree, selected, whole, wishes } = session;
  const group = whole.groups?.get(tree.frame[selected]!);
  const by = group === undefined ? FRAME : wishes.group;
  const value = group ?? exactly(name);
  const filter = (mode: FilterMode, title: string): HTMLElement =>
    button("chip", title, () => session.addFilter({ mode, by, value }), mode);
  const filters = [
    filter("only", "only samples with this on their stack"),
    filter("without", "leave out samples with this on their stack"),
  ];
  if (group !== undefined) return filters;
  if (kind === Kind.Root) return [];
  return [
    button("chip", "callers above, callees below (s)", () => toggleSandwich(session), "sandwich"),
    ...filters,
    filter("hide", "take these frames out of their stacks"),
  ];
}

export function fact(label: string, value: string, title = ""): HTMLElement {
  const shown = el("span", "value", value);
  shown.title = title;
  return el("div", "row", el("span", "", label), shown);
}

function stackPart(session: Session, flame: Flame): HTMLElement[] {
  const { tree, selected } = session;
  const stack = wholeStack(tree, selected);
  const copy = button("bare", "copy the stack as text", () => copyStack(session, copy), "copy");
  const list = el("ol", "stack");
  const leaf = (): void => flame.visit(heaviestLeaf(tree, selected));
  if (stack.omittedBelow > 0) list.append(omitted(stack.omittedBelow, leaf));
  for (const node of stack.nodes) list.append(stackRow(session, flame, node));
  if (stack.omittedAbove > 0) list.append(omitted(stack.omittedAbove, () => flame.visit(0)));
  // Callers stand below the called, whichever of them the tree begins with.
  if (tree.inverted) list.append(...[...list.children].reverse());
  return [el("h3", "", "Whole stack", copy), list];
}

function omitted(count: number, onClick: () => void): HTMLElement {
  const text = `… ${formatCount(count)} more frames`;
  return el("li", "edge", button("", "go to the end of the stack", onClick, text));
}

function stackRow(session: Session, flame: Flame, node: number): HTMLElement {
  const { tree, profile, selected } = session;
  const facts = describeNode(profile, tree, node);
  const visit = button("", facts.name, () => flame.visit(node), ...stackText(facts));
  const item = el("li", facts.isEdge ? "edge" : "", visit);
  if (node === selected) attribute(item, "aria-current", "true");
  // Below the selection the stack is one of many: the heaviest.
  if (node > selected) item.classList.add("below");
  return item;
}

function stackText(facts: NodeFacts): (string | HTMLElement)[] {
  if (!facts.isEdge) return [facts.short, " ", el("span", "muted", facts.placeShort)];
  const word = facts.isCallback ? "callback" : "cgo call";
  const place = facts.placeShort ? ` · ${facts.placeShort}` : "";
  return [`${edgeArrow(facts.isCallback)} ${word}, depth ${facts.callDepth}${place}`];
}

export function presencePart(session: Session, node: number): HTMLElement[] {
  const { samples, hasSamples } = session.profile;
  if (!hasSamples || !session.tree.leaf) return [];
  const found = presenceBelow(samples, session.tree, node);
  return [
    el("h3", "", "On"),
    fact("goroutines", formatCount(found.goroutines)),
    fact("threads", formatCount(found.threads)),
    fact("M held its P", formatShare(found.heldP, found.heldP + found.lostP)),
  ];
}
