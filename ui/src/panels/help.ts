// The overlay with keys and what the picture means. Uses the browser's dialog, which
// brings Esc, focus and the backdrop.

import { on } from "../flame/on";
import { button, el } from "./dom";

export interface Help {
  open(): void;
  isOpen(): boolean;
}

/** Keys, and after the colon what they do. */
const KEYS = `click: select a frame and zoom to it, open a + bar
Esc, Backspace: back out one step
drag, wheel: pan, scroll
Ctrl + wheel, + −: zoom
arrows: parent, child, siblings of the selected frame
Enter: zoom to the selected frame
Home, End: whole graph, heaviest leaf below
PgUp, PgDn: scroll
/: search: a regular expression, in any case
n, N: next, previous match
s: sandwich: callers and callees of the selected function
i: icicle or flame: root on top or below
o: the heaviest first, or in order of time
g: group by thread, goroutine, …
p: show or fold cgo plumbing
t, y: table of functions, of frames as a tree
Del: on a chip: remove it
d: light or dark
0: whole graph`;

export function buildHelp(): Help {
  const list = el(
    "dl",
    "",
    ...KEYS.split("\n").flatMap((row) => {
      const [keys, what] = row.split(/: (.*)/);
      return [el("dt", "", keys!), el("dd", "", what!)];
    }),
  );
  const dialog = el(
    "dialog",
    "help",
    el("h2", "", "Reading this page"),
    el(
      "p",
      "",
      "A box is a function on the stack, its width its share of the samples. ",
      "Callers are towards the root, what it calls on the other side. ",
      "Kinds are told by colour and by sign, as in the legend; boxes without a sign are Go. ",
      "Hatched boxes are crossings between Go and C: ↳ a cgo call, ↲ a callback.",
    ),
    list,
    button("chip", "", () => dialog.close(), "close"),
  );
  on(dialog, "click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return { open: () => dialog.showModal(), isOpen: () => dialog.open };
}
