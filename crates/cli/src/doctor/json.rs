//! The report as JSON. Owns the schema: the structs are the documentation. Keys are stable; adding
//! keys keeps the schema's number, changing or removing one raises it.

use seam_capture::doctor::{Check, GoBuild, ModuleSections, ProcessReport};
use serde::Serialize;

use super::{Process, Report};

/// Number of the schema.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Doctor<'a> {
    schema: u32,
    seam_version: &'a str,
    /// Checks that are not "ok", of the host and of all processes.
    problems: usize,
    /// The machine.
    host: Vec<Row<'a>>,
    /// The processes asked for.
    processes: Vec<Seen<'a>>,
}

/// One check.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    /// "ok", "untried" (a capability is missing to try), "degraded" or "missing".
    state: &'a str,
    found: &'a str,
    /// What it means for recordings, empty where all is well.
    meaning: &'a str,
    /// What to do, empty where there is nothing to do.
    fix: &'a str,
    /// A command that does it, may be empty.
    command: &'a str,
}

/// A process. All but `pid` and `problems` are null where it may not be looked at.
#[derive(Serialize)]
struct Seen<'a> {
    pid: i32,
    name: Option<&'a str>,
    command_line: Option<&'a str>,
    threads: Option<usize>,
    /// Which stacks will be whole, a sentence.
    stacks: Option<&'a str>,
    /// Which functions will have names, a sentence.
    names: Option<&'a str>,
    libc: Option<Library<'a>>,
    /// For C; null where it is the C library's own.
    allocator: Option<&'a str>,
    /// Bytes of executable memory without a file.
    anonymous_code_bytes: Option<u64>,
    go: Vec<Go<'a>>,
    modules: Vec<ModuleRow<'a>>,
    problems: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Library<'a> {
    /// "glibc" or "musl".
    kind: &'a str,
    version: Option<&'a str>,
    /// Part of the executable.
    linked_in: bool,
}

/// A Go runtime.
#[derive(Serialize)]
struct Go<'a> {
    module: &'a str,
    version: &'a str,
    cgo: bool,
    build_mode: &'a str,
    /// Where the places of the runtime's fields come from.
    offsets: &'a str,
    /// The code confirms them.
    verified: bool,
    goroutine_found: bool,
    flags: Vec<Flag<'a>>,
}

#[derive(Serialize)]
struct Flag<'a> {
    flag: &'a str,
    effect: &'a str,
}

#[derive(Serialize)]
struct ModuleRow<'a> {
    name: &'a str,
    path: &'a str,
    build_id: &'a str,
    code_bytes: u64,
    position_independent: bool,
    symtab: bool,
    dynsym: bool,
    /// DWARF.
    debug: bool,
    /// Functions by what describes them; the last ones have no rows.
    pclntab_functions: u64,
    eh_frame_functions: u64,
    derived_functions: u64,
    undescribed_functions: u64,
    /// Why stacks end in it.
    error: Option<&'a str>,
}

/// Writes the report.
pub(super) fn text(report: &Report) -> String {
    let doctor = Doctor {
        schema: SCHEMA,
        seam_version: env!("CARGO_PKG_VERSION"),
        problems: report.problems(),
        host: report.host.iter().map(row).collect(),
        processes: report.processes.iter().map(process).collect(),
    };
    let mut text = serde_json::to_string_pretty(&doctor)
        .expect("structs of strings and numbers are always JSON");
    text.push('\n');
    text
}

fn row(check: &Check) -> Row<'_> {
    Row {
        name: &check.name,
        state: check.state.word(),
        found: &check.found,
        meaning: &check.meaning,
        fix: &check.fix,
        command: &check.command,
    }
}

fn process(process: &Process) -> Seen<'_> {
    let (pid, report) = match process {
        Process::Seen(report) => (report.target.pid, Some(&**report)),
        Process::Refused { pid, .. } => (*pid, None),
    };
    let text = |of: fn(&ProcessReport) -> &str| report.map(of);
    Seen {
        pid,
        name: text(|r| &r.target.name),
        command_line: text(|r| &r.target.command_line),
        threads: report.map(|r| r.threads),
        stacks: text(|r| &r.stacks),
        names: text(|r| &r.names),
        libc: report.and_then(|r| r.libc.as_ref()).map(|libc| Library {
            kind: libc.kind,
            version: libc.version.as_deref(),
            linked_in: libc.linked_in,
        }),
        allocator: report.and_then(|r| Some(r.allocator.as_ref()?.name)),
        anonymous_code_bytes: report.map(|r| r.anonymous_bytes),
        go: report.map_or_else(Vec::new, |r| r.go.iter().map(go).collect()),
        modules: report.map_or_else(Vec::new, |r| r.modules.iter().map(module).collect()),
        problems: process.problems().iter().map(row).collect(),
    }
}

fn go(go: &GoBuild) -> Go<'_> {
    Go {
        module: &go.module,
        version: &go.version,
        cgo: go.cgo,
        build_mode: &go.build_mode,
        offsets: &go.offsets,
        verified: go.verified,
        goroutine_found: go.goroutine_found,
        flags: go
            .flags
            .iter()
            .map(|f| Flag {
                flag: &f.flag,
                effect: f.effect,
            })
            .collect(),
    }
}

fn module(module: &ModuleSections) -> ModuleRow<'_> {
    ModuleRow {
        name: &module.name,
        path: &module.path,
        build_id: &module.build_id,
        code_bytes: module.code_bytes,
        position_independent: module.position_independent,
        symtab: module.symtab,
        dynsym: module.dynsym,
        debug: module.debug,
        pclntab_functions: module.pclntab,
        eh_frame_functions: module.described,
        derived_functions: module.derived,
        undescribed_functions: module.given_up,
        error: module.error.as_deref(),
    }
}
