// What must hold for every exported page. Each check is a function that gets a fresh page
// and throws when something is wrong.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settled } from "./canvas.mjs";

const zoomChip = "#zoom";

async function opens(page) {
  assert.equal(await page.evaluate(() => document.documentElement.dataset.seam), "ready");
  assert.notEqual(await page.title(), "");
  assert.ok(!(await page.content()).includes("@SEAM_"), "a mark was not replaced");
  assert.match(await page.textContent("#drawn"), /drawn from [\d,]+/);
}

async function paints(page) {
  const { colours, rows } = await settled(page);
  assert.ok(colours > 8, `the canvas has only ${colours} colours`);
  assert.ok(rows > 2, `the graph has only ${rows} rows`);
}

async function searches(page, { term }) {
  await page.keyboard.press("/");
  await page.keyboard.type(term);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#result:not([hidden])");
  const share = Number(await page.getAttribute("#result", "data-share"));
  assert.ok(share > 0 && share <= 100, `"${term}" matched ${share} %`);
  await page.waitForFunction(() => / of /.test(document.getElementById("result").textContent));
  assert.notEqual(await page.textContent("#details h2"), "Whole profile");
}

async function toleratesBadPattern(page) {
  await page.fill("#search", "(*");
  await page.waitForSelector(".problem");
  assert.match(await page.textContent(".problem"), /plain text/);
}

async function zoomsAndReturns(page) {
  const whole = await settled(page);
  await clickIntoZoom(page);
  const zoomed = await settled(page);
  assert.notEqual(zoomed.checksum, whole.checksum, "zooming changed nothing");
  await page.keyboard.press("Escape");
  await page.waitForSelector(zoomChip, { state: "hidden" });
  assert.equal((await settled(page)).checksum, whole.checksum, "Esc did not restore the graph");
}

/** Clicks frames from the top until one of them is narrower than the graph. */
async function clickIntoZoom(page) {
  const box = await page.locator("#flame").boundingBox();
  for (let y = 30; y < box.height; y += 23) {
    await page.mouse.click(box.x + 20, box.y + y);
    await page.waitForTimeout(80);
    if (await page.isVisible(zoomChip)) return;
  }
  throw new Error("no click zoomed");
}

async function explainsOnHover(page) {
  const box = await page.locator("#flame").boundingBox();
  await page.mouse.move(box.x + 40, box.y + 34);
  await page.waitForSelector("#tooltip:not([hidden])");
  const text = await page.textContent("#tooltip");
  assert.match(text, /total.*%.*self.*%/);
}

async function movesByKeyboard(page) {
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.waitForSelector("#details .stack [aria-current]");
  const live = await page.textContent("#live");
  assert.match(live, /total/);
  await page.keyboard.press("End");
  await page.waitForFunction(
    (before) => document.getElementById("live").textContent !== before,
    live,
  );
  await page.keyboard.press("Home");
  await page.waitForSelector(zoomChip, { state: "hidden" });
}

async function togglesPlumbing(page) {
  const folded = await settled(page);
  await page.keyboard.press("p");
  await page.waitForSelector('#plumbing[aria-pressed="true"]');
  const full = await settled(page);
  assert.notEqual(full.rows, folded.rows, "showing the plumbing changed no depth");
  await page.click("#plumbing");
  assert.equal((await settled(page)).rows, folded.rows);
}
togglesPlumbing.needsPlumbing = true;

async function flips(page) {
  const before = await settled(page);
  await page.keyboard.press("i");
  assert.notEqual((await settled(page)).checksum, before.checksum);
}

async function followsTheme(page) {
  const light = await settled(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await settled(page);
  assert.notEqual(dark.corner, light.corner, "the canvas ignores the system's theme");
  await page.keyboard.press("d");
  assert.equal((await settled(page)).corner, light.corner, "the key d does not switch back");
}

async function listsFunctions(page, { term }) {
  await page.keyboard.press("t");
  await page.waitForSelector("#table tbody tr");
  await page.fill("#search", term);
  await page.waitForFunction((term) => {
    const rows = [...document.querySelectorAll("#table tbody tr")];
    return rows.length > 0 && rows.every((row) => new RegExp(term, "i").test(row.title));
  }, term);
  await page.click("#table th:first-child button");
  await page.waitForSelector('#table th:first-child[aria-sort="descending"]');
  await page.click("#table tbody tr");
  await page.waitForFunction(() => document.getElementById("search").value.startsWith("^"));
}

async function helps(page) {
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  const keys = await page.$$eval("dialog dt", (all) => all.map((key) => key.textContent).join(" "));
  for (const key of ["Esc", "Enter", "Home", "/", "n, N", "p", "s", "i", "o", "g", "t, y", "d", "0"]) {
    assert.ok(` ${keys} `.includes(` ${key}`), `the help lacks ${key}`);
  }
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
}

async function restoresFromHash(page, { term }) {
  await page.fill("#search", term);
  await page.waitForSelector("#result:not([hidden])");
  await clickIntoZoom(page);
  const before = await settled(page);
  await page.waitForFunction(() => /q=.*z=/.test(location.hash));
  const hash = await page.evaluate(() => location.hash);
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset.seam === "ready");
  assert.equal((await settled(page)).checksum, before.checksum, "a reload shows something else");
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => location.hash), hash);
}

async function survivesNonsenseInHash(page) {
  await page.evaluate(() => {
    location.hash = "z=4294967290,99999999-999999999&s=4294967290&q=%5B&d=pink&p=7";
  });
  await page.waitForSelector(".problem");
  assert.ok((await settled(page)).colours > 2);
}

/** Zooms far in and out with the wheel and drags: the graph must stay a graph. */
async function zoomsFreely(page) {
  const whole = await settled(page);
  const box = await page.locator("#flame").boundingBox();
  await page.mouse.move(box.x + box.width / 3, box.y + 60);
  await page.keyboard.down("Control");
  for (let i = 0; i < 12; i++) await page.mouse.wheel(0, -200);
  await page.keyboard.up("Control");
  await page.waitForSelector(`${zoomChip}:not([hidden])`);
  await page.mouse.down();
  await page.mouse.move(box.x + 20, box.y + 80, { steps: 4 });
  await page.mouse.up();
  assert.ok((await settled(page)).colours > 2);
  await page.keyboard.press("Escape");
  assert.equal((await settled(page)).checksum, whole.checksum);
}

/** A page cut off in the middle says so. */
async function explainsBrokenData(_, { file, browser }) {
  const text = await readFile(file, "utf8");
  const folder = await mkdtemp(join(tmpdir(), "seam-page-"));
  try {
    const cut = (data) => data.slice(0, Math.floor(data.length / 8) * 4);
    for (const [change, message] of [
      [() => "", /no profile/],
      [(data) => cut(data), /cut off|too short|past the end|tree/],
      [() => "AAAA", /inflated|too short/],
      [() => "not base64 !", /base64/],
    ]) {
      const broken = join(folder, "broken.html");
      await writeFile(
        broken,
        text.replace(/(octet-stream">)([^<]*)/, (_, tag, data) => tag + change(data)),
      );
      const { page, close } = await browser.open(broken, {});
      assert.match(await page.textContent('[role="alert"]'), message);
      await close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A browser that can't unpack the data leads to a sentence, not to a blank page. */
async function explainsOldBrowser(_, { file, browser }) {
  const init = () => delete window.DecompressionStream;
  const { page, close } = await browser.open(file, { init });
  assert.match(await page.textContent('[role="alert"]'), /DecompressionStream/);
  await close();
}

export const checks = {
  "opens from a file without requests": opens,
  "paints the graph": paints,
  "search finds the term": searches,
  "an invalid pattern is taken as text": toleratesBadPattern,
  "click zooms, Esc restores": zoomsAndReturns,
  "wheel and drag zoom and pan": zoomsFreely,
  "hover explains a frame": explainsOnHover,
  "the keyboard moves the selection": movesByKeyboard,
  "plumbing changes the depth": togglesPlumbing,
  "the root changes sides": flips,
  "themes follow the system and the key": followsTheme,
  "the table lists, sorts and finds": listsFunctions,
  "help opens and closes": helps,
  "a reload restores the view": restoresFromHash,
  "nonsense in the fragment is ignored": survivesNonsenseInHash,
  "broken data is explained": explainsBrokenData,
  "an old browser is explained": explainsOldBrowser,
};
