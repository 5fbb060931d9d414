// The overlay with keys and what the picture means. Uses the browser's dialog, which
// brings Esc, focus and the backdrop.

import { KIND_WORDS } from "../model/kind";
import { button, el } from "./dom";

export interface Help {
  open(): void;
  isOpen(): boolean;
}

const KEYS: readonly (readonly [string, string])[] = [
  ["click", "select and zoom to a frame; a + bar opens what it holds"],
  ["Esc, Backspace", "back out one step"],
  ["drag, wheel", "pan, scroll"],
  ["Ctrl + wheel, + −", "zoom around the pointer, the middle"],
  ["arrows", "parent, child, siblings of the selected frame"],
  ["Enter", "zoom to the selected frame"],
  ["Home, End", "whole graph, heaviest leaf below"],
  ["/", "search: a regular expression, upper and lower case alike"],
  ["n, N", "next, previous match"],
  ["p", "show or fold cgo plumbing"],
  ["i", "root on top or at the bottom"],
  ["t", "table of functions"],
  ["d", "light or dark"],
  ["0", "whole graph"],
];

export function buildHelp(): Help {
  const list = el(
    "dl",
    "",
    ...KEYS.flatMap(([keys, what]) => [el("dt", "", keys), el("dd", "", what)]),
  );
  const dialog = el(
    "dialog",
    "help",
    el("h2", "", "Reading this page"),
    el(
      "p",
      "",
      "A box is a function on the stack; its width is its share of the samples. ",
      "Its callers are towards the root, what it calls is on the other side. ",
      `Kinds are told by colour and by word: ${KIND_WORDS.slice(0, 6).join(", ")}. `,
      "Hatched boxes with an arrow are crossings between Go and C: ↳ a cgo call, ↲ a callback.",
    ),
    list,
    button("chip", "", () => dialog.close(), "close"),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return { open: () => dialog.showModal(), isOpen: () => dialog.open };
}
