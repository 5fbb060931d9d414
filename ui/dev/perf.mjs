// Measures a page in Chromium: time to open, and the cost of frames while zooming and
// panning, searching and changing what is shown.
// `node dev/perf.mjs PAGE.html [--executable PATH] [--runs N]`.
// Frames are not held to the display's rate, so the time between two frames is what one
// frame costs: script, layout, raster and compositing together.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const UNLIMITED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"];
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const { values, positionals } = parseArgs({
  options: {
    executable: { type: "string", default: "/usr/bin/chromium" },
    runs: { type: "string", default: "3" },
    width: { type: "string", default: "1920" },
    height: { type: "string", default: "1080" },
  },
  allowPositionals: true,
});
if (!positionals[0]) {
  console.error("usage: node dev/perf.mjs [--runs N] [--width PX] [--height PX] PAGE.html");
  process.exit(2);
}
const url = pathToFileURL(resolve(positionals[0])).href;
const viewport = { width: Number(values.width), height: Number(values.height) };
const profile = await mkdtemp(join(tmpdir(), "seam-perf-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: values.executable,
  args: [...QUIET, ...UNLIMITED],
  viewport,
  headless: true,
});
try {
  const opens = [];
  for (let run = 0; run < Number(values.runs); run++) opens.push(await measureOpen());
  console.log(`open ms        ${opens.map((ms) => ms.toFixed(0)).join(" ")}`);
  const page = await openPage();
  report("zoom in", await frames(page, zoomBy(-60)));
  report("pan", await frames(page, { dx: 37, ctrl: false, dy: 0 }));
  report("zoom out", await frames(page, zoomBy(60)));
  report("scroll", await frames(page, { scroll: 9 }));
  report("search", await searchTimes(page));
  report("in time order", [await pressTime(page, "o")]);
  report("  zoom in", await frames(page, zoomBy(-60)));
  report("  pan", await frames(page, { dx: 37, ctrl: false, dy: 0 }));
  await page.keyboard.press("0");
  report("by goroutine", [await groupTime(page, "goroutine")]);
  report("no groups", [await groupTime(page, "")]);
  await page.keyboard.press("o");
  await page.keyboard.press("ArrowDown");
  report("sandwich", [await pressTime(page, "s")]);
  report("  pan", await frames(page, { dx: 37, ctrl: false, dy: 0 }));
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

function zoomBy(dy) {
  return { dx: 0, dy, ctrl: true };
}

async function openPage() {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => document.documentElement.dataset.seam === "ready");
  return page;
}

/** From the start of navigation to the frame after the first drawing. */
async function measureOpen() {
  const page = await context.newPage();
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.documentElement?.dataset.seam) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (window.openedMs = performance.now())));
    }).observe(document, { attributes: true, subtree: true });
  });
  await page.goto(url);
  await page.waitForFunction(() => window.openedMs);
  const ms = await page.evaluate(() => window.openedMs);
  await page.close();
  return ms;
}

/** One input event per frame, 150 frames; returns the time between frames. */
function frames(page, input) {
  return page.evaluate(
    (input) =>
      new Promise((done) => {
        const flame = document.getElementById("flame");
        const box = flame.getBoundingClientRect();
        const times = [];
        let last = 0;
        let count = 0;
        const tick = () => {
          const now = performance.now();
          if (count > 0) times.push(now - last);
          last = now;
          if (count++ === 150) return done(times);
          if (input.scroll) flame.scrollTop += input.scroll;
          else {
            flame.dispatchEvent(
              new WheelEvent("wheel", {
                deltaX: input.dx,
                deltaY: input.dy,
                ctrlKey: input.ctrl,
                cancelable: true,
                clientX: box.left + box.width * 0.4,
                clientY: box.top + 200,
              }),
            );
          }
          requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
      }),
    input,
  );
}

/** Time until the result of a search is on the page. */
function searchTimes(page) {
  return page.evaluate(async () => {
    const search = document.getElementById("search");
    const times = [];
    for (const text of ["Method1", "lib2.*_7", "Type3", "function_19", "zzz", "."]) {
      const began = performance.now();
      search.value = text;
      search.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
      times.push(performance.now() - began);
    }
    return times;
  });
}

/** From a key to the frame after it. */
function pressTime(page, key) {
  return page.evaluate(async (key) => {
    const began = performance.now();
    document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    return performance.now() - began;
  }, key);
}

function groupTime(page, id) {
  return page.evaluate(async (id) => {
    const began = performance.now();
    const select = document.getElementById("group");
    select.value = id;
    select.dispatchEvent(new Event("change"));
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    return performance.now() - began;
  }, id);
}

function report(name, times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  const figures = `median ${at(0.5)} ms  p95 ${at(0.95)} ms  max ${at(1)} ms`;
  console.log(`${name.padEnd(14)} ${figures}  (${times.length})`);
}
