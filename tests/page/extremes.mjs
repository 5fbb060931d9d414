// Checks with invented pages: very deep stacks, very many small frames, labels, no samples.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settled } from "./canvas.mjs";
import { deepAndWide, DEPTH, empty, SMALL, writePage } from "./synthetic.mjs";

async function withPage(browser, fill, use) {
  const folder = await mkdtemp(join(tmpdir(), "seam-page-"));
  try {
    const opened = await browser.open(await writePage(folder, "synthetic", fill), {});
    await use(opened.page);
    opened.assertQuiet();
    await opened.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Selection and scrolling reach the end of a stack that is far taller than the window. */
async function reachesDeepFrames(_, { browser }) {
  await withPage(browser, deepAndWide, async (page) => {
    const { rows } = await settled(page);
    assert.equal(rows, DEPTH + 1);
    const heights = () =>
      page.evaluate(() => ({
        canvas: document.querySelector("#flame canvas").clientHeight,
        window: innerHeight,
        top: document.getElementById("flame").scrollTop,
      }));
    assert.ok((await heights()).canvas < (await heights()).window);
    await page.keyboard.press("End");
    await page.waitForFunction((last) => document.querySelector("#details h2").textContent === last, [
      `f${DEPTH - 1}`,
    ][0]);
    assert.ok((await heights()).top > 50000, "the graph scrolled");
    assert.match(await page.textContent(".stack"), /more frames/, "a long list says what is missing");
    await page.keyboard.press("i");
    await settled(page);
    await page.keyboard.press("s");
    await page.waitForSelector("#callers:not([hidden])");
    await page.keyboard.press("y");
    await page.waitForSelector("#frames tr");
  });
}

/** Small frames are counted in a bar that opens by click; by key each of them is reached. */
async function opensBars(_, { browser }) {
  await withPage(browser, deepAndWide, async (page) => {
    const narrow = async () => {
      await settled(page);
      await page.waitForTimeout(200);
      const found = /([\d,]+) narrow frames/.exec(await page.textContent("#drawn"));
      return found ? Number(found[1].replace(/,/g, "")) : 0;
    };
    assert.equal(await narrow(), SMALL);
    const box = await page.locator("#flame").boundingBox();
    // The bar lies under "wide", in the right half.
    await page.mouse.move(box.x + box.width * 0.9, box.y + 2.5 * 23);
    await page.waitForSelector("#tooltip:not([hidden])");
    assert.match(await page.textContent("#tooltip"), /\+3,000 frames.*click to zoom/);
    await page.mouse.click(box.x + box.width * 0.9, box.y + 2.5 * 23);
    await page.waitForSelector("#zoom");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => /^small/.test(document.querySelector("#details h2").textContent));
    await page.keyboard.press("Enter");
    await settled(page);
    const shown = await page.locator("#flame .outline.selected").boundingBox();
    assert.ok(shown.width > 100, "Enter makes it wide");
  });
}

async function groupsByLabel(_, { browser }) {
  await withPage(browser, deepAndWide, async (page) => {
    await page.selectOption("#group", "label:route");
    await page.keyboard.press("y");
    await page.waitForFunction(() => /route=\/search/.test(document.querySelector("#frames")?.textContent));
    const text = await page.textContent("#frames");
    for (const group of ["no route", "route=/search", "route=/orders"]) {
      assert.ok(text.includes(group), group);
    }
    await page.selectOption("#group", "state");
    await page.waitForFunction(() => /state waiting/.test(document.querySelector("#frames").textContent));
  });
}

async function saysThatNothingIsThere(_, { browser }) {
  await withPage(browser, empty, async (page) => {
    assert.equal(await page.textContent(".empty:not([hidden])"), "no samples");
    for (const key of ["s", "o", "t", "y", "i", "p", "End", "Enter", "n"]) {
      await page.keyboard.press(key);
    }
  });
  await withPage(browser, deepAndWide, async (page) => {
    await page.evaluate(() => (location.hash = "f=only/frame/nothing-has-this-name"));
    await page.waitForFunction(() => /pass/.test(document.querySelector(".empty").textContent));
    await page.click(".chips .removable");
    await page.waitForSelector(".empty[hidden]", { state: "attached" });
  });
}

export const extremes = {
  "stacks of 4,000 frames scroll": reachesDeepFrames,
  "small frames are in bars that open": opensBars,
  "groups by label and state": groupsByLabel,
  "empty views say so": saysThatNothingIsThere,
};
