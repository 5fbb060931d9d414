// The line at the bottom: the main keys, and what the graph was drawn from, so that a
// reader knows whether anything is left out.

import type { Session } from "../app/session";
import type { FlameStats } from "../flame/view";
import { formatAmount, formatCount } from "../model/format";
import { byId, calmly, el } from "./dom";

const KEYS = "click zoom · Esc back · / search · s sandwich · i flip · t table · ? all keys";

export function buildFooter(session: Session): (stats: FlameStats) => void {
  const drawn = el("span");
  drawn.id = "drawn";
  byId("footer").append(el("span", "", KEYS), drawn);
  let merged = 0;
  let before = "";
  const update = calmly(() => {
    const { header } = session.profile;
    const all = session.profile.tree("folded").total[0]!;
    const shown = session.tree.total[0]!;
    const part = shown === all ? "" : `${formatCount(shown)} of `;
    const from = `drawn from ${part}${formatAmount(all, header.unit)}`;
    const rest =
      merged === 0
        ? "nothing hidden"
        : `${formatCount(merged)} narrow frames gathered in bars, click one to open it`;
    const text = `${from}, ${rest}`;
    if (text !== before) drawn.textContent = before = text;
  });
  return (stats) => {
    merged = stats.merged;
    update();
  };
}
