//! One module's table, put together from everything the module says about itself.

use seam_go::{GoModule, GoVersion, RuntimeOffsets, TlsOffset, switches, tls_offset};
use seam_object::{Elf, ReadRef, Segment, SegmentKind};
use seam_wire::{Arch, Rule, SEAM_END_ROOT_THREAD, SEAM_PAGE_BYTES, SEAM_RULE_ROOT};
use serde::{Deserialize, Serialize};

use crate::arm64;
use crate::cfi::{CfiRows, CfiSection, debug_frame, eh_frame};
use crate::derive::{derived_rows, gaps, go_assembly_rows};
use crate::eh_return::eh_return_rows;
use crate::go_rows::go_rows;
use crate::plt::plt;
use crate::program_start::program_start;
use crate::range_list::{RangeList, RuleRange, offset};
use crate::rules::plain;
use crate::sigreturn::sigreturn;
use crate::{Error, Result, RuleSet, Table};

/// Bytes of assembly that a program may start with.
const ENTRY_BYTES: u32 = 128;
/// The most code that offsets of 32 bits describe.
const CODE_BYTES_MAX: u64 = u32::MAX as u64;

/// A module's table and what the walk needs of its Go runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleTable {
    /// The table.
    pub table: Table,
    /// The Go runtime in it, if any.
    pub go: Option<GoRuntimeFacts>,
    /// What it was made of.
    pub facts: TableFacts,
}

/// What a module says of its Go runtime; addresses as linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoRuntimeFacts {
    /// The version, if the build information is there.
    pub version: Option<GoVersion>,
    /// Where its structures keep things.
    pub offsets: RuntimeOffsets,
    /// Where g is.
    pub tls: Option<TlsOffset>,
    /// crosscall2's addresses, zero without cgo.
    pub crosscall2: std::ops::Range<u64>,
    /// Build settings.
    pub settings: Vec<(String, String)>,
}

/// Counts for reports and benchmarks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// Functions described by `.eh_frame` and `.debug_frame`.
    pub cfi_functions: u64,
    /// Descriptions left out because they were malformed.
    pub cfi_malformed: u64,
    /// Functions that nothing describes, with rows derived from their instructions.
    pub derived_functions: u64,
    /// Such functions whose rows could not be derived.
    pub derived_given_up: u64,
    /// Go functions.
    pub go_functions: u64,
    /// Why the Go part is missing although the file was made by Go.
    pub go_error: Option<String>,
    /// Why unwind information is missing although there is a section for it.
    pub cfi_error: Option<String>,
    /// Distinct rules.
    pub rules: u32,
}

/// All that a file says of its code, before it is laid out as a table: nothing of the file is
/// needed any more, and what was read of it can go.
#[derive(Debug)]
pub struct Rows {
    base: u64,
    list: RangeList,
    rules: RuleSet,
    go: Option<GoRuntimeFacts>,
    facts: TableFacts,
}

impl Rows {
    /// Lays them out.
    ///
    /// # Errors
    /// When there are more than a table can hold.
    pub fn table(self) -> Result<ModuleTable> {
        Ok(ModuleTable {
            table: Table::new(self.base, &self.list, &self.rules)?,
            go: self.go,
            facts: self.facts,
        })
    }
}

/// Builds the table of a file.
///
/// # Errors
/// As [`rows`] and [`Rows::table`].
pub fn build<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<ModuleTable> {
    rows(elf)?.table()
}

/// Reads all that a file says of its code.
///
/// # Errors
/// When the file maps no code, is for another processor, or has more code than a table can hold.
/// Malformed parts are left out and named in the facts.
pub fn rows<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<Rows> {
    let arch = Arch::of_machine(elf.machine()).ok_or(Error::Machine(elf.machine()))?;
    let (base, size) = code_extent(elf)?;
    let mut rules = RuleSet::default();
    let mut facts = TableFacts::default();
    let cfi = cfi_rows(elf, arch, base, size, &mut rules, &mut facts);
    let mut list = RangeList::from_unsorted(cfi);
    if arch == Arch::X86_64 {
        let leaving = eh_return_rows(elf, base, &list, &mut rules);
        list = list.overlaid(leaving);
    }
    let mut go = None;
    match GoModule::find(elf) {
        Ok(None) => {}
        Ok(Some(module)) => {
            let switches = switches(elf, &module);
            list = list.overlaid(go_rows(arch, &module, &switches, base, &mut rules));
            if arch == Arch::X86_64 {
                let assembly = go_assembly_rows(elf, &module, &switches, base, &mut rules);
                list = list.overlaid(assembly);
            }
            facts.go_functions = module.pclntab.len();
            go = Some(go_runtime(elf, &module));
        }
        Err(e) => facts.go_error = Some(e.to_string()),
    }
    let below = below(elf, arch, base, size, &list, &mut rules, &mut facts);
    list = below.overlaid(list);
    facts.rules = rules.all().len() as u32;
    Ok(Rows {
        base,
        list,
        rules,
        go,
        facts,
    })
}

/// What holds where nothing else does.
fn below<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    arch: Arch,
    base: u64,
    size: u32,
    known: &RangeList,
    rules: &mut RuleSet,
    facts: &mut TableFacts,
) -> RangeList {
    let start = program_start(elf, arch);
    let entry = start.map_or_else(RangeList::default, |s| entry_point(s, base, size, rules));
    let gaps = gaps(elf, base, known);
    let handlers_return = sigreturn(elf, arch, &gaps, base, rules);
    let derived = match arch {
        Arch::X86_64 => derived_rows(elf, base, gaps, start, rules),
        Arch::Arm64 => arm64::derived_rows(elf, base, known, rules),
    };
    facts.derived_functions = derived.functions;
    facts.derived_given_up = derived.given_up;
    plt(elf, arch, base, rules)
        .overlaid(entry)
        .overlaid(RangeList::from_unsorted(derived.rows))
        .overlaid(handlers_return)
}

/// Builds the table of a vdso image (bytes read from a process).
///
/// # Errors
/// As [`build`].
pub fn build_vdso(image: &[u8]) -> Result<ModuleTable> {
    build(&Elf::parse(image)?)
}

/// The program's first instructions have no caller, and where they are assembly (ld.so's `_start`)
/// nothing says so. Whatever does describe addresses behind the entry point is laid over this.
fn entry_point(start: u64, base: u64, size: u32, rules: &mut RuleSet) -> RangeList {
    let mut list = RangeList::default();
    if let Some(start) = offset(start, base).filter(|o| *o < size) {
        let root = Rule {
            base: SEAM_END_ROOT_THREAD as u8,
            ..plain(SEAM_RULE_ROOT)
        };
        let end = start.saturating_add(ENTRY_BYTES).min(size);
        list.push(RuleRange {
            start,
            end,
            rule: rules.number(root),
        });
    }
    list
}

/// First page and size of the loaded code that the file really holds.
fn code_extent<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<(u64, u32)> {
    let held = |s: &&Segment| {
        // A size is believed only where its last byte can be read.
        let last = s
            .file_size
            .checked_sub(1)
            .and_then(|n| s.address.checked_add(n));
        s.kind == SegmentKind::Load
            && s.executable
            && last.is_some_and(|last| elf.bytes_at(last, 1).is_some())
    };
    let code = || elf.segments().iter().filter(held);
    let start = code().map(|s| s.address).min().ok_or(Error::NoCode)?;
    let end = code()
        .map(|s| s.address + s.file_size)
        .max()
        .ok_or(Error::NoCode)?;
    let base = start - start % u64::from(SEAM_PAGE_BYTES);
    let size = end - base;
    if size > CODE_BYTES_MAX {
        return Err(Error::TooLarge {
            words: size / u64::from(SEAM_PAGE_BYTES),
        });
    }
    Ok((base, size as u32))
}

/// The rows of unwind information alone, with the address that they count from.
#[cfg(test)]
pub(crate) fn cfi_list<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    rules: &mut RuleSet,
) -> (u64, RangeList) {
    let (base, size) = code_extent(elf).expect("code");
    let facts = &mut TableFacts::default();
    let rows = cfi_rows(elf, Arch::X86_64, base, size, rules, facts);
    (base, RangeList::from_unsorted(rows))
}

type CfiReader = fn(&CfiSection<'_>, &mut RuleSet) -> Result<CfiRows>;

fn cfi_rows<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    arch: Arch,
    base: u64,
    size: u32,
    rules: &mut RuleSet,
    facts: &mut TableFacts,
) -> Vec<RuleRange> {
    let text = elf.section(".text").map_or(base, |s| s.address);
    let mut ranges = Vec::new();
    let readers: [(&'static str, CfiReader); 2] =
        [(".debug_frame", debug_frame), (".eh_frame", eh_frame)];
    for (name, read) in readers {
        // Go's own .debug_frame says what the pclntab says; reading it would cost time for nothing.
        if name == ".debug_frame" && elf.section(".gopclntab").is_some() {
            continue;
        }
        let Some(header) = elf.section(name) else {
            continue;
        };
        let data = match elf.section_data(name) {
            Ok(Some(data)) => data,
            Ok(None) => continue,
            Err(e) => {
                facts.cfi_error = Some(e.to_string());
                continue;
            }
        };
        let section = CfiSection {
            name,
            data: &data,
            address: header.address,
            base,
            size,
            text,
            arch,
        };
        match read(&section, rules) {
            Ok(rows) => {
                facts.cfi_functions += rows.functions;
                facts.cfi_malformed += rows.malformed;
                // One of the two sections has all, as a rule: millions need no copy.
                match ranges.is_empty() {
                    true => ranges = rows.ranges,
                    false => ranges.extend(rows.ranges),
                }
            }
            Err(e) => facts.cfi_error = Some(e.to_string()),
        }
    }
    ranges
}

fn go_runtime<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> GoRuntimeFacts {
    let build = module.build.as_ref();
    let crosscall2 = module.functions_named(&["crosscall2"]);
    GoRuntimeFacts {
        version: build.map(|b| b.version.clone()),
        offsets: RuntimeOffsets::find(elf, module),
        tls: tls_offset(elf, module),
        crosscall2: crosscall2
            .get("crosscall2")
            .map_or(0..0, |f| f.entry..f.end),
        settings: build.map(|b| b.settings.clone()).unwrap_or_default(),
    }
}
