// Entry of the page: loads the data, builds the session and the parts of the screen and
// connects them. Owns the order of opening and the message when it fails; each part lives
// in its own file.

import { decodeView, encodeView } from "../model/hash";
import { readProfile } from "../model/profile";
import { buildDetails } from "../panels/details";
import { buildFooter } from "../panels/footer";
import { showFailure } from "../panels/failure";
import { buildFrames } from "../panels/frames";
import { buildHeader } from "../panels/header";
import { buildHelp } from "../panels/help";
import { buildTable } from "../panels/table";
import { buildToolbar } from "../panels/toolbar";

import { loadData } from "./load";
import { connectFlame } from "./connect";
import { bindKeys } from "./keys";
import { Session } from "./session";
import { followTheme } from "./theme";

const HASH_DELAY_MS = 150;

async function open(): Promise<void> {
  const session = new Session(readProfile(await loadData()));
  document.body.classList.add("ready");
  const themeOf = followTheme(session);
  const footer = buildFooter(session);
  const flame = connectFlame(session, themeOf, (stats) => {
    footer(stats);
    // Tests and scripts wait for this mark: the first frame is on the canvas.
    document.documentElement.dataset.seam = "ready";
  });
  const help = buildHelp();
  const search = buildHeader(session, help);
  buildToolbar(session, themeOf, flame);
  buildDetails(session, themeOf, flame);
  buildTable(session, flame);
  buildFrames(session, flame);
  bindKeys(session, flame, { search, help });
  keepHash(session);
  if (session.selected >= 0) flame.view.reveal(session.tree.depth[session.selected]!);
}

/** State goes to the fragment after a pause, and comes back from it when the reader goes back,
 *  edits it or opens the page with it. What shows something else is a step of the history. */
function keepHash(session: Session): void {
  let timer = 0;
  let written: string | null = null;
  let step = false;
  const apply = (): void => {
    const hash = location.hash.slice(1);
    if (hash === written) return;
    written = hash;
    session.restore(decodeView(hash));
    step = false;
  };
  session.onChange((change) => {
    step ||= change === "zoom" || change === "tree";
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      written = encodeView(session.view);
      const url = `#${written}`;
      if (written === location.hash.slice(1)) return;
      if (step) history.pushState(null, "", url);
      else history.replaceState(null, "", url);
      step = false;
    }, HASH_DELAY_MS);
  });
  for (const type of ["popstate", "hashchange"]) window.addEventListener(type, apply);
  apply();
}

open().catch(showFailure);
