// Entry of the page: loads the data, builds the session and the parts of the screen and
// connects them. Owns the order of opening and the message when it fails; each part lives
// in its own file.

import { decodeView, encodeView } from "../model/hash";
import { readProfile } from "../model/profile";
import { buildDetails } from "../panels/details";
import { buildFooter } from "../panels/footer";
import { showFailure } from "../panels/failure";
import { buildHeader } from "../panels/header";
import { buildHelp } from "../panels/help";
import { buildTable } from "../panels/table";
import { buildToolbar } from "../panels/toolbar";
import { byId } from "../panels/dom";
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
  bindKeys(session, flame, { search, help });
  keepHash(session);
  session.restore(decodeView(location.hash));
  if (session.selected >= 0) flame.view.reveal(session.tree.depth[session.selected]!);
  byId("flame").focus({ preventScroll: true });
}

/** State goes to the fragment after a pause, and back when the reader edits it. */
function keepHash(session: Session): void {
  let timer = 0;
  let written = location.hash.slice(1);
  session.onChange(() => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      written = encodeView(session.view);
      if (written !== location.hash.slice(1)) history.replaceState(null, "", `#${written}`);
    }, HASH_DELAY_MS);
  });
  window.addEventListener("hashchange", () => {
    if (location.hash.slice(1) !== written) session.restore(decodeView(location.hash));
  });
}

open().catch(showFailure);
