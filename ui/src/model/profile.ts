// The profile behind the page: functions, frames, samples and threads as columns, and the
// two trees. Owns the meaning of column names and the checks that make every index safe to
// follow. Trees are built on first use, since most readers look at the folded one only.

import { type Container, fail, parseContainer } from "./container";
import { type PageHeader, readHeader } from "./header";
import { Kind } from "./kind";
import { checkBelow } from "./numbers";
import { readSamples, type Samples } from "./samples";
import { buildTree, readTreeColumns, type Tree, type TreeName } from "./tree";

export interface Functions {
  count: number;
  name: Uint32Array;
  module: Uint32Array;
  file: Uint32Array;
  kind: Uint8Array;
}

export interface Frames {
  count: number;
  fn: Uint32Array;
  line: Uint32Array;
  flags: Uint8Array;
}

export interface Threads {
  count: number;
  name: Uint32Array;
  tid: Uint32Array;
}

export interface Profile {
  header: PageHeader;
  functions: Functions;
  frames: Frames;
  hasSamples: boolean;
  /** Unpacked when first asked for. */
  readonly samples: Samples;
  threads: Threads;
  tree(name: TreeName): Tree;
  /** A frame with this text as its name and nothing else, for the root of a group. */
  groupFrame(text: string): number;
}

export function readProfile(buffer: ArrayBuffer): Profile {
  const container = parseContainer(buffer);
  const header = readHeader(container.header);
  if (header.strings.length === 0) fail("the data has no strings");
  const functions = readFunctions(container, header.strings.length);
  const frames = readFrames(container, functions.count);
  const columns = {
    folded: readTreeColumns(container, "folded"),
    full: readTreeColumns(container, "full"),
  };
  const threads = readThreads(container, header.strings.length);
  const built: Partial<Record<TreeName, Tree>> = {};
  let samples: Samples | undefined;
  const profile: Profile = {
    header,
    functions,
    frames,
    threads,
    hasSamples: container.u8("sm_flags").length > 0,
    get samples() {
      return (samples ??= readSamples(container, {
        nodes: { folded: columns.folded.parent.length, full: columns.full.parent.length },
        threads: threads.count,
        states: Math.max(1, header.states.length),
        labelSets: Math.max(1, header.labelSets.length),
      }));
    },
    tree: (name) =>
      (built[name] ??= {
        ...buildTree(name, columns[name], frames.count),
        get leaf() {
          return profile.samples.leaf[name];
        },
      }),
    groupFrame: groupFrames(header, functions, frames),
  };
  return profile;
}

/** Groups get functions and frames behind those of the data; the same text, the same frame. */
function groupFrames(
  { strings }: PageHeader,
  functions: Functions,
  frames: Frames,
): (text: string) => number {
  const known = new Map<string, number>();
  return (text) => {
    let frame = known.get(text);
    if (frame !== undefined) return frame;
    known.set(text, (frame = frames.count++));
    frames.fn = put(frames.fn, frame, functions.count);
    frames.line = put(frames.line, frame, 0);
    frames.flags = put(frames.flags, frame, 0);
    const fn = functions.count++;
    functions.name = put(functions.name, fn, strings.push(text) - 1);
    functions.module = put(functions.module, fn, 0);
    functions.file = put(functions.file, fn, 0);
    functions.kind = put(functions.kind, fn, Kind.Group);
    return frame;
  };
}

/** Sets an entry of a column that grows; columns of the data itself are never written to. */
function put<Column extends Uint8Array | Uint32Array>(
  column: Column,
  at: number,
  value: number,
): Column {
  if (at >= column.length) {
    const grown = new (column.constructor as new (length: number) => Column)(2 * at + 8);
    grown.set(column);
    column = grown;
  }
  column[at] = value;
  return column;
}

function readFunctions(container: Container, stringCount: number): Functions {
  const name = container.u32("fn_name");
  const count = name.length;
  const module = container.u32("fn_module", count);
  const file = container.u32("fn_file", count);
  const kind = container.u8("fn_kind", count);
  for (const column of [name, module, file]) checkBelow(column, stringCount, "a function's text");
  // A newer exporter may know more kinds; they are shown as code without a name.
  const known = kind.every((value) => value < Kind.Group)
    ? kind
    : kind.map((value) => (value < Kind.Group ? value : Kind.Unknown));
  return { count, name, module, file, kind: known };
}

function readFrames(container: Container, functionCount: number): Frames {
  const fn = container.u32("fr_fn");
  const count = fn.length;
  checkBelow(fn, functionCount, "a frame's function");
  return {
    count,
    fn,
    line: container.u32("fr_line", count),
    flags: container.u8("fr_flags", count),
  };
}

function readThreads(container: Container, stringCount: number): Threads {
  const name = container.u32("th_name");
  checkBelow(name, stringCount, "a thread's name");
  return { count: name.length, name, tid: container.u32("th_tid", name.length) };
}
