//! Which units hold which addresses.

use gimli::{DebugInfoOffset, UnitHeader, UnitType};

use super::{Budget, Dwarf, DwarfError, Reader};

/// Where a unit starts, and the indices of the wanted addresses in its ranges.
pub(super) type Held = (DebugInfoOffset, Vec<u32>);

/// The units that hold some of `addresses` (sorted), in the order of the file. A unit that can't be
/// read is left out, and the first error told.
pub(super) fn holding(
    dwarf: &Dwarf<'_>,
    addresses: &[u64],
    budget: &mut Budget,
) -> (Vec<Held>, Result<(), DwarfError>) {
    let mut held = Vec::new();
    let mut result = Ok(());
    let mut headers = dwarf.units();
    loop {
        let header = match headers.next() {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(error) => {
                // Where the next unit begins is not known.
                result = result.and(Err(error.into()));
                break;
            }
        };
        let Some(start) = header.debug_info_offset() else {
            continue;
        };
        match members(dwarf, header, addresses, budget) {
            Ok(members) if members.is_empty() => {}
            Ok(members) => held.push((start, members)),
            Err(DwarfError::Work) => return (held, Err(DwarfError::Work)),
            Err(error) => result = result.and(Err(error)),
        }
    }
    (held, result)
}

fn members(
    dwarf: &Dwarf<'_>,
    header: UnitHeader<Reader<'_>>,
    addresses: &[u64],
    budget: &mut Budget,
) -> Result<Vec<u32>, DwarfError> {
    // Partial units have no code and type units neither.
    if !matches!(
        header.type_(),
        UnitType::Compilation | UnitType::Skeleton(_)
    ) {
        return Ok(Vec::new());
    }
    let unit = dwarf.unit(header)?;
    let mut ranges = dwarf.unit_ranges(&unit)?;
    let mut members = Vec::new();
    while let Some(range) = ranges.next()? {
        let from = addresses.partition_point(|a| *a < range.begin);
        let to = addresses.partition_point(|a| *a < range.end);
        budget.spend(1 + to.saturating_sub(from) as u64)?;
        members.extend((from..to).filter_map(|at| u32::try_from(at).ok()));
    }
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

/// Where each unit of a file starts, sorted, as far as the headers can be read.
pub(super) fn starts(dwarf: &Dwarf<'_>) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut headers = dwarf.units();
    while let Ok(Some(header)) = headers.next() {
        starts.extend(header.debug_info_offset().map(|o| o.0));
    }
    starts
}
