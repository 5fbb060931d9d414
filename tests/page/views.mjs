// Checks of what the page shows on request: sandwich, order of time, groups, filters as chips,
// the table of frames; and that all of it is in the fragment. Each gets a fresh page.

import assert from "node:assert/strict";
import { settled } from "./canvas.mjs";

/** Goes down a few frames from the root, so that a function is selected. */
async function select(page, steps = 4) {
  for (let i = 0; i < steps; i++) await page.keyboard.press("ArrowDown");
  await page.waitForSelector("#details .actions");
  return (await page.textContent("#details h2")).replace(/^[↳↲] /, "");
}

async function hashHas(page, pattern) {
  await page.waitForFunction((source) => new RegExp(source).test(location.hash), pattern.source);
}

async function shownOf(page) {
  const text = await page.textContent("#drawn");
  return Number(/from ([\d,]+)/.exec(text)[1].replace(/,/g, ""));
}

async function drawnHas(page, pattern) {
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.getElementById("drawn").textContent),
    pattern.source,
  );
}

async function chipsHave(page, pattern) {
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector(".chips").textContent),
    pattern.source,
  );
}

async function sandwiches(page) {
  const whole = await settled(page);
  const name = await select(page);
  await page.keyboard.press("s");
  await page.waitForSelector("#callers:not([hidden])");
  assert.ok((await page.textContent("#middle")).includes(name), "the chip names the function");
  const [above, below] = await Promise.all(
    ["#callers", "#flame"].map((id) => page.locator(id).boundingBox()),
  );
  assert.ok(above.y < below.y, "callers are above");
  // Down the callers: the second pane is walked when it has the focus.
  await page.focus("#callers");
  await page.keyboard.press("ArrowUp");
  await hashHas(page, /m=\d+&a=1/);
  assert.ok(!(await page.textContent("#details")).includes("self"), "callers have no self time");
  await page.reload();
  await page.waitForSelector("#callers:not([hidden])");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#callers[hidden]", { state: "attached" });
  await page.keyboard.press("Escape");
  assert.equal((await settled(page)).checksum, whole.checksum, "the whole graph is back");
}

async function ordersByTime(page) {
  const whole = await settled(page);
  await page.keyboard.press("o");
  await page.waitForSelector('#timed[aria-pressed="true"]');
  const timed = await settled(page);
  assert.notEqual(timed.checksum, whole.checksum);
  assert.ok(timed.colours > 4, "moments are drawn, not only gathered");
  await hashHas(page, /o=1/);
  await page.click("#timed");
  assert.equal((await settled(page)).checksum, whole.checksum);
}

async function groups(page) {
  const whole = await settled(page);
  const samples = await shownOf(page);
  await page.keyboard.press("g");
  assert.equal(await page.evaluate(() => document.activeElement.id), "group");
  const ids = await page.$$eval("#group option", (all) => all.map((option) => option.value));
  for (const id of ["thread", "goroutine", "cpu", "module", "kind"]) {
    assert.ok(ids.includes(id), `no groups by ${id}`);
  }
  for (const id of ids.slice(1)) {
    await page.selectOption("#group", id);
    const grouped = await settled(page);
    assert.equal(grouped.rows, whole.rows + 1, `groups by ${id} are a row of their own`);
    assert.equal(await shownOf(page), samples, `groups by ${id} lose no sample`);
  }
  await page.selectOption("#group", "thread");
  await page.click("#flame", { position: { x: 30, y: 34 } });
  await page.waitForSelector("#details .actions");
  assert.match(await page.textContent("#details h2"), /^thread \d+/);
  await page.click("#details .actions button:first-child");
  await chipsHave(page, /only thread \d+/);
  await drawnHas(page, /from [\d,]+ of [\d,]+/);
  assert.ok((await shownOf(page)) <= samples);
}

async function filters(page, { term }) {
  const samples = await shownOf(page);
  await page.fill("#search", term);
  await page.waitForSelector("#result:not([hidden])");
  await page.click("#result >> text=without");
  await page.waitForSelector(".chips .removable");
  await chipsHave(page, new RegExp(`without stacks with “${term}”`));
  await drawnHas(page, / of /);
  const rest = await shownOf(page);
  assert.ok(rest < samples, "some samples are gone");
  await hashHas(page, /f=without\/frame\//);
  await page.reload();
  await drawnHas(page, / of /);
  assert.equal(await shownOf(page), rest, "a reload keeps the filter");
  // By keyboard: the chip is a button, Delete removes it.
  await page.focus(".chips .removable");
  await page.keyboard.press("Delete");
  await page.waitForSelector(".chips .removable", { state: "detached" });
  await drawnHas(page, /from [\d,]+ samples/);
  assert.equal(await shownOf(page), samples);
  await page.waitForFunction(() => !/f=/.test(location.hash));
  await page.goBack();
  await drawnHas(page, / of /);
  assert.equal(await shownOf(page), rest, "back restores the filter");
  await page.goForward();
  await page.waitForSelector(".chips .removable", { state: "detached" });
  await page.goBack();
  await page.click(".chips .removable");
  await page.waitForSelector(".chips .removable", { state: "detached" });
}

async function hidesFrames(page) {
  const samples = await shownOf(page);
  const name = await select(page);
  await page.click("#details .actions >> text=hide");
  await page.waitForSelector(".chips .removable");
  assert.equal(await shownOf(page), samples, "hiding frames drops no sample");
  await page.fill("#search", `^${name.replace(/[^\w ]/g, ".")}$`);
  await page.waitForFunction(() => /no match/.test(document.getElementById("result").textContent));
}

async function filtersByKind(page) {
  const samples = await shownOf(page);
  await page.click(".legend button:first-child");
  await page.waitForSelector(".chips .removable");
  await drawnHas(page, / of /);
  assert.ok((await shownOf(page)) < samples);
}

async function walksFrames(page) {
  await page.keyboard.press("y");
  await page.waitForSelector("#frames [role=treegrid] tr[aria-level]");
  await page.focus("#frames tr[tabindex='0']");
  const focused = () =>
    page.evaluate(() => {
      const row = document.activeElement.closest("tr");
      return { level: Number(row.ariaLevel), open: row.ariaExpanded, text: row.textContent };
    });
  const step = async (key) => {
    await page.keyboard.press(key);
    await page.waitForTimeout(120);
    return focused();
  };
  assert.equal((await focused()).level, 1);
  const child = await step("ArrowRight");
  assert.equal(child.level, 2, "right goes into an open row");
  assert.equal((await step("ArrowRight")).open, "true", "right opens a closed one");
  assert.equal((await step("ArrowDown")).level, 3);
  assert.deepEqual(await step("ArrowUp"), { ...child, open: "true", text: (await focused()).text });
  await step("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#details .stack [aria-current]");
  assert.equal((await step("ArrowLeft")).level, 2, "left goes to the caller");
  assert.equal((await step("ArrowLeft")).open, "false", "left closes");
}

/** Everything that can be pressed says what it does, and can be reached in order. */
async function namesControls(page) {
  await select(page);
  await page.keyboard.press("s");
  await page.keyboard.press("t");
  await page.waitForSelector("#table tbody tr");
  const faults = await page.evaluate(() => {
    const faults = [];
    for (const control of document.querySelectorAll("button, select, input, [tabindex]")) {
      const name = control.ariaLabel || control.title || control.textContent.trim();
      if (!name) faults.push(`without a name: ${control.outerHTML.slice(0, 90)}`);
      if (control.tabIndex > 0) faults.push("a tab order of its own");
    }
    return faults;
  });
  assert.deepEqual(faults, []);
  const stops = await page.$$eval("#table tbody tr[tabindex='0']", (rows) => rows.length);
  assert.equal(stops, 1, "a table is one stop");
}

async function fits(page) {
  for (const width of [1200, 2560, 800]) {
    await page.setViewportSize({ width, height: 700 });
    await settled(page);
    const over = await page.evaluate(() => {
      const canvas = document.querySelector("#flame canvas").getBoundingClientRect();
      return {
        wide: document.documentElement.scrollWidth - innerWidth,
        tall: document.documentElement.scrollHeight - innerHeight,
        canvas: canvas.height > innerHeight,
      };
    });
    assert.deepEqual(over, { wide: 0, tall: 0, canvas: false }, `${width} px`);
    const box = await page.locator("#flame").boundingBox();
    for (const [x, y] of [
      [box.x + 5, box.y + 5],
      [box.x + box.width - 20, box.y + 34],
    ]) {
      await page.mouse.move(x, y);
      const shown = await page.locator("#tooltip").boundingBox();
      const inside = shown && shown.x >= 0 && shown.x + shown.width <= width && shown.y >= 0;
      assert.ok(!shown || inside, "the tooltip stays in the window");
    }
  }
}

export const views = {
  "a sandwich shows callers and callees": sandwiches,
  "samples in order of time": ordersByTime,
  "groups lose nothing": groups,
  "filters are chips kept in the fragment": filters,
  "frames can be hidden": hidesFrames,
  "a kind can be kept alone": filtersByKind,
  "the table of frames is walked by keyboard": walksFrames,
  "every control has a name": namesControls,
  "nothing is larger than the window": fits,
};
