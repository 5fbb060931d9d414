// Small profiles for the model tests, written with the same writer as the sample page.

import { encodeContainer } from "../dev/container.mjs";
import { apiServer } from "../dev/api-server.mjs";
import { ProfileBuilder } from "../dev/profile-builder.mjs";
import { type Profile, readProfile } from "../src/model/profile";
import type { Tree } from "../src/model/tree";

export type Columns = Record<string, Uint8Array | Uint16Array | Uint32Array | Float64Array>;
export type Header = Record<string, unknown>;

export function encode(header: Header, columns: Columns): ArrayBuffer {
  return encodeContainer(header, columns).buffer as ArrayBuffer;
}

/** The example server of the sample page. */
export function server(): { header: Header; columns: Columns } {
  return apiServer();
}

/** A profile from lines like `main;a;b 3`, all Go, the same in both trees. */
export function fromFolded(lines: string[]): Profile {
  const builder = new ProfileBuilder("root");
  for (const line of lines) {
    const [, stack, weight] = /^(\S+) (\d+)$/.exec(line)!;
    const path = stack!.split(";").map((name) => [builder.frame({ name }), false]);
    for (let i = 0; i < Number(weight); i++) builder.sample(path, path);
  }
  const header = { title: "test", unit: "samples", strings: builder.strings.values };
  return readProfile(encode(header, builder.columns()));
}

export function nodeNames(profile: Profile, tree: Tree, nodes: ArrayLike<number>): string[] {
  return Array.from(nodes, (node) => {
    const fn = profile.frames.fn[tree.frame[node]!]!;
    return profile.header.strings[profile.functions.name[fn]!]!;
  });
}

/** First node with a name. */
export function nodeNamed(profile: Profile, tree: Tree, name: string): number {
  const all = nodeNames(
    profile,
    tree,
    tree.parent.map((_, i) => i),
  );
  const node = all.indexOf(name);
  if (node < 0) throw new Error(`no node named ${name}`);
  return node;
}
