// Colours of the canvas for both themes: one hue per kind from the Okabe–Ito set, five
// shades per hue. Owns the mapping from kind and shade to CSS colours. Page colours outside
// the canvas are custom properties in style.css.

import { KIND_COUNT } from "../model/kind";
import { SHADE_COUNT } from "../model/shade";

export type ThemeName = "light" | "dark";

export interface Palette {
  background: string;
  text: string;
  textDim: string;
  outline: string;
  bar: string;
  barText: string;
  hatch: string;
  /** kind × shade, plain and then faded for boxes a search does not match. */
  box: readonly string[];
  faded: readonly string[];
}

export const BOX_COLOURS = KIND_COUNT * SHADE_COUNT;

type Rgb = readonly [number, number, number];

interface Theme {
  background: string;
  text: string;
  textDim: string;
  outline: string;
  bar: string;
  barText: string;
  hatch: string;
  kinds: readonly string[];
  /** How far each shade goes towards white, or towards black when negative. Away from the
   *  colour of the text, so that names stay readable on every shade. */
  shades: readonly number[];
  fade: number;
}

const THEMES: Record<ThemeName, Theme> = {
  light: {
    background: "#ffffff",
    text: "#1b1d22",
    textDim: "#5f6672",
    outline: "#111318",
    bar: "#dfe2e7",
    barText: "#555d6b",
    hatch: "rgba(120,92,0,.34)",
    kinds: ["#8ecae6", "#cfe8f3", "#f4b183", "#d5a6d6", "#ffe082", "#d9d9d9", "#e9e9ee"],
    shades: [0.05, 0, 0.12, 0.2, 0.28],
    fade: 0.68,
  },
  dark: {
    background: "#15171c",
    text: "#e8e8ea",
    textDim: "#a3a9b4",
    outline: "#ffffff",
    bar: "#363a44",
    barText: "#b4bac4",
    hatch: "rgba(0,0,0,.30)",
    kinds: ["#2b6f8f", "#3b4f5c", "#96592b", "#6d4272", "#7a6412", "#555b66", "#2b2e36"],
    shades: [-0.04, 0, -0.1, -0.17, -0.25],
    fade: 0.66,
  },
};

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

const built: Partial<Record<ThemeName, Palette>> = {};

export function paletteOf(name: ThemeName): Palette {
  return (built[name] ??= buildPalette(THEMES[name]));
}

/** The unshaded colour of a kind, for legends and bars beside the canvas. */
export function kindColour(name: ThemeName, kind: number): string {
  return THEMES[name].kinds[kind] ?? THEMES[name].kinds[5]!;
}

function buildPalette(theme: Theme): Palette {
  const background = parse(theme.background);
  const box: string[] = [];
  const faded: string[] = [];
  for (const kind of theme.kinds) {
    for (const shade of theme.shades) {
      const colour = mix(parse(kind), shade > 0 ? WHITE : BLACK, Math.abs(shade));
      box.push(format(colour));
      faded.push(format(mix(colour, background, theme.fade)));
    }
  }
  return { ...theme, box, faded };
}

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => a[i]! + (b[i]! - a[i]!) * share) as unknown as Rgb;
}

function parse(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function format(colour: Rgb): string {
  return `rgb(${colour.map(Math.round).join(",")})`;
}
