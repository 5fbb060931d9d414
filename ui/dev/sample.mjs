// Writes a page with invented data next to nothing else: `node dev/sample.mjs OUT.html`
// for the example server, `--nodes N` for a random profile of that size.

import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { apiServer } from "./api-server.mjs";
import { encodeContainer, fillTemplate } from "./container.mjs";
import { large } from "./large.mjs";

const { values, positionals } = parseArgs({
  options: { nodes: { type: "string" } },
  allowPositionals: true,
});
const out = positionals[0];
if (!out) {
  console.error("usage: node dev/sample.mjs [--nodes N] OUT.html");
  process.exit(2);
}
const { header, columns } = values.nodes ? large(Number(values.nodes)) : apiServer();
const template = await readFile(new URL("../dist/flame.html", import.meta.url), "utf8");
await writeFile(out, fillTemplate(template, header.title, encodeContainer(header, columns)));
console.log(
  `${out}: ${columns.folded_parent.length} folded nodes, ` +
    `${columns.full_parent.length} full nodes, ${columns.sm_flags.length} samples`,
);
