// Names lose the end nobody needs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { baseName, nameForms, shortName } from "../src/model/names";
import { SHADE_COUNT, shadeOf } from "../src/model/shade";

function check(names: Record<string, string>): void {
  for (const [name, short] of Object.entries(names)) assert.equal(shortName(name), short, name);
}

test("Go names lose the package path", () => {
  check({
    "github.com/x/y/pkg.(*T).Method": "pkg.(*T).Method",
    "net/http.(*conn).serve": "http.(*conn).serve",
    "runtime.gcDrain": "runtime.gcDrain",
    "gopkg.in/yaml%2ev3.Unmarshal": "yaml.v3.Unmarshal",
    "example.org/store/v2.Open": "store/v2.Open",
    "slices.SortFunc[go.shape.[]example.org/a/b.T,int]":
      "slices.SortFunc[go.shape.[]example.org/a/b.T,int]",
    "a.com/x.Map[github.com/p/q.K,int].Get": "x.Map[github.com/p/q.K,int].Get",
    "main.main.func1.2": "main.main.func1.2",
    "type:.eq.net/http.http2header": "http.http2header",
  });
});

test("edges keep their words and lose the path of the target", () => {
  check({
    "callback → github.com/acme/store.goCollate": "callback → store.goCollate",
    "cgo call → sqlite3_step": "cgo call → sqlite3_step",
  });
});

test("C++ names lose arguments, templates and outer namespaces", () => {
  check({
    "icu_72::RuleBasedCollator::doCompare(unsigned char const*, int) const":
      "RuleBasedCollator::doCompare",
    "std::vector<int, std::allocator<int> >::push_back(int&&)": "vector::push_back",
    "void ns::run<int>(std::function<void (int)>)": "ns::run",
    "(anonymous namespace)::helper(int)": "(anonymous)::helper",
  });
});

test("other names stay as they are", () => {
  check({ sqlite3VdbeExec: "sqlite3VdbeExec", "[libicudata.so.72]": "[libicudata.so.72]", "": "" });
});

test("forms get shorter down to the method, closures keep their function", () => {
  assert.deepEqual(nameForms("a.com/x/pkg.(*T).Method"), [
    "a.com/x/pkg.(*T).Method",
    "pkg.(*T).Method",
    "Method",
  ]);
  assert.deepEqual(nameForms("main.run.func1"), ["main.run.func1", "run.func1"]);
  assert.equal(nameForms("runtime.asmcgocall.abi0").at(-1), "asmcgocall.abi0");
  assert.deepEqual(nameForms("cgo call → step"), ["cgo call → step", "step"]);
  assert.deepEqual(nameForms("callback → a/b.f"), [
    "callback → a/b.f",
    "callback → b.f",
    "b.f",
    "f",
  ]);
  assert.deepEqual(nameForms("memcpy"), ["memcpy"]);
  assert.deepEqual(nameForms("[libicudata.so.72]"), ["[libicudata.so.72]"]);
  assert.deepEqual(nameForms("libfoo.so+0x12"), ["libfoo.so+0x12"]);
  assert.deepEqual(nameForms("walk.isra.0"), ["walk.isra.0", "walk"]);
  assert.equal(baseName("/src/rows.go:12"), "rows.go:12");
});

test("a package has one shade, the module decides for C", () => {
  assert.equal(shadeOf("a/b.F", "x"), shadeOf("a/b.(*T).G", "y"));
  assert.equal(shadeOf("malloc", "libc.so"), shadeOf("free", "libc.so"));
  const shades = new Set(Array.from({ length: 60 }, (_, i) => shadeOf(`pkg${i}.F`, "")));
  assert.equal(shades.size, SHADE_COUNT);
});
