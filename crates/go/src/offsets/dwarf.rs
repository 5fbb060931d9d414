//! Offsets from a binary's DWARF. Go writes the types of the whole program into a compile unit
//! named "runtime" (cmd/link/internal/ld/dwarf.go, 1.19 to 1.27), with their names inline.

use std::collections::HashMap;

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugInfo, EndianSlice,
    LittleEndian, UnitHeader,
};
use seam_object::{Elf, ReadRef};

use super::{Field, Offsets};
use crate::{Error, Result};

/// The most of `.debug_info` that is decompressed, which goes at 300 MB/s: 0.4 s in which nothing
/// is recorded yet. cmd/compile (33 MB) has 8 MB.
const INFO_BYTES_MAX: u64 = 128 << 20;
/// Units that are looked at: a Go program has one for each package and each C file.
const UNITS_MAX: usize = 1 << 16;
/// The most of one unit's abbreviations. Go's table has under 2 KiB; a larger one is another
/// compiler's.
const ABBREV_BYTES_MAX: usize = 8 << 10;
/// The structures that fields lie in.
const STRUCTURES: [&str; 13] = [
    "runtime.g",
    "runtime.gobuf",
    "runtime.hchan",
    "runtime.m",
    "runtime.mheap",
    "runtime.mspan",
    "runtime.p",
    "runtime.pollDesc",
    "runtime.stack",
    "runtime.sudog",
    "runtime.timer",
    "runtime.timers",
    "runtime.waitq",
];
/// Members that are read of one structure; m has under 100.
const MEMBERS_MAX: usize = 1000;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Members = HashMap<String, u64>;

/// Reads all fields' offsets, `None` where there is no DWARF of Go's runtime.
pub(super) fn offsets<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<Option<Offsets>> {
    let Some(info) = elf.section_data_within(".debug_info", INFO_BYTES_MAX)? else {
        return Ok(None);
    };
    let Some(abbrev) = elf.section_data_within(".debug_abbrev", INFO_BYTES_MAX)? else {
        return Ok(None);
    };
    let found = structures(&info, &abbrev).map_err(|e| Error::malformed("DWARF", e))?;
    if !found.contains_key("runtime.g") || !found.contains_key("runtime.m") {
        return Ok(None);
    }
    Ok(Some(sums(&found)))
}

/// Adds up the members on the way to each field.
fn sums(found: &HashMap<&'static str, Members>) -> Offsets {
    let mut offsets = Offsets::default();
    for field in Field::ALL {
        let mut sum = Some(0u64);
        for (of, member) in field.path() {
            let members = found.get(format!("runtime.{of}").as_str());
            let step = members.and_then(|m| m.get(*member)).copied();
            sum = sum.and_then(|sum| sum.checked_add(step?));
        }
        offsets.set(*field, sum);
    }
    offsets
}

fn structures(info: &[u8], abbrev: &[u8]) -> gimli::Result<HashMap<&'static str, Members>> {
    let info = DebugInfo::new(info, LittleEndian);
    let mut found = HashMap::new();
    // All units of Go share one table.
    let mut last: Option<(usize, Abbreviations)> = None;
    let mut units = info.units();
    for _ in 0..UNITS_MAX {
        let Some(unit) = units.next()? else { break };
        let at = unit.debug_abbrev_offset().0;
        let (_, abbreviations) = match last.take().filter(|(offset, _)| *offset == at) {
            Some(known) => last.insert(known),
            None => match abbreviations(abbrev, at) {
                Ok(table) => last.insert((at, table)),
                Err(_) => continue,
            },
        };
        // A unit of another compiler that can't be read says nothing of those that can.
        let _ = read_unit(&unit, abbreviations, &mut found);
        if found.len() == STRUCTURES.len() {
            break;
        }
    }
    Ok(found)
}

fn abbreviations(section: &[u8], at: usize) -> gimli::Result<Abbreviations> {
    let table = section.get(at..).unwrap_or_default();
    let table = table.get(..ABBREV_BYTES_MAX).unwrap_or(table);
    DebugAbbrev::new(table, LittleEndian).abbreviations(DebugAbbrevOffset(0))
}

/// Reads a unit's root, and the rest only if it is one of package runtime.
fn read_unit(
    unit: &UnitHeader<Slice<'_>>,
    abbreviations: &Abbreviations,
    found: &mut HashMap<&'static str, Members>,
) -> gimli::Result<()> {
    let mut entries = unit.entries_raw(abbreviations, None)?;
    // The structure whose members follow, and its depth.
    let mut inside: Option<(&'static str, isize)> = None;
    while !entries.is_empty() {
        let depth = entries.next_depth();
        if inside.is_some_and(|(_, of)| depth <= of) {
            inside = None;
            if found.len() == STRUCTURES.len() {
                return Ok(());
            }
        }
        let Some(entry) = entries.read_abbreviation()? else {
            continue;
        };
        let member =
            inside.filter(|(_, of)| depth == of + 1 && entry.tag() == gimli::DW_TAG_member);
        let wanted = depth == 0 || member.is_some() || entry.tag() == gimli::DW_TAG_structure_type;
        if !wanted {
            entries.skip_attributes(entry.attributes())?;
            continue;
        }
        let (mut name, mut offset): (&[u8], _) = (&[], None);
        for spec in entry.attributes() {
            let attribute = entries.read_attribute(*spec)?;
            match (attribute.name(), attribute.value()) {
                (gimli::DW_AT_name, AttributeValue::String(text)) => name = text.slice(),
                (gimli::DW_AT_data_member_location, value) => offset = value.udata_value(),
                _ => {}
            }
        }
        if depth == 0 && name != b"runtime" {
            return Ok(());
        }
        if let (Some((structure, _)), Some(offset)) = (member, offset) {
            let members = found.entry(structure).or_default();
            if members.len() < MEMBERS_MAX {
                members.insert(String::from_utf8_lossy(name).into_owned(), offset);
            }
        } else if let Some(known) = STRUCTURES.iter().find(|s| s.as_bytes() == name) {
            inside = Some((known, depth));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DWARF 4: a unit of another name with a runtime.g of its own, then one of package runtime.
    const ABBREV: &[u8] = &[
        1, 0x11, 1, 0x03, 0x08, 0, 0, // compile unit with children: name as string
        2, 0x13, 1, 0x03, 0x08, 0, 0, // structure with children: name
        3, 0x0d, 0, 0x03, 0x08, 0x38, 0x0f, 0, 0, // member: name, location as udata
        0,
    ];

    fn unit(name: &str, structures: &[(&str, &[(&str, u8)])]) -> Vec<u8> {
        let mut body = vec![4, 0, 0, 0, 0, 0, 8, 1];
        body.extend([name.as_bytes(), &[0]].concat());
        for (name, members) in structures {
            body.extend([&[2], name.as_bytes(), &[0]].concat());
            for (name, offset) in *members {
                body.extend([&[3], name.as_bytes(), &[0, *offset]].concat());
            }
            body.push(0);
        }
        body.push(0);
        [&(body.len() as u32).to_le_bytes()[..], &body].concat()
    }

    fn info() -> Vec<u8> {
        let other = unit("main", &[("runtime.g", &[("m", 99)])]);
        let structures: [(&str, &[(&str, u8)]); 4] = [
            ("runtime.other", &[("m", 98)]),
            ("runtime.g", &[("stack", 0), ("m", 48), ("sched", 56)]),
            ("runtime.gobuf", &[("sp", 0), ("pc", 8), ("bp", 40)]),
            ("runtime.m", &[("g0", 0), ("curg", 120)]),
        ];
        // Assembly has units of its own, with the same name and without types.
        [other, unit("runtime", &[]), unit("runtime", &structures)].concat()
    }

    #[test]
    fn only_the_runtimes_own_types_count() {
        let found = structures(&info(), ABBREV).expect("sound");
        let offsets = sums(&found);
        assert_eq!(offsets.get(Field::GM), Some(48));
        assert_eq!(offsets.get(Field::GSchedBp), Some(96));
        assert_eq!(offsets.get(Field::MCurg), Some(120));
        assert_eq!(offsets.get(Field::MG0), Some(0));
        // A structure and a member that are not there.
        assert_eq!(offsets.get(Field::PId), None);
        assert_eq!(offsets.get(Field::GStackHi), None);
        assert_eq!(offsets.get(Field::MOldp), None);
    }

    #[test]
    fn damaged_dwarf_is_an_error_or_less() {
        let info = info();
        for at in 0..info.len() {
            let _ = structures(&info[..at], ABBREV);
            for value in [0, 1, 3, 0x7f, 0x80, 0xff] {
                let mut changed = info.clone();
                changed[at] = value;
                let _ = structures(&changed, ABBREV);
            }
        }
        for at in 0..ABBREV.len() {
            let _ = structures(&info, &ABBREV[..at]);
            for value in [0, 1, 8, 0x21, 0x7f, 0xff] {
                let mut changed = ABBREV.to_vec();
                changed[at] = value;
                let _ = structures(&info, &changed);
            }
        }
    }
}
