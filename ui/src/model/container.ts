// The container format: magic, version, JSON header, then little-endian binary columns.
// Owns bounds and type checks of raw bytes. It does not know what any column means
// (see profile.ts) and does not inflate or decode base64 (see app/load.ts).

/** Data that does not follow ui/DATA.md. The message is shown to the reader as it is. */
export class DataError extends Error {}

export function fail(message: string): never {
  throw new DataError(message);
}

export interface Container {
  /** The parsed JSON header, not yet checked beyond being an object. */
  header: Record<string, unknown>;
  u8(name: string, len?: number): Uint8Array<ArrayBuffer>;
  u16(name: string, len?: number): Uint16Array<ArrayBuffer>;
  u32(name: string, len?: number): Uint32Array<ArrayBuffer>;
  f64(name: string, len?: number): Float64Array<ArrayBuffer>;
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;
type ColumnClass<T extends Column> = {
  new (buffer: ArrayBuffer, offset: number, len: number): T;
  BYTES_PER_ELEMENT: number;
};

const MAGIC = "SEAMPAGE";
const VERSION = 2;
const PREFIX_BYTES = 16;
const ALIGNMENT = 8;

export function parseContainer(buffer: ArrayBuffer): Container {
  const { json, binaryStart } = splitPrefix(buffer);
  const header = parseHeader(json);
  const columns = header.columns;
  if (!isRecord(columns)) fail("the header has no columns");

  const column =
    <T extends Column>(type: string, Type: ColumnClass<T>) =>
    (name: string, wanted?: number): T => {
      const place = columns[name];
      const failed = (what: string): never => fail(`column ${name} ${what}`);
      if (!isRecord(place)) return failed("is missing");
      const { offset, len } = place;
      if (place["type"] !== type) return failed(`is not ${type}`);
      if (!isCount(offset) || !isCount(len)) return failed("has no valid place");
      if (wanted !== undefined && len !== wanted) return failed(`has not ${wanted} entries`);
      const bytes = Type.BYTES_PER_ELEMENT;
      if (offset % bytes !== 0) return failed("is not aligned");
      if (binaryStart + offset + len * bytes > buffer.byteLength) {
        return failed("reaches past the end of the data");
      }
      return new Type(buffer, binaryStart + offset, len);
    };
  return {
    header,
    u8: column<Uint8Array<ArrayBuffer>>("u8", Uint8Array),
    u16: column<Uint16Array<ArrayBuffer>>("u16", Uint16Array),
    u32: column<Uint32Array<ArrayBuffer>>("u32", Uint32Array),
    f64: column<Float64Array<ArrayBuffer>>("f64", Float64Array),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function splitPrefix(buffer: ArrayBuffer): { json: Uint8Array; binaryStart: number } {
  if (buffer.byteLength < PREFIX_BYTES) fail("the data is too short");
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, MAGIC.length));
  if (magic !== MAGIC) fail("the data does not start with SEAMPAGE");
  const prefix = new DataView(buffer, MAGIC.length, 8);
  const version = prefix.getUint32(0, true);
  if (version !== VERSION) {
    fail(`the data has format version ${version}, this page reads ${VERSION}`);
  }
  const jsonBytes = prefix.getUint32(4, true);
  if (PREFIX_BYTES + jsonBytes > buffer.byteLength) fail("the header is cut off");
  const jsonEnd = PREFIX_BYTES + jsonBytes;
  return {
    json: new Uint8Array(buffer, PREFIX_BYTES, jsonBytes),
    // A file may end right after its header when every column is empty.
    binaryStart: Math.min(Math.ceil(jsonEnd / ALIGNMENT) * ALIGNMENT, buffer.byteLength),
  };
}

function parseHeader(json: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    fail("the header is not valid JSON");
  }
  if (!isRecord(header)) fail("the header is not an object");
  return header;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
