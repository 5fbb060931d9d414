// Starts Chromium with nothing of its own going on, opens pages from files and watches for
// requests and errors. Owns the browser; what is checked is in checks.mjs.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The dependency is declared once, by the page's own package.
const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))(
  "playwright-core",
);

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const OPEN_MS = 15000;

export async function launch(executablePath) {
  const browser = await chromium.launch({ executablePath, args: ARGS });
  return {
    open: (file, options) => open(browser, file, options),
    close: () => browser.close(),
  };
}

async function open(
  browser,
  file,
  { hash = "", scheme = "light", width = 1200, height = 800, scale = 1, init } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    deviceScaleFactor: scale,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  if (init) await page.addInitScript(init);
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    if (!request.isNavigationRequest() || !request.url().startsWith("file:")) {
      faults.push(`request: ${request.url().slice(0, 200)}`);
    }
  });
  await page.goto(pathToFileURL(resolve(file)).href + (hash ? `#${hash}` : ""));
  await page
    .waitForFunction(() => document.documentElement.dataset.seam, null, { timeout: OPEN_MS })
    .catch((error) => faults.push(`never ready: ${error.message}`));
  return {
    page,
    faults,
    assertQuiet() {
      if (faults.length > 0) throw new Error(faults.join("\n"));
    },
    close: () => context.close(),
  };
}
