// Writes the page's data: the container of DATA.md, deflated and filled into the template.
// Used by the sample page and the unit tests; the product's own writer is in Rust.

import { deflateRawSync } from "node:zlib";

const TYPE_NAMES = new Map([
  [Uint8Array, "u8"],
  [Uint16Array, "u16"],
  [Uint32Array, "u32"],
  [Float64Array, "f64"],
]);
const PREFIX_BYTES = 16;

/** `header` without "columns"; `columns` are typed arrays by name. */
export function encodeContainer(header, columns) {
  const places = {};
  let offset = 0;
  for (const [name, column] of Object.entries(columns)) {
    places[name] = { type: TYPE_NAMES.get(column.constructor), offset, len: column.length };
    offset = aligned(offset + column.byteLength);
  }
  const json = new TextEncoder().encode(JSON.stringify({ ...header, columns: places }));
  const binaryStart = aligned(PREFIX_BYTES + json.length);
  const bytes = new Uint8Array(binaryStart + offset);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("SEAMPAGE"));
  view.setUint32(8, 2, true);
  view.setUint32(12, json.length, true);
  bytes.set(json, PREFIX_BYTES);
  for (const [name, column] of Object.entries(columns)) {
    bytes.set(
      new Uint8Array(column.buffer, column.byteOffset, column.byteLength),
      binaryStart + places[name].offset,
    );
  }
  return bytes;
}

export function fillTemplate(template, title, container, level = 6) {
  const data = deflateRawSync(container, { level }).toString("base64");
  return template
    .replace("@SEAM_TITLE@", () => escapeHtml(title))
    .replace("@SEAM_SHEET@", "")
    .replace("@SEAM_DATA@", () => data);
}

function aligned(offset) {
  return Math.ceil(offset / 8) * 8;
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
