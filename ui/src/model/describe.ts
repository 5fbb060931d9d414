// What is known about a node, in words and numbers for people: names, kind, place and
// weight. Owns the joining of tree, frame and function columns; panels only lay it out.

import { baseName, shortName } from "./names";
import { ARROW_CALL, ARROW_CALLBACK, FRAME_FLAG, KIND, kindWord } from "./kind";
import type { Profile } from "./profile";
import type { Tree } from "./tree";

export interface NodeFacts {
  fn: number;
  name: string;
  short: string;
  kind: number;
  kindText: string;
  module: string;
  /** Full path and line, empty when unknown. */
  place: string;
  /** `rows.go:112`, empty when unknown. */
  placeShort: string;
  /** Remarks such as "inlined" or "called back from C". */
  remarks: string[];
  self: number;
  total: number;
  callDepth: number;
  isEdge: boolean;
  isCallback: boolean;
}

export function describeNode(profile: Profile, tree: Tree, node: number): NodeFacts {
  const { functions, frames, header } = profile;
  const frame = tree.frame[node]!;
  const fn = frames.fn[frame]!;
  const text = (index: number): string => header.strings[index]!;
  const name = text(functions.name[fn]!) || "[no name]";
  const kind = functions.kind[fn]!;
  const file = text(functions.file[fn]!);
  const line = frames.line[frame]!;
  const place = file === "" ? "" : line === 0 ? file : `${file}:${line}`;
  const flags = frames.flags[frame]!;
  return {
    fn,
    name,
    short: shortName(name),
    kind,
    kindText: kindWord(kind),
    module: text(functions.module[fn]!),
    place,
    placeShort: baseName(place),
    remarks: remarksOn(profile, tree, node, flags),
    self: tree.self[node]!,
    total: tree.total[node]!,
    callDepth: tree.callDepth[node]!,
    isEdge: kind === KIND.edge,
    isCallback: kind === KIND.edge && (flags & FRAME_FLAG.callback) !== 0,
  };
}

export function edgeArrow(isCallback: boolean): string {
  return isCallback ? ARROW_CALLBACK : ARROW_CALL;
}

function remarksOn(profile: Profile, tree: Tree, node: number, flags: number): string[] {
  const remarks: string[] = [];
  if (flags & FRAME_FLAG.inlined) remarks.push("inlined");
  if (flags & FRAME_FLAG.plumbing) remarks.push("cgo plumbing");
  if (flags & FRAME_FLAG.elision) remarks.push("frames left out");
  const above = tree.frame[tree.parent[node]!]!;
  if (node !== 0 && profile.functions.kind[profile.frames.fn[above]!] === KIND.edge) {
    const callback = (profile.frames.flags[above]! & FRAME_FLAG.callback) !== 0;
    remarks.push(callback ? "called back from C" : "called from Go");
  }
  return remarks;
}
