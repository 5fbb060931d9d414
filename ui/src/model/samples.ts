// Samples out of their packed columns: varints, and numbers that stand for "as before on this
// thread". Owns the decoding, done when first asked for, and the checks that make every
// number safe to follow.

import { type Container, fail } from "./container";
import { checkBelow, zeros } from "./numbers";
import type { TreeName } from "./tree";

export interface Samples {
  /** Rows; a row stands for `weight` samples. In order of time. */
  count: number;
  weight: Uint32Array;
  /** Leaf node of the row in each tree. */
  leaf: Record<TreeName, Uint32Array>;
  thread: Uint32Array;
  /** Position in `goids`. */
  goroutine: Uint32Array;
  goids: Float64Array;
  /** Steps of the header's `time_step_ns` since the start. */
  time: Float64Array;
  flags: Uint8Array;
  cpu: Uint32Array;
  state: Uint32Array;
  labels: Uint32Array;
}

/** How many there are of what a sample points at. */
export interface Bounds {
  nodes: Record<TreeName, number>;
  threads: number;
  states: number;
  labelSets: number;
}

export function readSamples(container: Container, bounds: Bounds): Samples {
  const flags = container.u8("sm_flags");
  const count = flags.length;
  const numbers = (name: string): Uint32Array =>
    unpack(container.u8(`sm_${name}`), count, `column sm_${name}`);
  const thread = below(numbers("thread"), bounds.threads, "thread");
  const sticky = (name: string, bound: number): Uint32Array =>
    below(carried(numbers(name), thread, bounds.threads), bound, name);
  const stack = numbers("stack");
  const leaf = (name: TreeName): Uint32Array => {
    const ends = below(container.u32(`st_${name}`), bounds.nodes[name], `${name} leaf`);
    below(stack, ends.length, "stack");
    return stack.map((number) => ends[number]!);
  };
  const goids = container.f64("go_id");
  let time = 0;
  return {
    count,
    weight: numbers("weight").map((more) => more + 1),
    leaf: { folded: leaf("folded"), full: leaf("full") },
    thread,
    goroutine: sticky("goroutine", goids.length),
    goids,
    time: Float64Array.from(numbers("time"), (step) => (time += step)),
    flags,
    cpu: sticky("cpu", Infinity),
    state: sticky("state", bounds.states),
    labels: sticky("labels", bounds.labelSets),
  };
}

/** LEB128; a column without bytes is all zeros. */
function unpack(bytes: Uint8Array, count: number, what: string): Uint32Array {
  const numbers = zeros(count);
  if (bytes.length === 0) return numbers;
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    let scale = 1;
    let byte;
    do {
      if (at === bytes.length) fail(`${what} is cut off`);
      byte = bytes[at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    numbers[i] = value;
  }
  return numbers;
}

/** Zero is the number of the sample before on the same thread, else the number plus one. */
function carried(numbers: Uint32Array, thread: Uint32Array, threads: number): Uint32Array {
  const last = zeros(threads);
  return numbers.map((number, i) => {
    const on = thread[i]!;
    return number === 0 ? last[on]! : (last[on] = number - 1);
  });
}

function below(column: Uint32Array, bound: number, what: string): Uint32Array {
  checkBelow(column, bound, `a sample's ${what}`);
  return column;
}
