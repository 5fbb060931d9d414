// Copies the selected stack as plain text, leaf first. Pages opened from a file may lack
// the clipboard interface; then a selected text area does it.

import type { Session } from "../app/session";
import { describeNode } from "../model/describe";
import { heaviestLeaf, pathToRoot } from "../model/navigate";
import { el } from "./dom";

export function copyStack(session: Session, shown: HTMLElement): void {
  const { tree, profile, selected } = session;
  const text = pathToRoot(tree, heaviestLeaf(tree, selected))
    .map((node) => {
      const facts = describeNode(profile, tree, node);
      return facts.place ? `${facts.name}  ${facts.place}` : facts.name;
    })
    .join("\n");
  const done = (): void => {
    shown.textContent = "copied";
  };
  if (!navigator.clipboard) return copyBySelection(text, done);
  navigator.clipboard.writeText(text).then(done, () => copyBySelection(text, done));
}

function copyBySelection(text: string, done: () => void): void {
  const area = el("textarea", "hidden", text);
  document.body.append(area);
  area.select();
  if (document.execCommand("copy")) done();
  area.remove();
}
