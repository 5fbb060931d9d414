// An invented profile of a Go server over SQLite with a collation callback: what the page
// is meant to show well. Deterministic, so that screenshots can be compared.

import { ProfileBuilder } from "./profile-builder.mjs";
import { random } from "./random.mjs";

const GO = 0,
  RT = 1,
  C = 2,
  KERNEL = 3,
  EDGE = 4,
  UNKNOWN = 5;
const INLINED = 1,
  PLUMBING = 2,
  CALLBACK = 4;
const APP = "example.org/acme/api-server/internal/";
const EXE = "/srv/api-server";
const SQLITE = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0";

const go = (name, place) => frame(name, GO, EXE, place);
const std = (name, place) => frame(name, GO, EXE, place && `/usr/local/go/src/${place}`);
const rt = (name, place) => frame(name, RT, EXE, `/usr/local/go/src/runtime/${place}`);
const sql = (name, place) => frame(name, C, SQLITE, `sqlite/src/${place}`);
const libc = (name) => frame(name, C, "/usr/lib/x86_64-linux-gnu/libc.so.6");
const krn = (name) => frame(name, KERNEL, "[kernel]");
const plumb = (name, kind = RT) => ({ ...frame(name, kind, EXE), flags: PLUMBING });

function frame(name, kind, module, place = "") {
  const [file, line] = place.split(":");
  return { name, kind, module, file, line: Number(line ?? 0), flags: 0 };
}

/** A call from Go into C: one edge in the folded tree, its machinery in the full one. */
function call(target, place) {
  const [file, line] = place.split(":");
  return {
    edge: {
      name: `cgo call → ${target}`,
      kind: EDGE,
      module: EXE,
      file,
      line: Number(line),
      flags: 0,
    },
    full: [
      plumb(`${APP}store._Cfunc_${target}`, GO),
      plumb("runtime.cgocall"),
      plumb("runtime.asmcgocall.abi0"),
      plumb(`_cgo_5be1_Cfunc_${target}`, C),
    ],
  };
}

function callback(target, place) {
  const [file, line] = place.split(":");
  return {
    edge: {
      name: `callback → ${target}`,
      kind: EDGE,
      module: EXE,
      file,
      line: Number(line),
      flags: CALLBACK,
    },
    full: [
      plumb(`_cgoexp_91_${target.split(".").pop()}`, C),
      plumb("crosscall2"),
      plumb("runtime.cgocallback.abi0"),
      plumb("runtime.cgocallbackg"),
      plumb("runtime.cgocallbackg1"),
    ],
  };
}

const serve = [
  std("net/http.(*conn).serve", "net/http/server.go:2092"),
  go(`${APP}server.(*API).ServeHTTP`, "internal/server/api.go:61"),
];
const next = [
  ...serve,
  go(`${APP}server.(*API).search`, "internal/server/search.go:44"),
  go(`${APP}store.(*Rows).Next`, "internal/store/rows.go:112"),
];
const stepped = [
  ...next,
  call("sqlite3_step", "internal/store/rows.go:118"),
  sql("sqlite3_step", "vdbeapi.c:904"),
  sql("sqlite3VdbeExec", "vdbe.c:868"),
];
const exec = [
  ...serve,
  go(`${APP}store.(*DB).Exec`, "internal/store/db.go:77"),
  call("sqlite3_exec", "internal/store/db.go:81"),
  sql("sqlite3_exec", "legacy.c:30"),
  sql("sqlite3VdbeExec", "vdbe.c:912"),
];
const pread = [
  sql("pagerRead", "pager.c:3001"),
  sql("unixRead", "os_unix.c:3440"),
  libc("__pread64"),
];
const pwrite = [
  sql("pagerWrite", "pager.c:5790"),
  sql("unixWrite", "os_unix.c:3561"),
  libc("__pwrite64"),
];
const readSys = [
  ...pread,
  krn("entry_SYSCALL_64_after_hwframe"),
  krn("do_syscall_64"),
  krn("ksys_pread64"),
  krn("vfs_read"),
  krn("ext4_file_read_iter"),
];
const writeSys = [
  ...pwrite,
  krn("entry_SYSCALL_64_after_hwframe"),
  krn("do_syscall_64"),
  krn("ksys_pwrite64"),
  krn("vfs_write"),
  krn("ext4_file_write_iter"),
];
const collate = [
  ...stepped,
  sql("vdbeRecordCompareString", "vdbeaux.c:4690"),
  callback(`${APP}store.goCollate`, "vdbeaux.c:4702"),
  go(`${APP}store.goCollate`, "internal/store/collate.go:40"),
];
const icu = [
  ...collate,
  go(`${APP}collate.(*Collator).Compare`, "internal/collate/collate.go:88"),
  call("ucol_strcollUTF8", "internal/collate/icu.go:31"),
];
const gc = [rt("runtime.gcBgMarkWorker", "mgc.go:1530"), rt("runtime.gcDrain", "mgcmark.go:1210")];
const json = [
  ...serve,
  std("encoding/json.Marshal", "encoding/json/encode.go:171"),
  std("encoding/json.(*encodeState).reflectValue", "encoding/json/encode.go:333"),
];
const pump = [
  frame("pump_main", C, "/srv/libpump.so", "pump.c:210"),
  frame("pump_loop", C, "/srv/libpump.so", "pump.c:188"),
  callback("main.onEvent", "pump.c:152"),
  go("main.onEvent", "main.go:73"),
];

/** weight, stack, who ran it */
const STACKS = [
  [96, [...stepped, sql("sqlite3BtreeNext", "btree.c:6201"), sql("moveToChild", "btree.c:5480")]],
  [150, [...stepped, sql("sqlite3BtreeNext", "btree.c:6188")]],
  [
    62,
    [...stepped, sql("sqlite3BtreePayload", "btree.c:5141"), libc("__memmove_avx_unaligned_erms")],
  ],
  [138, stepped],
  [34, next],
  [
    66,
    [
      ...collate,
      go(`${APP}collate.(*Collator).Compare`, "internal/collate/collate.go:92"),
      go("strings.(*Builder).grow", "strings/builder.go:66"),
    ],
  ],
  [49, collate],
  [
    58,
    [
      ...icu,
      frame("ucol_strcollUTF8_72", C, "/usr/lib/libicui18n.so.72"),
      frame(
        "icu_72::RuleBasedCollator::doCompare(unsigned char const*, int, UErrorCode&) const",
        C,
        "/usr/lib/libicui18n.so.72",
      ),
    ],
  ],
  [39, [...icu, frame("[libicudata.so.72]", UNKNOWN, "/usr/lib/libicudata.so.72")]],
  [
    44,
    [
      ...collate,
      rt("runtime.mallocgc", "malloc.go:1210"),
      rt("runtime.nextFreeFast", "malloc.go:960"),
    ],
  ],
  [70, [...stepped, ...readSys, krn("filemap_read"), krn("copy_page_to_iter")]],
  [38, [...stepped, ...readSys, krn("generic_file_buffered_read")]],
  [24, [...stepped, ...pread]],
  [150, [...exec, sql("sqlite3BtreeInsert", "btree.c:9302"), sql("balance", "btree.c:8811")]],
  [40, [...exec, sql("sqlite3BtreeInsert", "btree.c:9340")]],
  [86, [...exec, ...writeSys, krn("ext4_buffered_write_iter"), krn("generic_perform_write")]],
  [32, [...exec, ...writeSys]],
  [28, [...exec, ...pwrite]],
  [22, exec],
  [52, [...json, std("reflect.Value.Field", "reflect/value.go:1270")]],
  [
    40,
    [
      ...json,
      std("encoding/json.structEncoder.encode", "encoding/json/encode.go:690"),
      {
        ...std("encoding/json.(*encodeState).string", "encoding/json/encode.go:980"),
        flags: INLINED,
      },
    ],
  ],
  [26, json],
  [90, [...gc, rt("runtime.scanobject", "mgcmark.go:1480")]],
  [36, [...gc, rt("runtime.markroot", "mgcmark.go:190")]],
  [
    48,
    [
      rt("runtime.mcall", "asm_amd64.s:459"),
      rt("runtime.schedule", "proc.go:3980"),
      rt("runtime.findRunnable", "proc.go:3380"),
      rt("runtime.stealWork", "proc.go:3720"),
    ],
  ],
  [46, [...pump, std("fmt.Fprintf", "fmt/print.go:222")]],
  [28, [...pump, rt("runtime.newobject", "malloc.go:1720")]],
  [22, pump.slice(0, 2)],
];

const TAILS = [
  "parse",
  "visit",
  "lookup",
  "encode",
  "flush",
  "merge",
  "split",
  "hash",
  "append",
  "trim",
];

export function apiServer() {
  const builder = new ProfileBuilder("api-server");
  const rand = random(7);
  for (const [weight, stack] of STACKS) {
    for (let i = 0; i < weight; i++) addSample(builder, stack, rand, moment(stack, rand) * 1e9);
  }
  addLongTail(builder, rand);
  const count = builder.samples.length;
  return { header: header(builder, count), columns: builder.columns() };
}

/** Seconds since the start: collections come in bursts, writes in the second half. */
function moment(stack, rand) {
  if (stack[0] === gc[0]) return 2 * Math.floor(rand() * 5) + 0.4 * rand();
  return stack.includes(exec[2]) ? 5 + 5 * rand() : 10 * rand();
}

function addSample(builder, stack, rand, time) {
  const inC = [C, KERNEL, UNKNOWN].includes(stack[stack.length - 1].kind);
  const worker = stack[0].kind === C ? 8 : Math.floor(rand() * 8);
  const goid = stack[0].kind === C ? 0 : 18 + Math.floor(rand() * 31);
  const flags =
    (rand() < 0.96 ? 1 : 2) | (inC ? 4 : 0) | (stack[stack.length - 1].kind === KERNEL ? 8 : 0);
  const { folded, full } = paths(builder, stack);
  builder.sample(folded, full, {
    thread: worker === 8 ? "pump" : "api-server",
    tid: 4242 + worker,
    goid,
    time,
    flags,
    cpu: (worker + Math.floor(rand() * 1.2)) % 4,
    state: goid === 0 ? 0 : inC ? 2 : 1,
    labels: stack[0] !== serve[0] ? 0 : stack.includes(exec[2]) ? 2 : 1,
  });
}

/** Many rare stacks, as real profiles have: they become "+n frames" bars. */
function addLongTail(builder, rand) {
  for (let i = 0; i < 70; i++) {
    const depth = 2 + Math.floor(rand() * 9);
    const tail = Array.from({ length: depth }, (_, level) => {
      const what = TAILS[Math.floor(rand() * TAILS.length)];
      return go(
        `${APP}query.(*planner).${what}${level > 3 ? "Node" : ""}`,
        `internal/query/${what}.go:${20 + Math.floor(rand() * 90)}`,
      );
    });
    addSample(
      builder,
      [...serve, go(`${APP}query.Plan`, "internal/query/plan.go:18"), ...tail],
      rand,
      i * 1e8,
    );
  }
}

function paths(builder, stack) {
  const folded = [];
  const full = [];
  for (const part of stack) {
    if (part.edge) {
      folded.push([builder.frame(part.edge), true]);
      part.full.forEach((inner, i) => full.push([builder.frame(inner), i === 0]));
    } else {
      const entry = [builder.frame(part), false];
      folded.push(entry);
      full.push(entry);
    }
  }
  return { folded, full };
}

function header(builder, count) {
  return {
    title: "api-server",
    subtitle: ["pid 4242", "Go 1.26.8 · cgo · PIE, stripped", "10.0 s at 99 Hz, on-CPU"],
    tier: "tier 0 · read-only",
    quality: [
      { label: "whole stacks", value: "100.0 %", note: "", level: "good" },
      { label: "samples", value: count.toLocaleString("en-US"), note: "", level: "" },
      { label: "lost", value: "0", note: "", level: "" },
      { label: "without a name", value: "2.1 %", note: "libicudata: no symbols", level: "warn" },
      { label: "profiler cost", value: "0.3 %", note: "of a core", level: "" },
    ],
    notes: [],
    unit: "samples",
    period_ns: 10101010,
    time_step_ns: 100_000,
    states: ["", "running", "syscall"],
    label_sets: [{}, { route: "/search" }, { route: "/orders", tenant: "acme" }],
    strings: builder.strings.values,
  };
}
