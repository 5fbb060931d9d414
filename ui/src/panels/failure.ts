// The message instead of a blank page when the data can't be shown.

import { DataError } from "../model/container";
import { attribute, el } from "./dom";

export function showFailure(error: unknown): void {
  const known = error instanceof DataError;
  const reason = error instanceof Error ? error.message : String(error);
  const card = el(
    "div",
    "failure",
    el("h1", "", "This page can't show its profile"),
    el("p", "", `${reason}.`),
    el(
      "p",
      "muted",
      known
        ? "Export the recording again with a matching version of seam."
        : "This is a fault of the page; please report that sentence.",
    ),
  );
  attribute(card, "role", "alert");
  document.body.replaceChildren(card);
  document.body.className = "failed";
  document.documentElement.dataset.seam = "failed";
}
