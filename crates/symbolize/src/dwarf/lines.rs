//! Lines of addresses, from one run of a unit's line program, and names of its files.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::UnitRef;

use super::{Budget, DwarfError, Reader};

/// Longest path that is kept: Linux opens no longer ones.
const PATH_BYTES_MAX: usize = 4096;

/// A row of the line table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) file: u64,
    pub(super) line: u32,
}

/// Fills the row of each wanted address (sorted).
pub(super) fn rows(
    unit: UnitRef<'_, Reader<'_>>,
    wanted: &[u64],
    budget: &mut Budget,
    found: &mut [Option<Row>],
) -> Result<(), DwarfError> {
    let Some(program) = unit.line_program.clone() else {
        return Ok(());
    };
    let mut rows = program.rows();
    let mut last: Option<(u64, Row)> = None;
    while let Some((_, row)) = rows.next_row()? {
        budget.spend(1)?;
        // A row stands for everything up to the next one of its sequence.
        if let Some((begin, row_before)) = last {
            let from = wanted.partition_point(|a| *a < begin);
            let held = wanted[from..].iter().take_while(|a| **a < row.address());
            for (_, slot) in held.zip(&mut found[from..]) {
                budget.spend(1)?;
                slot.get_or_insert(row_before);
            }
        }
        let line = row
            .line()
            .map_or(0, |l| u32::try_from(l.get()).unwrap_or(0));
        last = (!row.end_sequence()).then_some((
            row.address(),
            Row {
                file: row.file_index(),
                line,
            },
        ));
    }
    Ok(())
}

/// A unit's files by number, each made once.
#[derive(Default)]
pub(super) struct Paths(HashMap<u64, Option<Rc<str>>>);

impl Paths {
    pub(super) fn get(
        &mut self,
        unit: UnitRef<'_, Reader<'_>>,
        file: u64,
        budget: &mut Budget,
    ) -> Option<Rc<str>> {
        let made = self.0.entry(file);
        made.or_insert_with(|| path(unit, file, budget)).clone()
    }
}

/// The path of a file as the compiler was told it, from the unit's folder on.
pub(super) fn path(
    unit: UnitRef<'_, Reader<'_>>,
    file: u64,
    budget: &mut Budget,
) -> Option<Rc<str>> {
    let header = unit.line_program.as_ref()?.header();
    // Up to DWARF 4 numbers count from 1, and 0 stands for no file.
    if file == 0 && header.version() <= 4 {
        return None;
    }
    let file = header.file(file)?;
    // Number 0 is the unit's own folder.
    let folder = match file.directory_index() {
        0 => None,
        number => header.directory(number),
    };
    let folder = folder.and_then(|f| unit.attr_string(f).ok());
    let name = unit.attr_string(file.path_name()).ok()?;
    let mut path = String::new();
    for part in [unit.comp_dir, folder, Some(name)].into_iter().flatten() {
        budget.spend_text(part).ok()?;
        if part.len() > PATH_BYTES_MAX {
            return None;
        }
        push(&mut path, &part.to_string_lossy());
    }
    (path.len() <= PATH_BYTES_MAX).then(|| path.into())
}

/// Adds a part, which may be a whole path of its own.
fn push(path: &mut String, part: &str) {
    if part.starts_with('/') {
        path.clear();
    }
    for name in part.split('/').filter(|n| *n != ".") {
        if name.is_empty() && !path.is_empty() {
            continue;
        }
        if !path.is_empty() && !path.ends_with('/') || name.is_empty() {
            path.push('/');
        }
        path.push_str(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_joined() {
        let check = |parts: &[&str], expected: &str| {
            let mut path = String::new();
            parts.iter().for_each(|p| push(&mut path, p));
            assert_eq!(path, expected, "{parts:?}");
        };
        check(&["/src/lib", "", "a.c"], "/src/lib/a.c");
        check(&["/src", "lib", "a.c"], "/src/lib/a.c");
        check(&["/src", "/usr/include", "a.h"], "/usr/include/a.h");
        check(&["/src/", "./lib/", "./a.c"], "/src/lib/a.c");
        check(&["/src", "../a.c"], "/src/../a.c");
        check(&["a.c"], "a.c");
        check(&["/"], "/");
        check(&["lib", "/a.c"], "/a.c");
    }
}
