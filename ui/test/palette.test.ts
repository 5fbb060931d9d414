// Text must be readable on every box in both themes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { paletteOf } from "../src/flame/palette";

const READABLE = 4.5;

function luminance(colour: string): number {
  const hex = /^#(..)(..)(..)$/.exec(colour)?.slice(1).map((part) => parseInt(part, 16));
  const parts = hex ?? colour.match(/\d+/g)!.map(Number);
  const [r, g, b] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

for (const name of ["light", "dark"] as const) {
  test(`${name}: text on boxes has a contrast of ${READABLE}`, () => {
    const palette = paletteOf(name);
    const check = (text: string, box: string): void => {
      const ratio = contrast(text, box);
      assert.ok(ratio >= READABLE, `${text} on ${box} has ${ratio.toFixed(2)}`);
    };
    for (const box of palette.box) check(palette.text, box);
    for (const box of palette.faded) check(palette.textDim, box);
    check(palette.barText, palette.bar);
  });
}
