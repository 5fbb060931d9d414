// Builds the columns of a page from stacks: interns texts, functions and frames, grows the
// two trees and puts them in pre-order, heaviest child first.

import { packSamples } from "./samples.mjs";

const NO_EDGE = 0;

class Interner {
  constructor() {
    this.index = new Map();
    this.values = [];
  }

  id(key, value = key) {
    let id = this.index.get(key);
    if (id === undefined) {
      id = this.values.length;
      this.index.set(key, id);
      this.values.push(value);
    }
    return id;
  }
}

/** A tree that grows by whole stacks; nodes are numbered as they come. */
class GrowingTree {
  constructor(rootFrame) {
    this.frame = [rootFrame];
    this.parent = [0];
    this.edge = [NO_EDGE];
    this.self = [0];
    this.total = [0];
    this.children = new Map();
  }

  get count() {
    return this.frame.length;
  }

  /** `path` holds [frame, isEdge] from below the root to the leaf. Returns the leaf. */
  add(path, weight) {
    let node = 0;
    this.total[0] += weight;
    for (const [frame, isEdge] of path) {
      const key = node * 0x400000 + frame;
      let child = this.children.get(key);
      if (child === undefined) {
        child = this.count;
        this.children.set(key, child);
        this.frame.push(frame);
        this.parent.push(node);
        this.edge.push(isEdge ? 1 : 0);
        this.self.push(0);
        this.total.push(0);
      }
      node = child;
      this.total[node] += weight;
    }
    this.self[node] += weight;
    return node;
  }

  /** Pre-order columns and the new number of every node. */
  ordered() {
    const { count } = this;
    const kids = Array.from({ length: count }, () => null);
    for (let i = 1; i < count; i++) (kids[this.parent[i]] ??= []).push(i);
    const columns = {
      parent: new Uint32Array(count),
      frame: new Uint32Array(count),
      depth: new Uint16Array(count),
      calldepth: new Uint16Array(count),
      self: new Uint32Array(count),
      total: new Uint32Array(count),
    };
    const place = new Uint32Array(count);
    const open = [0];
    for (let next = 0; open.length > 0; next++) {
      const node = open.pop();
      place[node] = next;
      const above = place[this.parent[node]];
      columns.parent[next] = above;
      columns.frame[next] = this.frame[node];
      columns.depth[next] = next === 0 ? 0 : columns.depth[above] + 1;
      columns.calldepth[next] = (next === 0 ? 0 : columns.calldepth[above]) + this.edge[node];
      columns.self[next] = this.self[node];
      columns.total[next] = this.total[node];
      const children = kids[node];
      if (children) {
        children.sort((a, b) => this.total[a] - this.total[b] || b - a);
        for (const child of children) open.push(child);
      }
    }
    return { columns, place };
  }
}

export class ProfileBuilder {
  constructor(rootName) {
    this.strings = new Interner();
    this.strings.id("");
    this.functions = new Interner();
    this.frames = new Interner();
    this.threads = new Interner();
    this.samples = [];
    const root = this.frame({ name: rootName, kind: 6 });
    this.trees = { folded: new GrowingTree(root), full: new GrowingTree(root) };
  }

  /** Interns a frame given as {name, module, file, kind, line, flags}. */
  frame({ name, module = "", file = "", kind = 0, line = 0, flags = 0 }) {
    const texts = [name, module, file].map((text) => this.strings.id(text));
    const fn = this.functions.id(`${texts}|${kind}`, [...texts, kind]);
    return this.frames.id(`${fn}|${line}|${flags}`, [fn, line, flags]);
  }

  /** Adds one sample; paths are lists of [frame id, is edge]. */
  sample(
    folded,
    full,
    { thread = "main", tid = 1, goid = 0, time = 0, flags = 1, cpu = 0, state = 0, labels = 0 } = {},
  ) {
    this.samples.push({
      cpu,
      state,
      labels,
      folded: this.trees.folded.add(folded, 1),
      full: this.trees.full.add(full, 1),
      thread: this.threads.id(`${tid}`, [this.strings.id(thread), tid]),
      goid,
      time,
      flags,
    });
  }

  columns() {
    const { samples } = this;
    const columns = {};
    const put = (name, Type, values) => (columns[name] = Type.from(values));
    const functions = this.functions.values;
    ["fn_name", "fn_module", "fn_file"].forEach((name, i) =>
      put(
        name,
        Uint32Array,
        functions.map((f) => f[i]),
      ),
    );
    put(
      "fn_kind",
      Uint8Array,
      functions.map((f) => f[3]),
    );
    put(
      "fr_fn",
      Uint32Array,
      this.frames.values.map((f) => f[0]),
    );
    put(
      "fr_line",
      Uint32Array,
      this.frames.values.map((f) => f[1]),
    );
    put(
      "fr_flags",
      Uint8Array,
      this.frames.values.map((f) => f[2]),
    );
    const leaf = {};
    for (const name of ["folded", "full"]) {
      const { columns: tree, place } = this.trees[name].ordered();
      for (const [key, column] of Object.entries(tree)) columns[`${name}_${key}`] = column;
      leaf[name] = (sample) => place[sample[name]];
    }
    Object.assign(columns, packSamples(samples, leaf));
    put(
      "th_name",
      Uint32Array,
      this.threads.values.map((t) => t[0]),
    );
    put(
      "th_tid",
      Uint32Array,
      this.threads.values.map((t) => t[1]),
    );
    return columns;
  }
}
