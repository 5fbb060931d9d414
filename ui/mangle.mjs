// Shortens the page's own property names. Owns which names are ours: those reached with a dot
// in src/ that neither the browser nor the language declares, by the type declarations that
// come with TypeScript. What is spelt in data, attributes or strings keeps its name.

import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));

/** Spelt in the data's header or in attributes, or reached by a string. */
const SPELT = [
  ..."columns type offset len seam theme rows share key fromBase64".split(" "),
  ..."folded full light dark u8 u16 u32 f64".split(" "),
];
/** The browser has these too, but the page uses them on its own objects only. */
const OURS = [
  ..."active amount animation back background box by cache canvas click context".split(" "),
  ..."count cut dimensions goroutine header".split(" "),
  ..."depth end file filters flags frame frames functions group kind labels level line".split(" "),
  ..."middle mode module name note notes of outline parent path pattern pending".split(" "),
  ..."quality reset samples selected self show span start state step strings".split(" "),
  ..."subtitle table text thread tier time total unit view weight whole words zoom".split(" "),
];
const MEMBER = /^\s+(?:readonly |get |set |static |const |var |function )*"?([A-Za-z_$][\w$]*)"?[?<(:]/gm;
const COMMENT = /\/\*[^]*?\*\//g;

/** A pattern for esbuild's `mangleProps`. */
export async function ownProperties() {
  const foreign = new Set(SPELT);
  for (const text of await libraries()) {
    for (const [, name] of text.replace(COMMENT, "").matchAll(MEMBER)) foreign.add(name);
  }
  const own = new Set(OURS);
  for (const name of OURS) foreign.delete(name);
  for (const text of await sources()) {
    for (const [, name] of text.matchAll(/\.([a-z]\w*)/g)) own.add(name);
  }
  const names = [...own].filter((name) => !foreign.has(name)).sort();
  return new RegExp(`^(${names.join("|")})$`);
}

/** TypeScript's compiler is a package per platform; the declarations in each are the same. */
async function libraries() {
  const scope = join(root, "node_modules/@typescript");
  const [platform] = (await readdir(scope)).filter((name) => name.startsWith("typescript-"));
  const folder = join(scope, platform, "lib");
  const names = (await readdir(folder)).filter((name) => /^lib\..*\.d\.ts$/.test(name));
  if (names.length < 50) throw new Error(`${folder} lacks TypeScript's declarations`);
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

async function sources() {
  const folder = join(root, "src");
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}
