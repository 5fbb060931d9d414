// The reader takes every well-formed page and names the fault of every other one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DataError } from "../src/model/container";
import { readProfile } from "../src/model/profile";
import { type Columns, encode, fromFolded, type Header, nodeNames, server } from "./fixture";

function checkFault(change: (header: Header, columns: Columns) => void, message: RegExp): void {
  const { header, columns } = server();
  change(header, columns);
  const read = (): void => {
    const profile = readProfile(encode(header, columns));
    profile.tree("folded");
    profile.tree("full");
    // Samples are unpacked when first asked for.
    assert.ok(profile.samples.count > 0);
  };
  assert.throws(read, (error) => error instanceof DataError && message.test(error.message));
}

test("the example is read with both trees", () => {
  const { header, columns } = server();
  const profile = readProfile(encode(header, columns));
  assert.equal(profile.header.title, "api-server");
  assert.equal(profile.tree("folded").total[0], profile.samples.count);
  assert.equal(profile.tree("full").total[0], profile.samples.count);
  assert.ok(profile.tree("full").deepest[0]! > profile.tree("folded").deepest[0]!);
});

test("siblings lie side by side, heaviest first", () => {
  const profile = fromFolded(["a;x 1", "a;y 3", "b 2", "a 1"]);
  const tree = profile.tree("folded");
  assert.deepEqual(nodeNames(profile, tree, [0, 1, 2, 3, 4]), ["root", "a", "y", "x", "b"]);
  assert.deepEqual([...tree.start], [0, 0, 0, 3, 5]);
  assert.deepEqual([...tree.end], [5, 4, 3, 4, 5]);
  assert.deepEqual([...tree.deepest], [2, 2, 2, 2, 1]);
});

test("a very deep tree is read without recursion", () => {
  const deep = Array.from({ length: 30000 }, (_, i) => `f${i % 7}`).join(";");
  assert.equal(fromFolded([`${deep} 1`]).tree("folded").deepest[0], 30000);
});

test("any cut of the data is an error, never a crash", () => {
  const { header, columns } = server();
  const whole = encode(header, columns);
  for (let length = 0; length < whole.byteLength; length += 997) {
    const read = (): unknown => readProfile(whole.slice(0, length));
    assert.throws(read, DataError);
  }
});

test("faults in the header are named", () => {
  checkFault((header) => (header.strings = []), /no strings/);
  checkFault((header) => (header.strings = "x"), /not a list/);
  checkFault((header) => (header.quality = [3]), /quality/);
  checkFault((header) => (header.title = 4), /title/);
});

test("faults in columns are named", () => {
  checkFault((_, columns) => delete columns.fn_name, /fn_name is missing/);
  checkFault((_, columns) => (columns.fr_line = new Uint8Array(3)), /fr_line is not u32/);
  checkFault((_, columns) => (columns.fn_kind = new Uint8Array(1)), /fn_kind has not \d+ entries/);
  checkFault((_, columns) => (columns.fr_fn![2] = 1e9), /a frame's function points outside/);
  checkFault((_, columns) => (columns.st_folded![0] = 1e9), /folded leaf points outside/);
  checkFault((_, columns) => (columns.sm_stack = new Uint8Array(3)), /sm_stack is cut off/);
  checkFault((_, columns) => (columns.sm_state![0] = 99), /state points outside/);
  checkFault((_, columns) => (columns.folded_parent = new Uint32Array(0)), /folded tree is empty/);
});

test("a tree that is not in pre-order is named", () => {
  checkFault((_, columns) => (columns.folded_parent![1] = 5), /node 1 of the folded tree/);
  checkFault((_, columns) => (columns.full_depth![3] = 9), /node 3 of the full tree/);
  checkFault((_, columns) => (columns.folded_frame![4] = 1e9), /has no frame/);
  checkFault((_, columns) => (columns.folded_total![1] = 1), /does not fit its parent|heavier/);
  checkFault((_, columns) => (columns.folded_parent![0] = 1), /is no root/);
});

test("kinds a newer exporter knows are shown as code without a name", () => {
  const { header, columns } = server();
  columns.fn_kind![3] = 200;
  assert.equal(readProfile(encode(header, columns)).functions.kind[3], 5);
});
