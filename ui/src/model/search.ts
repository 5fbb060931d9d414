// Search over function names: a case-insensitive regular expression, or the plain text
// when it is not one. Owns matching of names and what the matches weigh in a tree.

import { zeros } from "./numbers";
import type { Profile } from "./profile";
import type { Tree } from "./tree";

export interface Pattern {
  text: string;
  test(name: string): boolean;
  /** Why the text is taken literally; empty when it is a regular expression. */
  problem: string;
}

export interface Matches {
  /** Matching nodes in pre-order. */
  nodes: Uint32Array;
  /** Samples below any matching node, each counted once. */
  samples: number;
}

export function compilePattern(text: string): Pattern | null {
  if (text === "") return null;
  try {
    const expression = new RegExp(text, "i");
    return { text, test: (name) => expression.test(name), problem: "" };
  } catch {
    const plain = text.toLowerCase();
    return {
      text,
      test: (name) => name.toLowerCase().includes(plain),
      problem: "not a regular expression, taken as plain text",
    };
  }
}

/** A pattern for just this name. */
export function exactly(name: string): string {
  return `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
}

/** One byte per function: 1 where the name matches. */
export function matchFunctions(profile: Profile, pattern: Pattern): Uint8Array {
  const { functions, header } = profile;
  const hit = new Uint8Array(functions.count);
  for (let fn = 0; fn < functions.count; fn++) {
    if (pattern.test(header.strings[functions.name[fn]!]!)) hit[fn] = 1;
  }
  return hit;
}

export function matchTree(tree: Tree, frameFn: Uint32Array, hit: Uint8Array): Matches {
  let nodes = zeros(256);
  let count = 0;
  let samples = 0;
  let coveredUntil = 0;
  for (let i = 0; i < tree.count; i++) {
    if (hit[frameFn[tree.frame[i]!]!] === 0) continue;
    if (count === nodes.length) nodes = grown(nodes);
    nodes[count++] = i;
    if (i < coveredUntil) continue;
    samples += tree.total[i]!;
    coveredUntil = tree.end[i]!;
  }
  return { nodes: nodes.slice(0, count), samples };
}

/** How many matching nodes lie in the nodes `from` to `to`, the last excluded. */
export function matchesBetween(matched: Matches, from: number, to: number): number {
  return lowerBound(matched.nodes, to) - lowerBound(matched.nodes, from);
}

/** Position in `nodes` of the match after (or before) a node, wrapping around. */
export function stepMatch(matched: Matches, from: number, step: 1 | -1): number {
  const { nodes } = matched;
  if (nodes.length === 0) return -1;
  const at = lowerBound(nodes, from);
  if (step === 1) {
    const next = nodes[at] === from ? at + 1 : at;
    return next % nodes.length;
  }
  return (at - 1 + nodes.length) % nodes.length;
}

/** Which match the node is, for "k of n"; -1 when it is none. */
export function matchAt(matched: Matches, node: number): number {
  const at = lowerBound(matched.nodes, node);
  return matched.nodes[at] === node ? at : -1;
}

function lowerBound(nodes: Uint32Array, value: number): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (nodes[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function grown(nodes: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = zeros(nodes.length * 2);
  larger.set(nodes);
  return larger;
}
