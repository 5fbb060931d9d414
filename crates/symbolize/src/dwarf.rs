//! Inlined calls and lines from DWARF: `.debug_info` and `.debug_line`.
//!
//! Works on all wanted addresses of a module at once: each unit that holds some is read once, from
//! front to back, and only what concerns these addresses is kept. So memory grows with what was
//! asked and not with the file, and no structure of the file, however nested, is recursed into.
//! (The crate addr2line keeps whole units and recurses along nested calls, which a crafted file
//! can make as deep as it is long.)
//!
//! Units in `.dwo` files and in type units are not followed.

mod calls;
mod describe;
mod error;
mod lines;
mod sections;
mod units;

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{EndianSlice, LittleEndian, UnitRef};

use describe::{Describer, Place};
pub use error::DwarfError;
pub use sections::DebugSections;

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Dwarf<'a> = gimli::Dwarf<Reader<'a>>;
type Unit<'a> = gimli::Unit<Reader<'a>>;

/// A function around an address, as DWARF describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name as the file has it (mangled where it is); `None` where only lines are known.
    pub raw_name: Option<Rc<str>>,
    /// The name for people.
    pub name: Option<Rc<str>>,
    /// The source file, empty when unknown.
    pub file: Rc<str>,
    /// The line, 0 when unknown.
    pub line: u32,
    /// The line where the function is declared, 0 when unknown or in another file.
    pub start_line: u32,
}

/// What was found, and what stood in the way.
#[derive(Debug, Default)]
pub struct Calls {
    /// By address: innermost first; all but the last are inlined.
    pub by_address: HashMap<u64, Vec<Call>>,
    /// The first thing that was wrong. What does not depend on it was found all the same.
    pub error: Option<DwarfError>,
}

impl Calls {
    fn note(&mut self, result: Result<(), DwarfError>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

/// Steps that may still be made. Real files need fewer than they have bytes; ranges and line
/// programs that are referred to again and again would need any number.
struct Budget {
    steps: u64,
}

impl Budget {
    fn spend(&mut self, steps: u64) -> Result<(), DwarfError> {
        self.steps = self.steps.checked_sub(steps).ok_or(DwarfError::Work)?;
        Ok(())
    }

    /// A string was looked for its end, which is quick.
    fn spend_text(&mut self, text: Reader<'_>) -> Result<(), DwarfError> {
        self.spend(1 + text.len() as u64 / 64)
    }
}

impl DebugSections<'_> {
    /// Finds the functions around each of `addresses` (as linked, sorted). `shared` are the
    /// sections of the file that `.gnu_debugaltlink` names.
    #[must_use]
    pub fn find(&self, shared: Option<&DebugSections<'_>>, addresses: &[u64]) -> Calls {
        let bytes = self.bytes() + shared.map_or(0, DebugSections::bytes);
        let mut budget = Budget {
            // Each address is met once in each call around it, besides.
            steps: bytes * 4 + addresses.len() as u64 * calls::DEPTH_MAX as u64,
        };
        let dwarf = self.borrow(shared);
        let mut calls = Calls::default();
        let (held, result) = units::holding(&dwarf, addresses, &mut budget);
        calls.note(result);
        let mut describer = Describer::new(&dwarf);
        for (start, members) in held {
            let wanted: Vec<u64> = members.iter().map(|at| addresses[*at as usize]).collect();
            let header = dwarf.unit_header(start).map_err(DwarfError::from);
            let unit = header.and_then(|h| units::open(&dwarf, h, &mut budget));
            let result = match unit {
                Ok(unit) => one_unit(
                    &mut describer,
                    Rc::new(unit),
                    &wanted,
                    &mut budget,
                    &mut calls,
                ),
                Err(error) => Err(error),
            };
            calls.note(result);
        }
        calls
    }
}

fn one_unit<'a>(
    describer: &mut Describer<'a>,
    unit: Rc<Unit<'a>>,
    wanted: &[u64],
    budget: &mut Budget,
    calls: &mut Calls,
) -> Result<(), DwarfError> {
    let dwarf = describer.dwarf();
    let unit_ref = UnitRef::new(dwarf, &unit);
    let mut chains = vec![Vec::new(); wanted.len()];
    // What was read before something malformed is good.
    let walked = calls::walk(unit_ref, wanted, budget, &mut chains);
    let mut rows = vec![None; wanted.len()];
    let lined = lines::rows(unit_ref, wanted, budget, &mut rows);
    let mut paths = lines::Paths::default();
    for ((address, chain), row) in wanted.iter().zip(&chains).zip(rows) {
        let known = calls.by_address.get(address);
        let named = known.is_some_and(|k| k.iter().all(|c| c.name.is_some()));
        if named || (known.is_some() && chain.is_empty()) {
            // Another unit claims the same address.
            continue;
        }
        let (mut file, mut line) = row.map_or((None, 0), |r| (Some(r.file), r.line));
        let mut frames = Vec::with_capacity(chain.len());
        for link in chain.iter().rev() {
            let place = Place::new(&unit, link.die);
            let function = describer.describe(&place, budget)?;
            let path = file.and_then(|f| paths.get(unit_ref, f, budget));
            // A line of another file (an included one) says nothing about where it starts.
            let same = path.is_none() || path == function.file;
            frames.push(Call {
                raw_name: function.raw_name.clone(),
                name: function.name.clone(),
                file: path.or_else(|| function.file.clone()).unwrap_or_default(),
                line,
                start_line: if same { function.line } else { 0 },
            });
            (file, line) = (link.call_file, link.call_line);
        }
        if let (true, Some(row)) = (chain.is_empty(), row) {
            frames.push(Call {
                raw_name: None,
                name: None,
                file: paths.get(unit_ref, row.file, budget).unwrap_or_default(),
                line: row.line,
                start_line: 0,
            });
        }
        if !frames.is_empty() {
            calls.by_address.insert(*address, frames);
        }
    }
    walked.and(lined)
}
