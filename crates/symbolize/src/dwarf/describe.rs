//! What a function's entry says about it: its name and where it is declared, over all entries that
//! it refers to.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{AttributeValue, DebugInfoOffset, UnitOffset, UnitRef};

use super::{Budget, Dwarf, DwarfError, Reader, Unit, lines, units};
use crate::demangle;

/// How many entries one may refer to in a row: instance, declaration, shared unit, and some more.
const REFERENCES_MAX: usize = 16;
/// Units kept because others refer to them.
const UNITS_MAX: usize = 64;
/// Longest name that is kept. Longer ones are cut.
const NAME_BYTES_MAX: usize = 16 << 10;

/// A function.
#[derive(Debug, Clone, Default)]
pub(super) struct Function {
    pub(super) raw_name: Option<Rc<str>>,
    pub(super) name: Option<Rc<str>>,
    pub(super) file: Option<Rc<str>>,
    pub(super) line: u32,
    /// `raw_name` is the linker's name, which tells more than the source's.
    linkage: bool,
}

/// An entry: in the file itself, or in the one it shares with others.
pub(super) struct Place<'a> {
    shared: bool,
    unit: Rc<Unit<'a>>,
    die: UnitOffset,
}

impl<'a> Place<'a> {
    pub(super) fn new(unit: &Rc<Unit<'a>>, die: UnitOffset) -> Self {
        Self {
            shared: false,
            unit: Rc::clone(unit),
            die,
        }
    }
}

/// Describes functions, each once.
pub(super) struct Describer<'a> {
    dwarf: &'a Dwarf<'a>,
    known: HashMap<(bool, usize), Rc<Function>>,
    /// Where units start; read when a unit first refers to another one.
    starts: [Option<Vec<usize>>; 2],
    others: HashMap<(bool, usize), Rc<Unit<'a>>>,
}

impl<'a> Describer<'a> {
    pub(super) fn new(dwarf: &'a Dwarf<'a>) -> Self {
        Self {
            dwarf,
            known: HashMap::new(),
            starts: [None, None],
            others: HashMap::new(),
        }
    }

    pub(super) fn dwarf(&self) -> &'a Dwarf<'a> {
        self.dwarf
    }

    /// What is known about a function. What is malformed is as if it were absent.
    pub(super) fn describe(
        &mut self,
        place: &Place<'a>,
        budget: &mut Budget,
    ) -> Result<Rc<Function>, DwarfError> {
        self.follow(place, REFERENCES_MAX, budget)
    }

    fn follow(
        &mut self,
        place: &Place<'a>,
        left: usize,
        budget: &mut Budget,
    ) -> Result<Rc<Function>, DwarfError> {
        let at = place.die.to_debug_info_offset(&place.unit.header);
        let key = (place.shared, at.map_or(0, |o| o.0));
        if let Some(known) = self.known.get(&key) {
            return Ok(Rc::clone(known));
        }
        let mut function = Function::default();
        let mut origins = Vec::new();
        let dwarf = self.file(place.shared);
        if let (Some(dwarf), Ok(entry)) = (dwarf, place.unit.entry(place.die)) {
            let unit = UnitRef::new(dwarf, &place.unit);
            for attribute in entry.attrs() {
                budget.spend(1)?;
                let value = attribute.value();
                match attribute.name() {
                    gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                        function.take_name(text(unit, value, budget)?, true);
                    }
                    gimli::DW_AT_name => function.take_name(text(unit, value, budget)?, false),
                    gimli::DW_AT_decl_line => {
                        let line = attribute.udata_value().unwrap_or(0);
                        function.line = u32::try_from(line).unwrap_or(0);
                    }
                    gimli::DW_AT_decl_file => {
                        if let AttributeValue::FileIndex(file) = value {
                            function.file = lines::path(unit, file, budget);
                        }
                    }
                    gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => {
                        origins.push(value)
                    }
                    _ => {}
                }
            }
        }
        for origin in origins.into_iter().take(left.min(2)) {
            if let Some(next) = self.referred(place, origin, budget) {
                let origin = self.follow(&next, left - 1, budget)?;
                function.complete(&origin);
            }
        }
        function.demangle();
        let function = Rc::new(function);
        self.known.insert(key, Rc::clone(&function));
        Ok(function)
    }

    fn file(&self, shared: bool) -> Option<&'a Dwarf<'a>> {
        if shared {
            self.dwarf.sup()
        } else {
            Some(self.dwarf)
        }
    }

    /// The entry that an attribute points to.
    fn referred(
        &mut self,
        place: &Place<'a>,
        value: AttributeValue<Reader<'a>>,
        budget: &mut Budget,
    ) -> Option<Place<'a>> {
        let (shared, offset) = match value {
            AttributeValue::UnitRef(die) => {
                return Some(Place {
                    shared: place.shared,
                    unit: Rc::clone(&place.unit),
                    die,
                });
            }
            AttributeValue::DebugInfoRef(offset) => (place.shared, offset),
            AttributeValue::DebugInfoRefSup(offset) => (true, offset),
            _ => return None,
        };
        let unit = self.unit_at(shared, offset, budget)?;
        let die = offset.to_unit_offset(&unit.header)?;
        Some(Place { shared, unit, die })
    }

    fn unit_at(
        &mut self,
        shared: bool,
        offset: DebugInfoOffset,
        budget: &mut Budget,
    ) -> Option<Rc<Unit<'a>>> {
        let dwarf = self.file(shared)?;
        let starts = self.starts[usize::from(shared)].get_or_insert_with(|| units::starts(dwarf));
        let after = starts.partition_point(|start| *start <= offset.0);
        let start = *starts.get(after.checked_sub(1)?)?;
        if let Some(unit) = self.others.get(&(shared, start)) {
            return Some(Rc::clone(unit));
        }
        let header = dwarf.unit_header(DebugInfoOffset(start)).ok()?;
        let unit = Rc::new(units::open(dwarf, header, budget).ok()?);
        if self.others.len() == UNITS_MAX {
            self.others.clear();
        }
        self.others.insert((shared, start), Rc::clone(&unit));
        Some(unit)
    }
}

impl Function {
    fn take_name(&mut self, name: Option<Rc<str>>, linkage: bool) {
        if name.is_some() && (linkage || !self.linkage) {
            self.raw_name = name;
            self.linkage = linkage;
        }
    }

    /// Takes what this entry leaves to the one it refers to.
    fn complete(&mut self, origin: &Self) {
        if self.raw_name.is_none() || origin.linkage && !self.linkage {
            self.raw_name.clone_from(&origin.raw_name);
            self.linkage = origin.linkage;
        }
        // A definition may have a line of its own and leave the file to its declaration.
        if self.file.is_none() {
            self.file.clone_from(&origin.file);
        }
        if self.line == 0 {
            self.line = origin.line;
        }
    }

    fn demangle(&mut self) {
        let Some(raw) = &self.raw_name else {
            return;
        };
        self.name = Some(demangle(raw).map_or_else(|| Rc::clone(raw), Rc::from));
    }
}

fn text<'a>(
    unit: UnitRef<'_, Reader<'a>>,
    value: AttributeValue<Reader<'a>>,
    budget: &mut Budget,
) -> Result<Option<Rc<str>>, DwarfError> {
    let Ok(bytes) = unit.attr_string(value) else {
        return Ok(None);
    };
    budget.spend_text(bytes)?;
    let bytes = bytes.slice();
    let kept = &bytes[..bytes.len().min(NAME_BYTES_MAX)];
    Ok((!kept.is_empty()).then(|| String::from_utf8_lossy(kept).into()))
}
