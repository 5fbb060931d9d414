// Looks at the pixels of the flame graph, so that checks see what a reader sees.

const STABLE_MS = 60;
const TRIES_MAX = 60;

/** Checksum, number of colours and background of the canvas, once it stopped changing. */
export async function settled(page) {
  let before = await look(page);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    await page.waitForTimeout(STABLE_MS);
    const now = await look(page);
    if (now.checksum === before.checksum) return now;
    before = now;
  }
  throw new Error("the canvas does not come to rest");
}

function look(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector("#flame canvas");
    const { width, height } = canvas;
    // A copy is read, since reading the page's own canvas would slow its drawing.
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Uint32Array(data.buffer);
    const colours = new Set();
    let checksum = 0;
    for (let i = 0; i < pixels.length; i++) {
      checksum = (Math.imul(checksum, 31) + pixels[i]) | 0;
      if (i % 7 === 0) colours.add(pixels[i]);
    }
    const corner = pixels[pixels.length - 1];
    return { checksum, colours: colours.size, corner, rows: Number(canvas.dataset.rows) };
  });
}
