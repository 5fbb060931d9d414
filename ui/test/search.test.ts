// Search, totals, switching trees and the fragment.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeView, encodeView } from "../src/model/hash";
import { counterpart } from "../src/model/counterpart";
import { formatShare } from "../src/model/format";
import { presenceBelow } from "../src/model/presence";
import { readProfile } from "../src/model/profile";
import {
  compilePattern,
  matchesBetween,
  matchFunctions,
  matchTree,
  stepMatch,
} from "../src/model/search";
import { wholeStack } from "../src/model/stack";
import { functionTotals, rankFunctions } from "../src/model/totals";
import { encode, fromFolded, nodeNamed, nodeNames, server } from "./fixture";

const RECURSIVE = ["main;walk;walk;leaf 4", "main;walk;stop 2", "main;leaf 1", "idle 3"];

function search(text: string): { samples: number; names: string[] } {
  const profile = fromFolded(RECURSIVE);
  const tree = profile.tree("folded");
  const found = matchTree(tree, profile.frames.fn, matchFunctions(profile, compilePattern(text)!));
  return { samples: found.samples, names: nodeNames(profile, tree, found.nodes) };
}

test("nested matches weigh once", () => {
  assert.deepEqual(search("walk"), { samples: 6, names: ["walk", "walk"] });
  assert.deepEqual(search("walk|leaf"), { samples: 7, names: ["walk", "walk", "leaf", "leaf"] });
});

test("search ignores case and takes regular expressions", () => {
  assert.deepEqual(search("^L.*F$").names, ["leaf", "leaf"]);
  assert.deepEqual(search("nothing").samples, 0);
});

test("an invalid expression is taken as plain text and says so", () => {
  const pattern = compilePattern("(*Rows")!;
  assert.ok(pattern.test("store.(*rows).Next"));
  assert.match(pattern.problem, /plain text/);
  assert.equal(compilePattern(""), null);
});

test("next and previous match wrap around", () => {
  const matches = { nodes: Uint32Array.of(2, 5, 9), samples: 1 };
  assert.deepEqual(
    [0, 2, 5, 9, 20].map((from) => stepMatch(matches, from, 1)),
    [0, 1, 2, 0, 0],
  );
  assert.deepEqual(
    [0, 2, 5, 9].map((from) => stepMatch(matches, from, -1)),
    [2, 2, 0, 1],
  );
  assert.equal(matchesBetween(matches, 2, 9), 2);
});

test("recursion counts once towards a function's total", () => {
  const profile = fromFolded(RECURSIVE);
  const tree = profile.tree("folded");
  const totals = functionTotals(profile, tree, 0);
  const fnOf = (name: string): number =>
    profile.frames.fn[tree.frame[nodeNamed(profile, tree, name)]!]!;
  assert.equal(totals.total[fnOf("walk")], 6);
  assert.equal(totals.instances[fnOf("walk")], 2);
  assert.equal(totals.self[fnOf("leaf")], 5);
  assert.equal(rankFunctions(totals, "self")[0], fnOf("leaf"));
  const below = functionTotals(profile, tree, nodeNamed(profile, tree, "walk"));
  assert.equal(below.total[fnOf("leaf")], 4);
});

test("the whole stack goes from the heaviest leaf to the root", () => {
  const profile = fromFolded(RECURSIVE);
  const tree = profile.tree("folded");
  const stack = wholeStack(tree, nodeNamed(profile, tree, "walk"));
  assert.deepEqual(nodeNames(profile, tree, stack.nodes), ["leaf", "walk", "walk", "main", "root"]);
});

test("a node is found again in the other tree, an edge through its caller", () => {
  const { header, columns } = server();
  const profile = readProfile(encode(header, columns));
  const folded = profile.tree("folded");
  const full = profile.tree("full");
  const name = "sqlite3VdbeExec";
  const there = counterpart(profile, folded, nodeNamed(profile, folded, name), full);
  assert.deepEqual(nodeNames(profile, full, [there]), [name]);
  const edge = nodeNamed(profile, folded, "cgo call → sqlite3_step");
  const caller = counterpart(profile, folded, edge, full);
  assert.match(nodeNames(profile, full, [caller])[0]!, /\(\*Rows\)\.Next$/);
  const back = counterpart(profile, full, there, folded);
  assert.equal(back, nodeNamed(profile, folded, name));
});

test("presence counts goroutines, threads and who held a P", () => {
  const { header, columns } = server();
  const profile = readProfile(encode(header, columns));
  const tree = profile.tree("folded");
  const all = presenceBelow(profile.samples, tree, 0);
  assert.equal(all.threads, 9);
  assert.equal(all.goroutines, 31);
  assert.equal(all.heldP + all.lostP, profile.samples.count);
  const pump = presenceBelow(profile.samples, tree, nodeNamed(profile, tree, "pump_main"));
  assert.deepEqual([pump.threads, pump.goroutines], [1, 0]);
});

test("the view survives the fragment", () => {
  const view = {
    search: "a+b|(*T) é%&",
    zoom: [12, [3.25, 9] as [number, number], 40],
    selected: 7,
    plumbing: true,
    flipped: true,
    table: 2 as const,
    theme: "dark" as const,
    group: "label:a/b=c",
    timed: true,
    filters: [
      { mode: "only" as const, by: "label:a/b", value: "c/d%&e" },
      { mode: "hide" as const, by: "frame", value: "^x$" },
    ],
    middle: 3,
    pane: 1,
  };
  assert.deepEqual(decodeView(`#${encodeView(view)}`), view);
  const { filters, middle, selected, table } = decodeView("");
  assert.deepEqual([filters, middle, selected, table], [[], -1, -1, 0]);
  assert.deepEqual(decodeView("#f=hide/kind/1&f=x&f=only/%2&f=only/cpu/3").filters, [
    { mode: "only", by: "cpu", value: "3" },
  ]);
  assert.deepEqual(decodeView("#z=x,9-3,,5&s=-1&d=pink").zoom, [5]);
});

test("shares never round a little to nothing nor most to all", () => {
  assert.equal(formatShare(262, 1874), "14.0 %");
  assert.equal(formatShare(1, 100000), "< 0.1 %");
  assert.equal(formatShare(99999, 100000), "> 99.9 %");
  assert.equal(formatShare(0, 10), "0.0 %");
  assert.equal(formatShare(0, 0), "–");
});
