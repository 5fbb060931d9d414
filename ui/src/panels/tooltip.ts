// The box beside the pointer: what the hovered frame is and weighs, or what a bar of
// narrow frames stands for. Owns its text and its place on the screen.

import type { Pane, Session } from "../app/session";
import type { Target } from "../flame/view";
import { describeNode, edgeArrow } from "../model/describe";
import { formatCount, formatShare } from "../model/format";
import { matchesBetween } from "../model/search";
import { byId, el } from "./dom";

export interface Tooltip {
  show(pane: Pane, target: Target, clientX: number, clientY: number): void;
  hide(): void;
}

const OFFSET_PX = 14;

export function buildTooltip(session: Session): Tooltip {
  const box = byId("tooltip");
  let shown = -1;
  return {
    show(pane, target, clientX, clientY) {
      const key = target.merged > 0 ? -2 - target.node : target.node;
      if (shown !== key) {
        box.replaceChildren(
          ...(target.merged > 0 ? barText(session, pane, target) : nodeText(session, pane, target.node)),
        );
        shown = key;
      }
      box.hidden = false;
      place(box, clientX, clientY);
    },
    hide() {
      box.hidden = true;
      shown = -1;
    },
  };
}

function nodeText(session: Session, { tree }: Pane, node: number): HTMLElement[] {
  const { profile, totals, amount: whole } = session;
  const facts = describeNode(profile, tree, node);
  const weigh = (part: number): string => `${formatShare(part, whole)} · ${formatCount(part)}`;
  const arrow = facts.isEdge ? `${edgeArrow(facts.isCallback)} ` : "";
  const about = [facts.kindText, ...facts.remarks].join(" · ");
  const where = [facts.placeShort, facts.module].filter((text) => text !== "").join(" · ");
  const lines = [
    el("b", "", arrow + facts.name),
    el("div", "muted", about),
    row("total", weigh(facts.total)),
  ];
  if (!tree.inverted) lines.push(row("self", weigh(facts.self)));
  const instances = totals.instances[facts.fn]!;
  if (instances > 1) {
    lines.push(row(`all ${formatCount(instances)} instances`, weigh(totals.total[facts.fn]!)));
  }
  if (where) lines.push(el("div", "muted", where));
  return lines;
}

function barText(session: Session, { matched }: Pane, target: Target): HTMLElement[] {
  const frames = target.merged === 1 ? "frame" : "frames";
  const lines = [
    el("b", "", `+${formatCount(target.merged)} ${frames}`),
    el("div", "muted", "too narrow to draw; click to zoom in"),
    row("width", formatShare(target.span.to - target.span.from, session.amount)),
  ];
  const found = matched ? matchesBetween(matched, target.node, target.mergedEnd) : 0;
  if (found > 0) lines.push(row("matches inside", formatCount(found)));
  return lines;
}

function row(label: string, value: string): HTMLElement {
  return el("div", "row", el("span", "", label), el("span", "", value));
}

function place(box: HTMLElement, clientX: number, clientY: number): void {
  const { offsetWidth, offsetHeight } = box;
  const right = clientX + OFFSET_PX + offsetWidth < innerWidth;
  const below = clientY + OFFSET_PX + offsetHeight < innerHeight;
  const left = right ? clientX + OFFSET_PX : Math.max(4, clientX - OFFSET_PX - offsetWidth);
  const top = below ? clientY + OFFSET_PX : Math.max(4, clientY - OFFSET_PX - offsetHeight);
  box.style.transform = `translate(${left}px,${top}px)`;
}
