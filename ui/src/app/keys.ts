// The keyboard: one table from keys to actions. Owns which keys exist and when they are
// left to the browser; panels/help.ts lists them for the reader.

import { on } from "../flame/on";
import {
  firstChild,
  heaviestLeaf,
  nextSibling,
  NO_NODE,
  parentOf,
  previousSibling,
} from "../model/navigate";
import { scaleSpan } from "../model/zoom";
import type { Help } from "../panels/help";
import type { Flame } from "./connect";
import type { Session } from "./session";
import { toggleTheme } from "./theme";

export interface KeyTargets {
  search: HTMLInputElement;
  help: Help;
}

type Actions = Record<string, () => void>;

const ZOOM_STEP = 0.7;

export function bindKeys(session: Session, flame: Flame, targets: KeyTargets): void {
  const actions = { ...moves(session, flame), ...views(session, flame, targets) };
  on(document, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || targets.help.isOpen()) return;
    const inside = (selector: string): boolean =>
      event.target instanceof Element && event.target.closest(selector) !== null;
    const { key } = event;
    if (event.defaultPrevented || inside("input")) return;
    // Enter and blank belong to the control that has the focus; a list keeps the arrows too.
    if (inside("button,tr,select") && (key === "Enter" || key === " ")) return;
    if (inside("select") && key.length > 1) return;
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  bindSearchKeys(session, flame, targets.search);
}

function moves(session: Session, flame: Flame): Actions {
  const go = (move: (node: number) => number): void => {
    const node = session.selected < 0 ? session.focus : move(session.selected);
    if (node !== NO_NODE) flame.visit(node);
  };
  const up = (): void => go((node) => parentOf(session.tree, node));
  const down = (): void => go((node) => firstChild(session.tree, node));
  return {
    // "Up" is up on the screen, whichever way the root is.
    ArrowUp: () => (session.flipped ? down() : up()),
    ArrowDown: () => (session.flipped ? up() : down()),
    ArrowLeft: () => go((node) => previousSibling(session.tree, node)),
    ArrowRight: () => go((node) => nextSibling(session.tree, node)),
    Home: () => {
      session.resetZoom();
      flame.visit(0);
    },
    End: () => flame.visit(heaviestLeaf(session.tree, Math.max(0, session.selected))),
    Enter: () => {
      if (session.selected >= 0) session.zoomTo(session.selected);
    },
    Escape: () => {
      if (!session.back()) session.select(NO_NODE);
    },
    Backspace: () => void session.back(),
    n: () => step(session, flame, 1),
    N: () => step(session, flame, -1),
  };
}

function views(session: Session, flame: Flame, targets: KeyTargets): Actions {
  const scale = (factor: number): void => {
    const { current } = session.zoom;
    const center = (current.from + current.to) / 2;
    session.adjust(scaleSpan(current, center, factor, session.extent));
  };
  const scroll = (pages: number): void => {
    const { scroller } = flame.view;
    scroller.scrollTop += pages * scroller.clientHeight * 0.9;
  };
  return {
    "/": () => {
      targets.search.focus();
      targets.search.select();
    },
    "?": () => targets.help.open(),
    p: () => session.wish({ plumbing: !session.wishes.plumbing }),
    i: () => session.setFlipped(!session.flipped),
    o: () => session.wish({ timed: !session.wishes.timed }),
    s: () => toggleSandwich(session),
    g: () => document.getElementById("group")?.focus(),
    t: () => session.setTable(session.table === 1 ? 0 : 1),
    y: () => session.setTable(session.table === 2 ? 0 : 2),
    d: () => toggleTheme(session),
    "+": () => scale(ZOOM_STEP),
    "=": () => scale(ZOOM_STEP),
    "-": () => scale(1 / ZOOM_STEP),
    "0": () => session.resetZoom(),
    PageUp: () => scroll(-1),
    PageDown: () => scroll(1),
  };
}

/** The selected function in the middle, or back to the whole graph. */
export function toggleSandwich(session: Session): void {
  const { wishes, selected, tree, profile } = session;
  if (selected === 0 && wishes.middle >= 0) session.wish({ middle: NO_NODE });
  else if (selected >= 0) session.wish({ middle: profile.frames.fn[tree.frame[selected]!]! });
}

function bindSearchKeys(session: Session, flame: Flame, search: HTMLInputElement): void {
  on(search, "keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      session.search(search.value);
      step(session, flame, event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      session.search("");
      flame.view.scroller.focus();
    }
  });
}

export function step(session: Session, flame: Flame, direction: 1 | -1): void {
  const node = session.step(direction);
  if (node !== NO_NODE) flame.reveal(node);
}
