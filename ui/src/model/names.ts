// Shortening of function names at the end nobody needs: the package path goes first, then
// C++ arguments, then the package, never the method. Owns the spelling rules of Go and C++
// names; measuring pixels is flame/text.ts.

/** Names from longest to shortest, to be tried in turn; the first is the full name. */
export type NameForms = readonly string[];

const EDGE = /^(.*? → )(.+)$/;
/** Endings that are no name: closures by number, and the calling convention. */
const CLOSURE = /^(abi0|abiinternal|func\d*|gowrap\d*|deferwrap\d*|\d+|\d+-range\d+)$/;
/** Copies a C compiler made of a function: `walk.isra.0`. */
const COMPILER_CLONE = /\.(isra|part|constprop|cold|lto_priv|llvm)\b/;
const FIRST_BRACKET = /[[({<]/;

/** `github.com/x/y/pkg.(*T).Method` → `pkg.(*T).Method`. */
export function shortName(name: string): string {
  const edge = EDGE.exec(name);
  if (edge) return edge[1]! + shortName(edge[2]!);
  if (name.includes("::")) return dropCppDetails(name);
  return dropPackagePath(name);
}

export function nameForms(name: string): NameForms {
  const edge = EDGE.exec(name);
  // On an edge the glyph already says "call", so the words may go before the target.
  if (edge) {
    const target = shortName(edge[2]!);
    return distinct([name, edge[1]! + target, target, lastPart(target)]);
  }
  const short = shortName(name);
  return distinct([name, short, lastPart(short)]);
}

function dropPackagePath(name: string): string {
  const bracket = name.search(FIRST_BRACKET);
  const pathEnd = bracket < 0 ? name.length : bracket;
  const slash = name.lastIndexOf("/", pathEnd - 1);
  if (slash < 0 || name.startsWith("/") || name.startsWith("[")) return name;
  let short = name.slice(slash + 1);
  // A major version is no name: `store/v2.Open` needs the element before it.
  if (/^v\d+\./.test(short)) short = name.slice(name.lastIndexOf("/", slash - 1) + 1);
  return short.replace(/%2e/g, ".");
}

/** `icu_72::Collator::compare(icu_72::Text const&) const` → `Collator::compare`. */
function dropCppDetails(name: string): string {
  const flat = dropBracketed(name);
  const parts = flat.split("::").filter((part) => part !== "");
  return parts.length > 2 ? parts.slice(-2).join("::") : parts.join("::");
}

/** Removes `<…>` and `(…)` groups with what follows the last argument list. */
function dropBracketed(name: string): string {
  if (name.includes("operator")) return name;
  let depth = 0;
  let out = "";
  for (let i = 0; i < name.length; i++) {
    const char = name[i]!;
    if (char === "<" || char === "(") {
      if (char === "(" && name.startsWith("(anonymous", i)) out += "(anonymous)";
      depth++;
    } else if (char === ">" || char === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0) out += char;
  }
  const plain = out.replace(/ (const|volatile|noexcept|\[clone.*\])\b.*$/, "").trim();
  // A return type in front is separated by a blank.
  return plain.slice(plain.lastIndexOf(" ") + 1) || name;
}

/** The method or function alone; closures keep the function they were written in. */
function lastPart(short: string): string {
  // `[libfoo.so]` and `libfoo.so+0x12` have dots that separate nothing.
  if (short.startsWith("[") || short.includes("+0x")) return short;
  if (short.includes("::")) return short.slice(short.lastIndexOf("::") + 2);
  const clone = short.search(COMPILER_CLONE);
  if (clone > 0) return short.slice(0, clone);
  const generic = short.indexOf("[");
  const plain = generic > 0 ? short.slice(0, generic) : short;
  const parts = plain.split(".");
  let from = parts.length - 1;
  while (from > 0 && CLOSURE.test(parts[from]!)) from--;
  const last = parts.slice(from).join(".");
  return last === "" ? short : last;
}

/** `/src/db/rows.go` → `rows.go`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function distinct(forms: string[]): string[] {
  return forms.filter((form, at) => form !== "" && forms.indexOf(form) === at);
}
