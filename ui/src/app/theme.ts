// Light or dark: the reader's choice if made, the system's otherwise. Owns the attribute
// on the document that style.css looks at.

import { on } from "../flame/on";
import type { ThemeName } from "../flame/palette";
import type { Session } from "./session";

export function followTheme(session: Session): () => ThemeName {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = (): ThemeName => session.theme || (system.matches ? "dark" : "light");
  const apply = (): void => {
    document.documentElement.dataset.theme = current();
  };
  session.onChange((change) => {
    if (change === "theme") apply();
  });
  on(system, "change", () => session.setTheme(session.theme));
  apply();
  return current;
}

export function toggleTheme(session: Session): void {
  session.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}
