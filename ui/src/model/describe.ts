// What is known about a node, in words and numbers for people: names, kind, place and
// weight. Owns the joining of tree, frame and function columns; panels only lay it out.

import { baseName, shortName } from "./names";
import { ARROW_CALL, ARROW_CALLBACK, FrameFlag, Kind, kindWord } from "./kind";
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
    // What a group is called is no name of code.
    short: kind === Kind.Group ? name : shortName(name),
    kind,
    kindText: kindWord(kind),
    module: text(functions.module[fn]!),
    place,
    placeShort: baseName(place),
    remarks: remarksOn(profile, tree, node, flags),
    self: tree.self[node]!,
    total: tree.total[node]!,
    callDepth: tree.callDepth[node]!,
    isEdge: kind === Kind.Edge,
    isCallback: kind === Kind.Edge && (flags & FrameFlag.Callback) !== 0,
  };
}

export function edgeArrow(isCallback: boolean): string {
  return isCallback ? ARROW_CALLBACK : ARROW_CALL;
}

function remarksOn(profile: Profile, tree: Tree, node: number, flags: number): string[] {
  const remarks: string[] = [];
  if (flags & FrameFlag.Inlined) remarks.push("inlined");
  if (flags & FrameFlag.Plumbing) remarks.push("cgo plumbing");
  if (flags & FrameFlag.Elision) remarks.push("frames left out");
  const above = tree.frame[tree.parent[node]!]!;
  if (node !== 0 && profile.functions.kind[profile.frames.fn[above]!] === Kind.Edge) {
    const callback = (profile.frames.flags[above]! & FrameFlag.Callback) !== 0;
    remarks.push(callback ? "called back from C" : "called from Go");
  }
  return remarks;
}
