//! Reads what samply writes: Firefox's profile format, where stacks are trees of frames and frames
//! are addresses in libraries, and beside it a file that names the functions at these addresses.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use seam_e2e::pprof::Stack;
use serde_json::Value;

use crate::formats::{Moment, stack};

/// A profile and its symbols.
pub(crate) struct Recording {
    profile: Value,
    /// By library: address, size, name, in order of the address.
    symbols: HashMap<String, Vec<(u64, u64, String)>>,
}

impl Recording {
    /// Opens `NAME.json.gz`, and `NAME.json.syms.json` beside it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let profile = serde_json::from_reader(GzDecoder::new(File::open(path)?))?;
        let beside = path.with_extension("syms.json");
        let text = fs::read(&beside).with_context(|| format!("{}", beside.display()))?;
        let symbols = symbols(&serde_json::from_slice(&text)?);
        Ok(Recording { profile, symbols })
    }

    /// The stacks of samples for which CPU time has passed.
    pub(crate) fn stacks(&self) -> Result<Vec<Stack>> {
        let mut found = Vec::new();
        for thread in list(&self.profile["threads"]) {
            let mut counts: HashMap<Option<u64>, i64> = HashMap::new();
            for (row, at) in list(&thread["samples"]["stack"]).iter().enumerate() {
                if ran(thread, row) {
                    let weight = thread["samples"]["weight"][row].as_i64().unwrap_or(1);
                    *counts.entry(at.as_u64()).or_default() += weight;
                }
            }
            for (at, count) in counts {
                found.push(stack(self.frames(thread, at)?, count));
            }
        }
        Ok(found)
    }

    pub(crate) fn times(&self) -> Vec<Moment> {
        let threads = list(&self.profile["threads"]).iter();
        let rows = threads.flat_map(|thread| {
            let times = list(&thread["samples"]["time"]).iter().enumerate();
            times
                .filter(|(row, _)| ran(thread, *row))
                .map(|(_, ms)| Moment {
                    thread: thread["tid"].to_string(),
                    ns: ms.as_f64().unwrap_or_default() * 1e6,
                })
        });
        rows.collect()
    }

    fn frames(&self, thread: &Value, mut at: Option<u64>) -> Result<Vec<(String, String)>> {
        let mut frames = Vec::new();
        while let Some(row) = at {
            let stacks = &thread["stackTable"];
            let frame = number(&stacks["frame"], row).context("a stack without a frame")?;
            frames.push(self.frame(thread, frame)?);
            at = number(&stacks["prefix"], row);
        }
        frames.reverse();
        Ok(frames)
    }

    /// Name and module, as seam writes them.
    fn frame(&self, thread: &Value, frame: u64) -> Result<(String, String)> {
        let function = number(&thread["frameTable"]["func"], frame).context("no function")?;
        let written = number(&thread["funcTable"]["name"], function).context("no name")?;
        let written = thread["stringArray"][written as usize]
            .as_str()
            .context("no text")?;
        let library = number(&thread["funcTable"]["resource"], function)
            .and_then(|resource| number(&thread["resourceTable"]["lib"], resource))
            .map(|library| &self.profile["libs"][library as usize]);
        let Some(library) = library else {
            let nowhere = written.starts_with("0x");
            let name = if nowhere { "[unknown]" } else { written };
            return Ok((name.to_owned(), String::new()));
        };
        let text = |key: &str| library[key].as_str().unwrap_or_default().to_owned();
        let address = number(&thread["frameTable"]["address"], frame);
        let name = address.and_then(|address| self.name(&text("debugName"), address));
        let name = match (name, address) {
            (Some(name), _) => plain(name),
            (None, Some(address)) => format!("[{}+0x{address:x}]", text("name")),
            (None, None) => written.to_owned(),
        };
        match text("name") {
            kernel if kernel.starts_with("[kernel") => Ok((name, "[kernel]".to_owned())),
            _ => Ok((name, text("path"))),
        }
    }

    fn name(&self, library: &str, address: u64) -> Option<&str> {
        let symbols = self.symbols.get(library)?;
        let after = symbols.partition_point(|(start, ..)| *start <= address);
        let (start, size, name) = &symbols[after.checked_sub(1)?];
        (address - start < *size).then_some(name)
    }
}

/// Starts of programs and threads, whose first underscore samply takes for that of another system.
const STARTS: [&str; 4] = ["start", "rt0_amd64_linux", "_clone3", "_clone"];

/// The name without what symbol tables and truth files do not have: C++ parameters.
fn plain(name: &str) -> String {
    let name = without_parameters(name.trim_end_matches(".abi0"));
    match STARTS.contains(&name) {
        true => format!("_{name}"),
        false => name.to_owned(),
    }
}

/// `a::f(int, b (*)(int)) const` → `a::f`
fn without_parameters(name: &str) -> &str {
    let declared = name.split(" [clone ").next().unwrap_or(name);
    let declared = declared.trim_end_matches(" const");
    if !declared.ends_with(')') {
        return name;
    }
    let mut open = 0;
    for (at, character) in declared.char_indices().rev() {
        match character {
            ')' => open += 1,
            '(' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return &declared[..at];
        }
    }
    name
}

/// Samples without CPU time say what a sleeping thread waits in.
fn ran(thread: &Value, row: usize) -> bool {
    thread["samples"]["threadCPUDelta"][row]
        .as_i64()
        .is_none_or(|passed| passed > 0)
}

fn symbols(file: &Value) -> HashMap<String, Vec<(u64, u64, String)>> {
    let text = |id: &Value| {
        let id = id.as_u64().unwrap_or_default() as usize;
        file["string_table"][id]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let library = |data: &Value| {
        let row = |symbol: &Value| {
            let of = |key: &str| symbol[key].as_u64();
            Some((of("rva")?, of("size")?, text(&symbol["symbol"])))
        };
        let mut rows: Vec<_> = list(&data["symbol_table"]).iter().filter_map(row).collect();
        rows.sort();
        (
            data["debug_name"].as_str().unwrap_or_default().to_owned(),
            rows,
        )
    };
    list(&file["data"]).iter().map(library).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(column: &Value, row: u64) -> Option<u64> {
    column[row as usize].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recording() -> Recording {
        let thread = json!({
            "tid": "7",
            "samples": {
                "stack": [1, 1, 0, null, 2],
                "weight": [1, 1, 3, 1, 1],
                "time": [1.0, 3.0, 5.5, 7.0, 8.0],
                "threadCPUDelta": [2000, 2000, 0, 100, 100],
            },
            "stackTable": { "prefix": [null, 0, 0], "frame": [0, 1, 2] },
            "frameTable": { "address": [21, 40, 999], "func": [0, 1, 2] },
            "funcTable": { "name": [0, 1, 2], "resource": [0, 0, 0] },
            "resourceTable": { "lib": [0] },
            "stringArray": ["0x15", "0x28", "0x3e7"],
        });
        let library = json!({ "name": "x", "debugName": "x", "path": "/x" });
        let symbols = symbols(&json!({
            "string_table": ["main.f", "g"],
            "data": [{ "debug_name": "x", "symbol_table": [
                { "rva": 40, "size": 8, "symbol": 1 },
                { "rva": 20, "size": 8, "symbol": 0 },
            ] }],
        }));
        let profile = json!({ "libs": [library], "threads": [thread] });
        Recording { profile, symbols }
    }

    #[test]
    fn stacks_have_names_and_waiting_does_not_count() {
        let mut found = recording().stacks().unwrap();
        found.sort_by_key(|stack| (stack.count, stack.frames.len()));
        let names = |stack: &Stack| -> Vec<String> {
            stack
                .frames
                .iter()
                .map(|frame| frame.name.clone())
                .collect()
        };
        assert_eq!(names(&found[0]), [""; 0]);
        assert_eq!(names(&found[1]), ["main.f", "[x+0x3e7]"]);
        assert_eq!(names(&found[2]), ["main.f", "g"]);
        assert_eq!(found.iter().map(|stack| stack.count).sum::<i64>(), 4);
    }

    #[test]
    fn starts_get_their_names_back() {
        assert_eq!(plain("start"), "_start");
        assert_eq!(plain("runtime.cgocall.abi0"), "runtime.cgocall");
        assert_eq!(plain("main.start"), "main.start");
    }

    #[test]
    fn parameters_go() {
        assert_eq!(plain("a::f(int, b (*)(int)) const"), "a::f");
        assert_eq!(
            plain("a::{lambda(int)#1}::operator()(int)"),
            "a::{lambda(int)#1}::operator()"
        );
        assert_eq!(plain("main.(*T).f"), "main.(*T).f");
        assert_eq!(plain("f(int) [clone .cold]"), "f");
        assert_eq!(plain("f)"), "f)");
    }

    #[test]
    fn times_are_nanoseconds() {
        let times = recording().times();
        assert_eq!(times.len(), 4);
        assert_eq!(times[1].ns, 3_000_000.0);
    }

    #[test]
    fn a_broken_table_is_no_stack() {
        let mut broken = recording();
        broken.profile["threads"][0]["stackTable"]["frame"] = json!([]);
        assert!(broken.stacks().is_err());
    }
}
