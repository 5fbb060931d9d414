// A stable shade per module or package, so that neighbours differ a little and the same
// package looks the same in every profile. Owns the hash; palette.ts owns the colours.

export const SHADE_COUNT = 5;
/** The shade that is the kind's own colour. */
export const SHADE_PLAIN = 1;

/** 0 to SHADE_COUNT - 1, from the package of a Go name or the module otherwise. */
export function shadeOf(name: string, module: string): number {
  const group = packageOf(name) || module;
  return hash(group) % SHADE_COUNT;
}

/** `github.com/x/y/pkg.(*T).Method` → `github.com/x/y/pkg`. */
function packageOf(name: string): string {
  const dot = name.indexOf(".", name.lastIndexOf("/", name.search(/[[({<]|$/)) + 1);
  return dot > 0 ? name.slice(0, dot) : "";
}

/** FNV-1a over UTF-16 units: short, stable between releases, good enough for five shades. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
