// Checks a real exported page in Chromium: `node tests/page/page.mjs PAGE.html TERM`.
// PAGE.html is opened from the file system; TERM is a search that must match. Options:
// --screenshots DIR writes pictures in both themes and two sizes, --no-plumbing is for
// recordings without cgo, --executable PATH names the browser, --only TEXT runs the checks that
// have it in their names. `npm ci` in ui/ first.

import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { launch } from "./browser.mjs";
import { checks } from "./checks.mjs";
import { extremes } from "./extremes.mjs";
import { takeScreenshots } from "./screenshots.mjs";
import { views } from "./views.mjs";

const { values, positionals } = parseArgs({
  options: {
    screenshots: { type: "string" },
    executable: { type: "string", default: "/usr/bin/chromium" },
    only: { type: "string", default: "" },
    "no-plumbing": { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const [file, term] = positionals;
if (!file || !term) {
  console.error(
    "usage: node tests/page/page.mjs [--screenshots DIR] [--no-plumbing] PAGE.html TERM",
  );
  process.exit(2);
}

const browser = await launch(values.executable);
let failed = 0;
try {
  for (const [name, check] of Object.entries({ ...checks, ...views, ...extremes })) {
    if (!name.includes(values.only)) continue;
    if (values["no-plumbing"] && check.needsPlumbing) {
      console.log(`SKIPPED ${name}: asked with --no-plumbing`);
      continue;
    }
    failed += await run(name, check);
  }
  if (values.screenshots) {
    await mkdir(values.screenshots, { recursive: true });
    await takeScreenshots(browser, file, term, values.screenshots);
  }
} finally {
  await browser.close();
}
console.log(failed === 0 ? "page: all checks passed" : `page: ${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);

/** Each check gets a page of its own; what the page logged or requested counts as well. */
async function run(name, check) {
  let opened;
  try {
    opened = await browser.open(file, {});
    await check(opened.page, { file, term, browser });
    opened.assertQuiet();
    console.log(`ok      ${name}`);
    return 0;
  } catch (error) {
    const reasons = [error.message, ...(opened?.faults ?? [])].join("\n").split("\n");
    console.log(`FAILED  ${name}\n        ${reasons.join("\n        ")}`);
    return 1;
  } finally {
    await opened?.close();
  }
}
