// The container format: magic, version, JSON header, then little-endian binary columns.
// Owns bounds and type checks of raw bytes. It does not know what any column means
// (see profile.ts) and does not inflate or decode base64 (see app/load.ts).

/** Data that does not follow ui/DATA.md. The message is shown to the reader as it is. */
export class DataError extends Error {}

export type ColumnArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

interface ColumnPlace {
  type: string;
  offset: number;
  len: number;
}

export interface Container {
  /** The parsed JSON header, not yet checked beyond being an object. */
  header: Record<string, unknown>;
  u8(name: string, len?: number): Uint8Array;
  u16(name: string, len?: number): Uint16Array;
  u32(name: string, len?: number): Uint32Array;
  f64(name: string, len?: number): Float64Array;
}

const MAGIC = "SEAMPAGE";
const VERSION = 1;
const PREFIX_BYTES = 16;
const ALIGNMENT = 8;
const ELEMENT_BYTES: Record<string, number> = { u8: 1, u16: 2, u32: 4, f64: 8 };

export function parseContainer(buffer: ArrayBuffer): Container {
  const { json, binaryStart } = splitPrefix(buffer);
  const header = parseHeader(json);
  const columns = header.columns;
  if (!isRecord(columns)) throw new DataError("the header has no columns");

  const locate = (name: string, type: string, len: number | undefined): ColumnPlace => {
    const place = checkPlace(name, columns[name], buffer.byteLength - binaryStart);
    if (place.type !== type) {
      throw new DataError(`column ${name} is ${place.type}, expected ${type}`);
    }
    if (len !== undefined && place.len !== len) {
      throw new DataError(`column ${name} has ${place.len} entries, expected ${len}`);
    }
    return { ...place, offset: binaryStart + place.offset };
  };

  return {
    header,
    u8(name, len) {
      const at = locate(name, "u8", len);
      return new Uint8Array(buffer, at.offset, at.len);
    },
    u16(name, len) {
      const at = locate(name, "u16", len);
      return new Uint16Array(buffer, at.offset, at.len);
    },
    u32(name, len) {
      const at = locate(name, "u32", len);
      return new Uint32Array(buffer, at.offset, at.len);
    },
    f64(name, len) {
      const at = locate(name, "f64", len);
      return new Float64Array(buffer, at.offset, at.len);
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function splitPrefix(buffer: ArrayBuffer): { json: Uint8Array; binaryStart: number } {
  if (buffer.byteLength < PREFIX_BYTES) throw new DataError("the data is too short");
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, MAGIC.length));
  if (magic !== MAGIC) throw new DataError("the data does not start with SEAMPAGE");
  const prefix = new DataView(buffer, MAGIC.length, 8);
  const version = prefix.getUint32(0, true);
  if (version !== VERSION) {
    throw new DataError(`the data has format version ${version}, this page reads ${VERSION}`);
  }
  const jsonBytes = prefix.getUint32(4, true);
  if (PREFIX_BYTES + jsonBytes > buffer.byteLength) throw new DataError("the header is cut off");
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
    throw new DataError("the header is not valid JSON");
  }
  if (!isRecord(header)) throw new DataError("the header is not an object");
  return header;
}

function checkPlace(name: string, value: unknown, binaryBytes: number): ColumnPlace {
  if (!isRecord(value)) throw new DataError(`column ${name} is missing`);
  const { type, offset, len } = value;
  const size = typeof type === "string" ? ELEMENT_BYTES[type] : undefined;
  if (typeof type !== "string" || size === undefined) {
    throw new DataError(`column ${name} has an unknown type`);
  }
  if (!isCount(offset) || !isCount(len)) throw new DataError(`column ${name} has no valid place`);
  if (offset % size !== 0) throw new DataError(`column ${name} is not aligned to ${size} bytes`);
  if (offset + len * size > binaryBytes) {
    throw new DataError(`column ${name} reaches past the end of the data`);
  }
  return { type, offset, len };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
