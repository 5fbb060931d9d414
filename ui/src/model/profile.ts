// The profile behind the page: functions, frames, samples and threads as columns, and the
// two trees. Owns the meaning of column names and the checks that make every index safe to
// follow. Trees are built on first use, since most readers look at the folded one only.

import { type Container, DataError, parseContainer } from "./container";
import { type PageHeader, readHeader } from "./header";
import { KIND, KIND_COUNT } from "./kind";
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

export interface Samples {
  count: number;
  /** Leaf node of the sample in each tree. */
  leaf: Record<TreeName, Uint32Array>;
  thread: Uint32Array;
  goid: Float64Array;
  timeNs: Float64Array;
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
  samples: Samples;
  threads: Threads;
  tree(name: TreeName): Tree;
}

export function readProfile(buffer: ArrayBuffer): Profile {
  const container = parseContainer(buffer);
  const header = readHeader(container.header);
  if (header.strings.length === 0) throw new DataError("the data has no strings");
  const functions = readFunctions(container, header.strings.length);
  const frames = readFrames(container, functions.count);
  const columns = {
    folded: readTreeColumns(container, "folded"),
    full: readTreeColumns(container, "full"),
  };
  const threads = readThreads(container, header.strings.length);
  const samples = readSamples(
    container,
    {
      folded: columns.folded.parent.length,
      full: columns.full.parent.length,
    },
    threads.count,
  );

  const built: Partial<Record<TreeName, Tree>> = {};
  const tree = (name: TreeName): Tree =>
    (built[name] ??= buildTree(name, columns[name], frames.count));
  return { header, functions, frames, samples, threads, tree };
}

function readFunctions(container: Container, stringCount: number): Functions {
  const name = container.u32("fn_name");
  const count = name.length;
  const module = container.u32("fn_module", count);
  const file = container.u32("fn_file", count);
  const kind = container.u8("fn_kind", count);
  for (const column of [name, module, file]) checkBelow(column, stringCount, "a function's text");
  // A newer exporter may know more kinds; they are shown as code without a name.
  const known = kind.every((value) => value < KIND_COUNT)
    ? kind
    : kind.map((value) => (value < KIND_COUNT ? value : KIND.unknown));
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

function readSamples(
  container: Container,
  nodes: Record<TreeName, number>,
  threadCount: number,
): Samples {
  const folded = container.u32("sm_folded");
  const count = folded.length;
  const full = container.u32("sm_full", count);
  const thread = container.u32("sm_thread", count);
  checkBelow(folded, nodes.folded, "a sample's folded leaf");
  checkBelow(full, nodes.full, "a sample's full leaf");
  checkBelow(thread, threadCount, "a sample's thread");
  return {
    count,
    leaf: { folded, full },
    thread,
    goid: container.f64("sm_goid", count),
    timeNs: container.f64("sm_time", count),
    flags: container.u8("sm_flags", count),
  };
}

function checkBelow(column: Uint32Array, bound: number, what: string): void {
  for (let i = 0; i < column.length; i++) {
    if (column[i]! >= bound) throw new DataError(`${what} points outside the data (entry ${i})`);
  }
}
