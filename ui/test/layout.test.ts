// Layout shows every node in the window as a box or counts it in a bar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createBoxes, layout, mergedFrames, type Viewport } from "../src/model/layout";
import {
  deepestCovering,
  nextSibling,
  nodeAt,
  NO_NODE,
  previousSibling,
} from "../src/model/navigate";
import { readProfile } from "../src/model/profile";
import { scaleSpan, shiftSpan, spanOf, ZoomHistory } from "../src/model/zoom";
import { encode, fromFolded, nodeNamed, nodeNames, server } from "./fixture";

const ALL_ROWS = { firstRow: 0, lastRow: 1000 };
const STACKS = ["a;x 60", "a;y 30", "a 6", "b;c;d 2", "e 1", "f;g 1"];

function shown(view: Partial<Viewport>): {
  names: string[];
  merged: number;
  boxes: ReturnType<typeof createBoxes>;
} {
  const profile = fromFolded(STACKS);
  const tree = profile.tree("folded");
  const boxes = createBoxes();
  layout(tree, { from: 0, to: tree.total[0]!, ...ALL_ROWS, widthPx: 1000, ...view }, boxes);
  const plain = Array.from(boxes.node.slice(0, boxes.count)).filter(
    (_, b) => boxes.merged[b] === 0,
  );
  return { names: nodeNames(profile, tree, plain), merged: mergedFrames(boxes), boxes };
}

test("with room for all, every node is a box", () => {
  const { names, merged } = shown({});
  assert.deepEqual(names, ["root", "a", "x", "y", "b", "c", "d", "e", "f", "g"]);
  assert.equal(merged, 0);
});

test("narrow frames are counted in one bar, none is dropped", () => {
  const { names, merged, boxes } = shown({ widthPx: 100 });
  assert.deepEqual(names, ["root", "a", "x", "y", "b", "c", "d"]);
  assert.equal(merged, 3);
  assert.equal(boxes.count, 8);
});

test("a bar spans what it stands for", () => {
  const { boxes } = shown({ widthPx: 100 });
  const bar = boxes.count - 1;
  assert.equal(boxes.leftPx[bar], 98);
  assert.equal(boxes.widthPx[bar], 2);
  assert.equal(boxes.row[bar], 1);
});

test("subtrees outside the window are skipped, boxes are clipped to it", () => {
  const { names, boxes } = shown({ from: 50, to: 70 });
  assert.deepEqual(names, ["root", "a", "x", "y"]);
  assert.deepEqual([...boxes.leftPx.slice(0, 4)], [0, 0, 0, 500]);
  assert.deepEqual([...boxes.widthPx.slice(0, 4)], [1000, 1000, 500, 500]);
});

test("rows outside the window are skipped", () => {
  assert.deepEqual(shown({ firstRow: 2, lastRow: 2 }).names, ["x", "y", "c", "g"]);
});

test("every node of the example is a box or counted, at any width", () => {
  const { header, columns } = server();
  const tree = readProfile(encode(header, columns)).tree("folded");
  const boxes = createBoxes();
  for (const widthPx of [3, 40, 400, 1700, 100000]) {
    layout(tree, { from: 0, to: tree.total[0]!, ...ALL_ROWS, widthPx }, boxes);
    let plain = 0;
    for (let b = 0; b < boxes.count; b++) if (boxes.merged[b] === 0) plain++;
    assert.equal(plain + mergedFrames(boxes), tree.count, `at ${widthPx} px`);
  }
});

test("hit tests and siblings agree with the layout", () => {
  const profile = fromFolded(STACKS);
  const tree = profile.tree("folded");
  const at = (x: number, depth: number): string[] => {
    const node = nodeAt(tree, x, depth);
    return node === NO_NODE ? [] : nodeNames(profile, tree, [node]);
  };
  assert.deepEqual(at(59.5, 2), ["x"]);
  assert.deepEqual(at(60, 2), ["y"]);
  assert.deepEqual(at(95, 2), []);
  assert.deepEqual(at(95, 1), ["a"]);
  const b = nodeNamed(profile, tree, "b");
  assert.deepEqual(nodeNames(profile, tree, [previousSibling(tree, b)]), ["a"]);
  assert.deepEqual(nodeNames(profile, tree, [nextSibling(tree, b)]), ["e"]);
  assert.equal(previousSibling(tree, 1), NO_NODE);
  assert.equal(deepestCovering(tree, 61, 70), nodeNamed(profile, tree, "y"));
});

test("zooming keeps the point under the pointer and stays inside", () => {
  const span = scaleSpan({ from: 0, to: 100 }, 25, 0.5, 100);
  assert.deepEqual(span, { from: 12.5, to: 62.5 });
  assert.deepEqual(scaleSpan(span, 25, 100, 100), { from: 0, to: 100 });
  assert.deepEqual(shiftSpan(span, 1000, 100), { from: 50, to: 100 });
  const closest = scaleSpan({ from: 10, to: 12 }, 11, 1e-9, 100);
  assert.equal(closest.to - closest.from, 1);
});

test("going back undoes one zoom; free zooming is one step", () => {
  const tree = fromFolded(STACKS).tree("folded");
  const zoom = new ZoomHistory(100);
  zoom.push(spanOf(tree, 1));
  zoom.adjust({ from: 1, to: 50 });
  zoom.adjust({ from: 2, to: 40 });
  assert.equal(zoom.path.length, 2);
  assert.ok(zoom.back());
  assert.equal(zoom.current.node, 1);
  assert.ok(zoom.back());
  assert.ok(!zoom.zoomed);
  assert.ok(!zoom.back());
});
