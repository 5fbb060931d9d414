//! Functions and inlined calls around addresses, from one pass over a unit's entries.

use gimli::{Attribute, AttributeValue, UnitOffset, UnitRef};

use super::{Budget, DwarfError, Reader};

/// Calls inlined into each other that are kept for an address. Compilers stop far below.
pub(super) const DEPTH_MAX: usize = 256;

/// A function around an address, and where it was called if it is inlined.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) die: UnitOffset,
    pub(super) call_file: Option<u64>,
    pub(super) call_line: u32,
}

/// What an entry says of its code and its call.
#[derive(Default)]
struct Code<'a> {
    low: Option<u64>,
    high: Option<AttributeValue<Reader<'a>>>,
    ranges: Option<AttributeValue<Reader<'a>>>,
    call_file: Option<u64>,
    call_line: u32,
}

/// Fills the chain of each wanted address (sorted), outermost first.
pub(super) fn walk<'a>(
    unit: UnitRef<'_, Reader<'a>>,
    wanted: &[u64],
    budget: &mut Budget,
    chains: &mut [Vec<Link>],
) -> Result<(), DwarfError> {
    let mut entries = unit.entries_raw(None)?;
    let mut result = Ok(());
    // The functions around the entry being read that hold a wanted address, with their depths.
    let mut open: Vec<(isize, UnitOffset)> = Vec::new();
    while !entries.is_empty() {
        budget.spend(1)?;
        let (die, depth) = (entries.next_offset(), entries.next_depth());
        let Some(abbreviation) = entries.read_abbreviation()? else {
            continue;
        };
        while open.last().is_some_and(|(outer, _)| *outer >= depth) {
            open.pop();
        }
        let outer = match abbreviation.tag() {
            gimli::DW_TAG_subprogram => None,
            gimli::DW_TAG_inlined_subroutine if !open.is_empty() => {
                open.last().map(|(_, die)| *die)
            }
            _ => {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
        };
        let mut code = Code::default();
        for spec in abbreviation.attributes() {
            code.take(unit, &entries.read_attribute(*spec)?)?;
        }
        let link = Link {
            die,
            call_file: code.call_file,
            call_line: code.call_line,
        };
        let mut holds = false;
        code.each_range(unit, &mut |begin, end| {
            let from = wanted.partition_point(|a| *a < begin);
            let to = wanted.partition_point(|a| *a < end).max(from);
            budget.spend(1 + (to - from) as u64)?;
            for chain in &mut chains[from..to] {
                // Only right inside the function it was inlined into; of several that claim an
                // address the first.
                if chain.last().map(|l| l.die) != outer {
                    continue;
                }
                if chain.len() == DEPTH_MAX {
                    result = Err(DwarfError::Deep(DEPTH_MAX));
                    continue;
                }
                chain.push(link.clone());
                holds = true;
            }
            Ok(())
        })?;
        if holds {
            open.push((depth, die));
        }
    }
    result
}

impl<'a> Code<'a> {
    fn take(
        &mut self,
        unit: UnitRef<'_, Reader<'a>>,
        attribute: &Attribute<Reader<'a>>,
    ) -> Result<(), DwarfError> {
        match attribute.name() {
            gimli::DW_AT_low_pc => self.low = unit.attr_address(attribute.value())?,
            gimli::DW_AT_high_pc => self.high = Some(attribute.value()),
            gimli::DW_AT_ranges => self.ranges = Some(attribute.value()),
            gimli::DW_AT_call_file => {
                self.call_file = match attribute.value() {
                    AttributeValue::FileIndex(file) => Some(file),
                    _ => None,
                };
            }
            gimli::DW_AT_call_line => {
                let line = attribute.udata_value().unwrap_or(0);
                self.call_line = u32::try_from(line).unwrap_or(0);
            }
            _ => {}
        }
        Ok(())
    }

    fn each_range(
        &self,
        unit: UnitRef<'_, Reader<'a>>,
        found: &mut dyn FnMut(u64, u64) -> Result<(), DwarfError>,
    ) -> Result<(), DwarfError> {
        if let Some(value) = &self.ranges {
            let Some(mut ranges) = unit.attr_ranges(*value)? else {
                return Ok(());
            };
            while let Some(range) = ranges.next()? {
                found(range.begin, range.end)?;
            }
            return Ok(());
        }
        let (Some(low), Some(high)) = (self.low, &self.high) else {
            return Ok(());
        };
        let end = match unit.attr_address(*high)? {
            Some(end) => end,
            None => low.saturating_add(high.udata_value().unwrap_or(0)),
        };
        found(low, end)
    }
}
