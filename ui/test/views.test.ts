// The trees the page makes itself: groups, filters, order of time, sandwich.

import assert from "node:assert/strict";
import { test } from "node:test";
import { derive, type Wish } from "../src/model/derive";
import { dimensions } from "../src/model/dimension";
import { decodeFilter } from "../src/model/filter";
import { createBoxes, layout } from "../src/model/layout";
import { type Profile, readProfile } from "../src/model/profile";
import { sandwich } from "../src/model/sandwich";
import type { Tree } from "../src/model/tree";
import { encode, fromFolded, nodeNamed, nodeNames, server } from "./fixture";

const MIXED = ["main;walk;walk;leaf 4", "main;walk;stop 2", "other;walk;leaf 1", "idle 3"];

function view(profile: Profile, wish: { group?: string; timed?: boolean; filters?: string[] }): Tree {
  const all = dimensions(profile);
  const asked: Wish = {
    group: all.find(({ id }) => id === wish.group),
    timed: wish.timed ?? false,
    filters: (wish.filters ?? []).map((text) => decodeFilter(text)!),
  };
  return derive(profile, profile.tree("folded"), asked, all);
}

/** `name total self` of every node, indented. */
function shown(profile: Profile, tree: Tree): string[] {
  const names = nodeNames(
    profile,
    tree,
    tree.parent.map((_, i) => i),
  );
  return names.map((name, i) => `${" ".repeat(tree.depth[i]!)}${name} ${tree.total[i]}`);
}

function example(): Profile {
  const { header, columns } = server();
  return readProfile(encode(header, columns));
}

test("without wishes the tree of the data is shown", () => {
  const profile = fromFolded(MIXED);
  assert.equal(view(profile, {}), profile.tree("folded"));
});

test("filters keep, drop and cut", () => {
  const profile = fromFolded(MIXED);
  assert.deepEqual(shown(profile, view(profile, { filters: ["only/frame/leaf"] })), [
    "root 5",
    " main 4",
    "  walk 4",
    "   walk 4",
    "    leaf 4",
    " other 1",
    "  walk 1",
    "   leaf 1",
  ]);
  assert.deepEqual(shown(profile, view(profile, { filters: ["without/frame/walk"] })), [
    "root 3",
    " idle 3",
  ]);
  // What is left of the stacks merges.
  assert.deepEqual(shown(profile, view(profile, { filters: ["hide/frame/main|other|walk"] })), [
    "root 10",
    " leaf 5",
    " idle 3",
    " stop 2",
  ]);
});

test("groups are roots under the process and add up", () => {
  const profile = example();
  const whole = profile.tree("folded").total[0];
  for (const { id } of dimensions(profile)) {
    const tree = view(profile, { group: id });
    assert.equal(tree.total[0], whole, id);
    const tops = Array.from(tree.depth.keys()).filter((i) => tree.depth[i] === 1);
    assert.ok(tops.every((i) => tree.groups!.has(tree.frame[i]!)), id);
    assert.equal(
      tops.reduce((sum, i) => sum + tree.total[i]!, 0),
      whole,
    );
  }
  const names = shown(profile, view(profile, { group: "label:route" }));
  assert.ok(names.some((name) => name.startsWith(" route=/search ")));
  assert.ok(names.some((name) => name.startsWith(" no route ")));
});

test("every sample knows where it ends, in any view", () => {
  const profile = example();
  const views = [{ timed: true }, { group: "thread" }, { group: "state", timed: true }];
  for (const wish of [...views, { filters: ["only/kind/3"], group: "cpu" }]) {
    const tree = view(profile, wish);
    const self = new Uint32Array(tree.count);
    for (const node of tree.leaf!) if (node < tree.count) self[node]!++;
    assert.deepEqual(self, tree.self);
  }
});

test("in order of time a call that returns and comes again is two boxes", () => {
  const profile = fromFolded(["a;x 2", "a 1", "b 1", "a;x 1"]);
  assert.deepEqual(shown(profile, view(profile, { timed: true })), [
    "root 5",
    " a 3",
    "  x 2",
    " b 1",
    " a 1",
    "  x 1",
  ]);
  const tree = view(fromFolded(["a 1", "a;x 1", "a 1"]), { timed: true });
  assert.deepEqual([...tree.start], [0, 0, 1], "x lies where it was called");
});

test("in order of time every frame is drawn or counted", () => {
  const profile = example();
  const tree = view(profile, { timed: true });
  const boxes = createBoxes();
  for (const widthPx of [200, 1200]) {
    const rows = tree.deepest[0]!;
    layout(tree, { from: 0, to: tree.total[0]!, firstRow: 0, lastRow: rows, widthPx }, boxes);
    let frames = 0;
    for (let b = 0; b < boxes.count; b++) frames += Math.max(1, boxes.merged[b]!);
    assert.equal(frames, tree.count);
  }
});

test("a sandwich counts a sample once, from the outermost instance", () => {
  const profile = fromFolded(MIXED);
  const tree = profile.tree("folded");
  const fn = profile.frames.fn[tree.frame[nodeNamed(profile, tree, "walk")]!]!;
  const { callees, callers } = sandwich(profile, tree, fn)!;
  assert.deepEqual(shown(profile, callees), ["walk 7", " walk 4", "  leaf 4", " stop 2", " leaf 1"]);
  assert.deepEqual(shown(profile, callers), ["walk 7", " main 6", " other 1"]);
  assert.equal(sandwich(profile, tree, -1), null);
});
