//! Compares a truth file with the machine code: every function is there, calls
//! the ones the tree puts below it, and leaves by no jump that would hide it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};

use super::truth::Truth;
use crate::run::Run;

/// What a function does that matters for stacks.
#[derive(Debug, Default, PartialEq)]
struct Code {
    calls: BTreeSet<String>,
    jumps: BTreeSet<String>,
    calls_pointers: bool,
}

pub(super) fn check(source: &Path, binary: &Path) -> Result<()> {
    let truth = Truth::read(source)?;
    let listing = Run::new("objdump")
        .args(["-d", "--no-show-raw-insn"])
        .arg(binary)
        .text()?;
    let mut faults = faults(&truth, &parse(&listing));
    faults.extend(truth.inconsistent()?);
    if !faults.is_empty() {
        bail!(
            "{} is not what its truth file says:\n  {}",
            binary.display(),
            faults.join("\n  ")
        );
    }
    Ok(())
}

fn faults(truth: &Truth, code: &BTreeMap<String, Code>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, callees) in truth.calls() {
        let symbol = truth.symbol(name);
        let Some(found) = code.get(symbol) else {
            faults.push(format!("{name} is not in the symbol table"));
            continue;
        };
        for jump in &found.jumps {
            faults.push(format!("{name} leaves by a jump to {jump}"));
        }
        for callee in callees {
            let direct = spellings(truth.symbol(callee));
            let known = direct.iter().any(|way| found.calls.contains(way));
            if !known && !found.calls_pointers && !by_library(found) {
                faults.push(format!("{name} does not call {callee}"));
            }
        }
    }
    faults
}

/// The symbols by which a call reaches a function: itself, cgo's wrapper on the
/// way from Go to C, the exported stub on the way from C to Go.
fn spellings(symbol: &str) -> Vec<String> {
    let mut ways = vec![symbol.to_owned(), format!("main._Cfunc_{symbol}")];
    ways.extend(symbol.strip_prefix("main.").map(str::to_owned));
    ways
}

/// Libraries that call the function they are given.
fn by_library(code: &Code) -> bool {
    code.calls.contains("qsort")
}

/// Reads objdump's listing. A `.cold` part belongs to the function it was split from.
fn parse(listing: &str) -> BTreeMap<String, Code> {
    let mut code: BTreeMap<String, Code> = BTreeMap::new();
    let mut current = String::new();
    for line in listing.lines() {
        if let Some(name) = line
            .strip_suffix(">:")
            .and_then(|line| line.split_once(" <"))
        {
            current = plain(name.1).to_owned();
            code.entry(current.clone()).or_default();
        } else if let Some((_, instruction)) = line.split_once(":\t") {
            note(
                instruction,
                &current,
                code.entry(current.clone()).or_default(),
            );
        }
    }
    code
}

fn note(instruction: &str, function: &str, code: &mut Code) {
    let Some((mnemonic, operand)) = instruction.split_once(' ') else {
        return;
    };
    let target = operand
        .split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'))
        .map(|(name, _)| name.split("+0x").next().unwrap_or(name));
    let pointer = operand.trim_start().starts_with('*');
    match (mnemonic, target) {
        ("call", _) if pointer => code.calls_pointers = true,
        ("call", Some(target)) => {
            code.calls.insert(plain(target).to_owned());
        }
        ("jmp", None) if pointer => {
            code.jumps.insert("a pointer".to_owned());
        }
        (_, Some(target)) if mnemonic.starts_with('j') && plain(target) != function => {
            code.jumps.insert(target.to_owned());
        }
        _ => {}
    }
}

fn plain(symbol: &str) -> &str {
    let symbol = symbol.trim_end_matches(".cold").trim_end_matches(".abi0");
    symbol.trim_end_matches("@plt")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
0000000000401000 <seam_x_outer>:
  401000:\tsub    $0x8,%rsp
  401004:\tcall   401020 <seam_x_leaf>
  401009:\tjne    401000 <seam_x_outer+0x4>
  40100b:\tjmp    401090 <seam_x_outer.cold>

0000000000401020 <seam_x_leaf>:
  401020:\tjmp    401050 <puts@plt>

0000000000401090 <seam_x_outer.cold>:
  401090:\tcall   *0x8(%rax)
";

    fn truth(tree: &str) -> Truth {
        let text = format!(
            r#"{{"program": "x", "build": {{"kind": "c"}}, "app": [], "roots": [],
                "ends": {{}}, "recursive": {{}}, "tree": {tree}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn listings_are_read() {
        let code = parse(LISTING);
        let outer = &code["seam_x_outer"];
        assert!(outer.calls.contains("seam_x_leaf"));
        assert!(outer.calls_pointers && outer.jumps.is_empty());
        assert!(code["seam_x_leaf"].jumps.contains("puts@plt"));
    }

    #[test]
    fn faults_are_found() {
        let tree = r#"{"seam_x_outer": {"seam_x_leaf": {"seam_x_more": {}}}}"#;
        let faults = faults(&truth(tree), &parse(LISTING));
        assert_eq!(
            faults,
            [
                "seam_x_leaf leaves by a jump to puts@plt",
                "seam_x_leaf does not call seam_x_more",
                "seam_x_more is not in the symbol table",
            ]
        );
    }
}
