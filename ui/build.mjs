// Builds dist/flame.html: bundles script and style, puts both into the template and
// computes the content security policy from their hashes. Same input, same bytes.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ownProperties } from "./mangle.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const BYTES_MAX = 60 * 1024;

const script = await bundle("src/app/main.ts", { mangleProps: await ownProperties() });
const style = shortProperties(await bundle("src/style/page.css"));
const template = await readFile(join(root, "src/template.html"), "utf8");
const page = fill(template, {
  "@CSP@": policy(script, style),
  "@STYLE@": style,
  "@SCRIPT@": script,
});
check(page);
await mkdir(join(root, "dist"), { recursive: true });
await writeFile(join(root, "dist/flame.html"), page);
console.log(`dist/flame.html ${Buffer.byteLength(page)} bytes of at most ${BYTES_MAX}`);

async function bundle(entry, options = {}) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["chrome103", "firefox113", "safari16.4"],
    charset: "utf8",
    legalComments: "none",
    ...options,
  });
  return result.outputFiles[0].text.trim();
}

/** Custom properties get one letter each; the script does not use them. */
function shortProperties(style) {
  const names = [...new Set(style.match(/--[a-z]+/g))];
  if (names.length > 26) throw new Error("more custom properties than letters");
  return style.replace(/--[a-z]+/g, (name) => `--${String.fromCharCode(97 + names.indexOf(name))}`);
}

/** Only these two texts may act on the page; nothing may be loaded from anywhere. */
function policy(script, style) {
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** A function as replacement keeps `$` in minified code from being a pattern. */
function fill(text, values) {
  return Object.entries(values).reduce(
    (page, [mark, value]) => page.replace(mark, () => value),
    text,
  );
}

function check(page) {
  for (const mark of ["@SEAM_DATA@", "@SEAM_TITLE@", "@SEAM_SHEET@"]) {
    if (page.split(mark).length !== 2) throw new Error(`${mark} must be in the page exactly once`);
  }
  // The hashes of the policy cover every byte between the tags.
  if (!page.includes(`<style>${style}</style>`) || !page.includes(`<script>${script}</script>`)) {
    throw new Error("the template puts something around style or script");
  }
  if (page.split("</script>").length !== 3) throw new Error("a script ends before its end");
  if (/https?:\/\//.test(page)) throw new Error("the page mentions an address");
  const bytes = Buffer.byteLength(page);
  if (bytes > BYTES_MAX) throw new Error(`the page has ${bytes} bytes, at most ${BYTES_MAX}`);
}
