//! What a running process's modules say about the stacks and names a recording of it will have.
//! Reads the process's mappings and the files behind them, as a recording does. Judges by what the
//! readers of unwind tables found, not by names of distributions.

use seam_object::{Elf, ReadCache, ReadRef};

use super::go_build::{GoBuild, go_build, go_problem};
use super::libraries::{Allocator, Libc, allocator_in, libc_in};
use super::{Check, State};
use crate::packed::packed;
use crate::process_map::MappedModule;
use crate::{Error, Module, ModuleKind, Modules, ProcessMap, Result, Target, thread_facts};

/// Parts of a hundred of a module's functions that may be without rows before it is worth a word.
const GIVEN_UP_PERCENT: u64 = 1;
/// Start code has some such functions in every program.
const GIVEN_UP_MIN: u64 = 5;

/// All that is known of a process.
#[derive(Debug, Clone)]
pub struct ProcessReport {
    /// Who it is.
    pub target: Target,
    /// Its threads.
    pub threads: usize,
    /// The Go runtimes in it; none in programs without Go.
    pub go: Vec<GoBuild>,
    /// Its C library; none in programs without C.
    pub libc: Option<Libc>,
    /// Its allocator for C, if it is not the C library's.
    pub allocator: Option<Allocator>,
    /// Its modules with code, in the order of addresses.
    pub modules: Vec<ModuleSections>,
    /// Bytes of executable memory without a file.
    pub anonymous_bytes: u64,
    /// What limits a recording; empty where nothing does.
    pub problems: Vec<Check>,
    /// Which stacks will be whole, as a sentence.
    pub stacks: String,
    /// Which functions will have names, as a sentence.
    pub names: String,
}

/// A module and the sections that matter.
#[derive(Debug, Clone, Default)]
pub struct ModuleSections {
    /// The file's name.
    pub name: String,
    /// Its path in the process's view.
    pub path: String,
    /// The build id, empty without one.
    pub build_id: String,
    /// Bytes of executable mappings.
    pub code_bytes: u64,
    /// The full symbol table is there.
    pub symtab: bool,
    /// The table of exported symbols is there.
    pub dynsym: bool,
    /// Go's function table: number of functions.
    pub pclntab: u64,
    /// Functions described by `.eh_frame` and `.debug_frame`.
    pub described: u64,
    /// Functions that nothing describes, with rows derived from their instructions.
    pub derived: u64,
    /// Functions without rows.
    pub given_up: u64,
    /// DWARF: lines and types are there.
    pub debug: bool,
    /// It is position independent.
    pub position_independent: bool,
    /// Why stacks end in it, if they do.
    pub error: Option<String>,
}

/// Looks at a process that [`check_target`](crate::check_target) has accepted.
///
/// # Errors
/// When it is gone or may not be looked at.
pub fn process_report(target: Target) -> Result<ProcessReport> {
    let pid = target.pid;
    let inspect = |source| Error::Inspect { pid, source };
    let map = ProcessMap::read(pid, &mut Modules::default()).map_err(inspect)?;
    let mut report = ProcessReport {
        threads: thread_facts(pid)?.len(),
        target,
        go: Vec::new(),
        libc: None,
        allocator: None,
        modules: Vec::new(),
        anonymous_bytes: 0,
        problems: Vec::new(),
        stacks: String::new(),
        names: String::new(),
    };
    let mut seen: Vec<u32> = Vec::new();
    for mapping in &map.mappings {
        let bytes = mapping.end - mapping.start;
        let number = mapping.module.number;
        if mapping.module.kind == ModuleKind::Anonymous {
            report.anonymous_bytes += bytes;
        } else if mapping.module.kind == ModuleKind::Probe {
            continue;
        } else if let Some(at) = seen.iter().position(|n| *n == number) {
            report.modules[at].code_bytes += bytes;
        } else {
            seen.push(number);
            report.add(mapping, bytes);
        }
    }
    if let Some(why) = packed(pid) {
        let name = report.target.name.clone();
        report.problems.push(Check::bad(
            &name,
            State::Degraded,
            "none of its file's code is mapped",
            why,
            "",
        ));
    }
    report.conclude();
    Ok(report)
}

impl ProcessReport {
    fn add(&mut self, mapping: &MappedModule, code_bytes: u64) {
        let module = &mapping.module;
        let mut row = sections(module);
        row.code_bytes = code_bytes;
        if let Some(go) = module.table.as_ref().ok().and_then(|t| t.go.as_ref()) {
            self.go.push(go_build(module, go));
        }
        // The vdso has its exported names in its image.
        row.dynsym = module.kind == ModuleKind::Vdso;
        if let Some(file) = &module.file {
            let cache = ReadCache::new(file);
            if let Ok(elf) = Elf::parse(&cache) {
                row.dynsym = elf.section(".dynsym").is_some();
                row.debug = elf.section(".debug_info").is_some();
                self.find_libraries(&elf, module.name());
            }
        }
        self.modules.push(row);
    }

    fn find_libraries<'d, R: ReadRef<'d>>(&mut self, elf: &Elf<'d, R>, name: &str) {
        let libc = libc_in(elf, name);
        if libc.is_none() && self.allocator.is_none() {
            self.allocator = allocator_in(elf, name).map(|found| Allocator {
                name: found,
                module: name.to_owned(),
            });
        }
        self.libc = self.libc.take().or(libc);
    }

    fn conclude(&mut self) {
        for module in &self.modules {
            self.problems.extend(module_problem(module));
        }
        for go in &self.go {
            self.problems.extend(go_problem(go));
        }
        if self.anonymous_bytes > 0 {
            self.problems.push(Check::bad(
                "code without a file",
                State::Degraded,
                format!(
                    "{} KiB of executable memory",
                    self.anonymous_bytes.div_ceil(1024)
                ),
                "made at run time (JIT): stacks go through it by frame pointers, or by guesses that are marked",
                "",
            ));
        }
        // A C part of a Go program whose names are gone; libraries always come like that.
        let executable = self.modules.first();
        if let Some(m) = executable.filter(|m| !m.symtab && m.described + m.derived > 0) {
            self.problems.push(Check::bad(
                &m.name,
                State::Degraded,
                "stripped: no symbol table",
                if m.pclntab > 0 {
                    "C functions in it have no names; Go's have, from the pclntab"
                } else {
                    "its functions have no names, but for exported ones"
                },
                "build without -s (Go: -ldflags without -s; C: without strip)",
            ));
        }
        self.stacks = self.stacks_sentence();
        self.names = self.names_sentence();
    }

    fn stacks_sentence(&self) -> String {
        let broken: Vec<&str> = self
            .problems
            .iter()
            .filter(|p| !p.found.starts_with("stripped"))
            .map(|p| p.name.as_str())
            .collect();
        let languages = match (self.go.is_empty(), self.libc.is_none()) {
            (false, true) => "Go",
            (false, false) => "Go, C",
            _ => "C",
        };
        if broken.is_empty() {
            format!("whole, through {languages} and the kernel")
        } else {
            format!(
                "whole through {languages} and the kernel, but not through {}",
                broken.join(", ")
            )
        }
    }

    fn names_sentence(&self) -> String {
        let exported: Vec<&str> = self
            .modules
            .iter()
            .filter(|m| !m.symtab && m.dynsym && m.described + m.derived > 0 && m.name != "[vdso]")
            .map(|m| m.name.as_str())
            .collect();
        let mut parts = Vec::new();
        if !self.go.is_empty() {
            parts.push("Go functions with lines".to_owned());
        }
        if self.modules.iter().any(|m| m.symtab && m.described > 0) {
            parts.push("C functions of modules with a symbol table".to_owned());
        }
        if !exported.is_empty() {
            parts.push(format!(
                "exported functions only of {}",
                exported.join(", ")
            ));
        }
        if parts.is_empty() {
            parts.push("none".to_owned());
        }
        parts.join("; ")
    }
}

fn sections(module: &Module) -> ModuleSections {
    let mut row = ModuleSections {
        name: module.name().to_owned(),
        path: module.path.clone(),
        build_id: module
            .build_id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        symtab: module.has_symtab,
        position_independent: module.position_independent,
        ..ModuleSections::default()
    };
    match &module.table {
        Ok(table) => {
            let facts = &table.facts;
            row.pclntab = facts.go_functions;
            row.described = facts.cfi_functions;
            row.derived = facts.derived_functions;
            row.given_up = facts.derived_given_up;
            row.error = facts.go_error.clone().or_else(|| facts.cfi_error.clone());
        }
        Err(why) => row.error = Some(why.clone()),
    }
    row
}

fn module_problem(module: &ModuleSections) -> Option<Check> {
    if let Some(why) = &module.error {
        return Some(Check::bad(
            &module.name,
            State::Missing,
            format!("its unwind tables can't be used: {why}"),
            "stacks that pass through it end there",
            "rebuild or reinstall the file; if it is sound, please report it",
        ));
    }
    let functions = module.pclntab + module.described + module.derived + module.given_up;
    if module.given_up < GIVEN_UP_MIN || module.given_up * 100 <= functions * GIVEN_UP_PERCENT {
        return None;
    }
    Some(Check::bad(
        &module.name,
        State::Degraded,
        format!(
            "{} of {functions} functions have no unwind information, nor could rows be derived",
            module.given_up
        ),
        "stacks that pass through them end there",
        "build it with -fasynchronous-unwind-tables",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process() {
        let pid = std::process::id() as i32;
        let report = process_report(crate::check_target(pid).unwrap()).unwrap();
        assert!(report.go.is_empty() && report.threads > 0);
        assert_eq!(report.libc.as_ref().map(|l| l.kind), Some("glibc"));
        let own = report.modules.iter().find(|m| m.symtab).unwrap();
        assert!(own.described > 100 && own.code_bytes > 1 << 16);
        assert!(report.stacks.starts_with("whole"), "{}", report.stacks);
    }

    #[test]
    fn few_functions_without_rows_are_no_problem() {
        let module = |given_up| ModuleSections {
            described: 1000,
            given_up,
            ..ModuleSections::default()
        };
        assert_eq!(module_problem(&module(0)), None);
        assert_eq!(module_problem(&module(10)), None);
        let problem = module_problem(&module(40)).unwrap();
        assert!(problem.found.starts_with("40 of 1040"), "{problem:?}");
    }
}
