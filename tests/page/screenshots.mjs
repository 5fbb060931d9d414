// Pictures of the page in both themes and two sizes: the first screen, a search with a
// selection, and the table.

import { join } from "node:path";
import { settled } from "./canvas.mjs";

const SIZES = [
  [1200, 800],
  [2560, 1400],
];

export async function takeScreenshots(browser, file, term, folder) {
  for (const scheme of ["light", "dark"]) {
    for (const [width, height] of SIZES) {
      const { page, close } = await browser.open(file, { scheme, width, height });
      const shoot = async (name) => {
        await settled(page);
        await page.screenshot({ path: join(folder, `${name}-${scheme}-${width}.png`) });
      };
      await shoot("flame");
      await page.fill("#search", term);
      await page.press("#search", "Enter");
      await shoot("search");
      await page.keyboard.press("Escape");
      await page.keyboard.press("t");
      await shoot("table");
      await close();
    }
  }
}
