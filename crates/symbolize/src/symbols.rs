//! ELF symbols as a sorted table of functions.

use std::ops::Range;

use seam_object::{Elf, ReadRef, Symbol, SymbolKind, SymbolSource};

/// A function as a symbol describes it.
#[derive(Debug, Clone, Copy)]
struct Entry<'d> {
    start: u64,
    size: u64,
    name: &'d [u8],
    /// It says that it is code, not only a label.
    function: bool,
    /// All functions of its file are listed, not only those that others may call.
    listed: bool,
}

/// Code symbols by address.
#[derive(Debug, Clone, Default)]
pub(crate) struct SymbolTable<'d> {
    entries: Vec<Entry<'d>>,
    /// Largest size of the entries before each one: how far back an enclosing one may start.
    reach: Vec<u64>,
}

impl<'d> SymbolTable<'d> {
    /// The symbols of several files that describe the same code.
    pub(crate) fn read<'e, R: ReadRef<'d> + 'e>(files: impl Iterator<Item = &'e Elf<'d, R>>) -> Self
    where
        'd: 'e,
    {
        let mut entry_point = 0;
        let files = files.inspect(|elf| entry_point = elf.entry());
        let mut found: Vec<Symbol<'d>> = files.flat_map(code_symbols).collect();
        found.sort_by(|a, b| (a.address, rank(a)).cmp(&(b.address, rank(b))));
        found.dedup_by_key(|s| s.address);
        let entries: Vec<Entry<'d>> = found
            .iter()
            .map(|s| Entry {
                start: s.address,
                size: s.size,
                name: s.name,
                // C libraries' _start is a label without a type.
                function: s.kind == SymbolKind::Function || s.address == entry_point,
                listed: s.source == SymbolSource::Symtab,
            })
            .collect();
        let mut end = 0;
        let reach = entries
            .iter()
            .map(|e| {
                end = e.start.saturating_add(e.size).max(end);
                end
            })
            .collect();
        Self { entries, reach }
    }

    /// The innermost function that covers an address, as a symbol says: within its size, or exactly
    /// at its start where it has none.
    pub(crate) fn find(&self, address: u64) -> Option<(&'d [u8], u64)> {
        let covers = |e: &Entry<'_>| address - e.start < e.size || address == e.start;
        let entry = self.innermost(address, covers)?;
        Some((entry.name, entry.start))
    }

    /// The function without a size that begins last before an address, and where the next symbol
    /// begins: how far it goes is for its code to tell.
    pub(crate) fn sizeless(&self, address: u64) -> Option<(&'d [u8], Range<u64>)> {
        let after = self.entries.partition_point(|e| e.start <= address);
        let entry = &self.entries[after.checked_sub(1)?];
        let end = self.entries.get(after).map_or(u64::MAX, |next| next.start);
        (entry.size == 0 && entry.function && entry.listed)
            .then_some((entry.name, entry.start..end))
    }

    /// The function that begins at an address.
    pub(crate) fn beginning_at(&self, address: u64) -> Option<&'d [u8]> {
        let at = self.entries.binary_search_by_key(&address, |e| e.start);
        let entry = &self.entries[at.ok()?];
        // The vdso's of arm64 are labels with a size.
        (entry.function || entry.size > 0).then_some(entry.name)
    }

    /// The extent of the innermost function that covers an address. Labels without a size have
    /// none.
    pub(crate) fn extent(&self, address: u64) -> Option<Range<u64>> {
        let entry = self.innermost(address, |e| address - e.start < e.size)?;
        Some(entry.start..entry.start.saturating_add(entry.size))
    }

    fn innermost(&self, address: u64, covers: impl Fn(&Entry<'_>) -> bool) -> Option<&Entry<'d>> {
        let after = self.entries.partition_point(|e| e.start <= address);
        for at in (0..after).rev() {
            let entry = &self.entries[at];
            if covers(entry) {
                return Some(entry);
            }
            if self.reach[at] <= address {
                return None;
            }
        }
        None
    }
}

fn code_symbols<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Vec<Symbol<'d>> {
    let code = |address: u64| {
        elf.segments()
            .iter()
            .any(|s| s.executable && address >= s.address && address - s.address < s.memory_size)
    };
    elf.symbols()
        .filter(|s| match s.kind {
            SymbolKind::Function => true,
            // Labels of assembly code; those without a size only name their own address.
            SymbolKind::NoType => !s.name.starts_with(b"$"),
            SymbolKind::Tls | SymbolKind::Object => false,
        })
        .filter(|s| code(s.address))
        .collect()
}

/// Which of several symbols at one address names it best (smallest first): a sized function, then
/// names without leading underscores, then global ones, then short ones.
fn rank<'d>(symbol: &Symbol<'d>) -> (bool, bool, usize, bool, usize, &'d [u8]) {
    let underscores = symbol.name.iter().take_while(|b| **b == b'_').count();
    // Mangled names start with one underscore that means nothing.
    let underscores = if symbol.name.starts_with(b"_Z") || symbol.name.starts_with(b"_R") {
        0
    } else {
        underscores
    };
    (
        symbol.size == 0,
        symbol.kind != SymbolKind::Function,
        underscores,
        !symbol.global,
        symbol.name.len(),
        symbol.name,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(u64, u64, &'static str)]) -> SymbolTable<'static> {
        let mut end = 0;
        SymbolTable {
            entries: entries
                .iter()
                .map(|(start, size, name)| Entry {
                    start: *start,
                    size: *size,
                    name: name.as_bytes(),
                    function: true,
                    listed: true,
                })
                .collect(),
            reach: entries
                .iter()
                .map(|(start, size, _)| {
                    end = (start + size).max(end);
                    end
                })
                .collect(),
        }
    }

    #[test]
    fn only_covering_symbols_count() {
        let table = table(&[
            (100, 50, "outer"),
            (110, 10, "inner"),
            (200, 0, "label"),
            (300, 5, "f"),
        ]);
        let name = |a| {
            table
                .find(a)
                .map(|(n, _)| std::str::from_utf8(n).expect("text"))
        };
        assert_eq!(name(99), None);
        assert_eq!(name(105), Some("outer"));
        assert_eq!(name(115), Some("inner"));
        assert_eq!(name(125), Some("outer"));
        assert_eq!(name(150), None);
        assert_eq!(name(200), Some("label"));
        assert_eq!(name(201), None);
        assert_eq!(name(304), Some("f"));
        assert_eq!(name(305), None);
    }
}
