// From the script element to bytes: base64, then raw deflate. Owns what the browser must be
// able to do for that, with a sentence for each thing that may be missing.

import { fail } from "../model/container";

const DATA_ELEMENT = "seam-data";

export async function loadData(): Promise<ArrayBuffer> {
  const text = document.getElementById(DATA_ELEMENT)?.textContent?.trim() ?? "";
  if (text === "" || text.startsWith("@")) {
    fail("this is the empty template: it carries no profile");
  }
  if (typeof DecompressionStream === "undefined") {
    fail(
      "this browser has no DecompressionStream; Chrome 103, Firefox 113, Safari 16.4 have it",
    );
  }
  return inflate(decodeBase64(text));
}

/** The built-in decoder is many times faster but younger than the browsers we support. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const decoder = Uint8Array as unknown as {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  };
  try {
    if (decoder.fromBase64) return decoder.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    fail("the data is not valid base64; was the file cut off?");
  }
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  try {
    const packed = new Blob([bytes]).stream();
    return await new Response(
      packed.pipeThrough(new DecompressionStream("deflate-raw")),
    ).arrayBuffer();
  } catch {
    fail("the data can't be inflated; was the file cut off?");
  }
}
