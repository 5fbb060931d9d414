//! Which units hold which addresses.

use gimli::{DebugInfoOffset, Reader as _, Section as _, UnitHeader, UnitType};

use super::{Budget, Dwarf, DwarfError, Reader, Unit};

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
    let unit = open(dwarf, header, budget)?;
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

/// Reads what comes before a unit's entries: its abbreviations and the head of its line program.
/// Units may share these; a file of nothing but units that share a large one is not read for ever.
pub(super) fn open<'a>(
    dwarf: &Dwarf<'a>,
    header: UnitHeader<Reader<'a>>,
    budget: &mut Budget,
) -> Result<Unit<'a>, DwarfError> {
    let mut abbreviations = *dwarf.debug_abbrev.reader();
    abbreviations.skip(header.debug_abbrev_offset().0)?;
    let available = abbreviations.len();
    // A bound is enough here; gimli reports what is malformed.
    let _ = skip_abbreviations(&mut abbreviations);
    budget.spend((available - abbreviations.len()) as u64)?;
    let unit = dwarf.unit(header)?;
    for text in unit.name.iter().chain(&unit.comp_dir) {
        budget.spend_text(*text)?;
    }
    if let Some(program) = &unit.line_program {
        budget.spend(program.header().header_length() as u64)?;
    }
    Ok(unit)
}

fn skip_abbreviations(from: &mut Reader<'_>) -> Result<(), gimli::Error> {
    while from.read_uleb128()? != 0 {
        from.read_uleb128()?;
        from.skip(1)?;
        loop {
            let (name, form) = (from.read_uleb128()?, from.read_uleb128()?);
            if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                from.read_sleb128()?;
            }
            if (name, form) == (0, 0) {
                break;
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use gimli::{EndianSlice, LittleEndian, SectionId};

    use super::*;

    #[test]
    fn units_that_share_abbreviations_do_not_take_for_ever() {
        // Every unit's table begins inside the one table that all end with.
        let (units, abbreviations) = (50_000u32, 200_000u32);
        let table = [1, 0x11, 0, 0, 0].repeat(abbreviations as usize);
        let mut info = Vec::new();
        for unit in 0..units {
            info.extend(8u32.to_le_bytes());
            info.extend([4, 0]);
            info.extend((unit * 5).to_le_bytes());
            info.extend([8, 1]);
        }
        let dwarf = Dwarf::load(|id| {
            let bytes: &[u8] = match id {
                SectionId::DebugAbbrev => &table,
                SectionId::DebugInfo => &info,
                _ => &[],
            };
            Ok::<_, ()>(EndianSlice::new(bytes, LittleEndian))
        });
        let mut budget = Budget {
            steps: 4 * (table.len() + info.len()) as u64,
        };
        let (held, result) = holding(&dwarf.expect("slices"), &[1, 2], &mut budget);
        assert_eq!((held.len(), result), (0, Err(DwarfError::Work)));
    }
}
