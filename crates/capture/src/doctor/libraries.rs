//! Which C library and which allocator a process runs, by the modules it maps and the names in
//! them.

use seam_object::{Elf, ReadRef};

/// The most of a section that is searched for a version.
const SEARCH_BYTES_MAX: u64 = 8 << 20;
/// How glibc calls itself (csu/version.c, 2.0 to 2.42).
const GLIBC_BANNER: &[u8] = b"GNU C Library ";
const GLIBC_VERSION: &[u8] = b"release version ";

/// A C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Libc {
    /// `glibc` or `musl`.
    pub kind: &'static str,
    /// Its version, if it says.
    pub version: Option<String>,
    /// It is part of the executable.
    pub linked_in: bool,
}

/// Who serves `malloc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocator {
    /// Its name.
    pub name: &'static str,
    /// The module it is in.
    pub module: String,
}

/// The C library that a module is or holds.
pub(super) fn libc_in<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, name: &str) -> Option<Libc> {
    let linked_in = elf.interpreter().is_none() && !name.contains(".so");
    let is_glibc = name.starts_with("libc.so.6") || name.starts_with("libc-2.");
    let is_musl = name == "libc.so" || name.starts_with("ld-musl") || name.starts_with("libc.musl");
    let library = |kind, version| Libc {
        kind,
        version,
        linked_in,
    };
    if is_glibc {
        let rodata = elf.section(".rodata");
        let bytes = rodata.and_then(|s| elf.bytes_up_to(s.address, s.size.min(SEARCH_BYTES_MAX)));
        return Some(library("glibc", bytes.and_then(glibc_version)));
    }
    if is_musl {
        return Some(library("musl", None));
    }
    if !linked_in {
        return None;
    }
    // Sections that only glibc has (libio/libioP.h, 2.24 to 2.42).
    if elf.sections().iter().any(|s| s.name.starts_with("__libc_")) {
        return Some(library("glibc", None));
    }
    // A name that only musl has (src/env/__init_tls.c), in programs that keep their symbols.
    let musl = elf.symbol_address("__init_tp").is_some();
    musl.then(|| library("musl", None))
}

/// `2.36` of `GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.`
fn glibc_version(bytes: &[u8]) -> Option<String> {
    let banner = &bytes[find(bytes, GLIBC_BANNER)?..];
    let banner = &banner[..banner.len().min(512)];
    let text = &banner[find(banner, GLIBC_VERSION)? + GLIBC_VERSION.len()..];
    let end = text
        .iter()
        .position(|b| !b.is_ascii_digit() && *b != b'.')
        .unwrap_or(text.len());
    let version = String::from_utf8_lossy(&text[..end]);
    Some(version.trim_end_matches('.').to_owned()).filter(|v| !v.is_empty())
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|w| w == text)
}

/// The allocator that a module is or holds; those of C libraries are not looked for here.
pub(super) fn allocator_in<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    name: &str,
) -> Option<&'static str> {
    let by_file = [
        ("libjemalloc", "jemalloc"),
        ("libtcmalloc", "tcmalloc"),
        ("libmimalloc", "mimalloc"),
        ("libtbbmalloc_proxy", "tbbmalloc"),
    ];
    if let Some((_, allocator)) = by_file.iter().find(|(file, _)| name.starts_with(file)) {
        return Some(allocator);
    }
    let by_symbol: [(&[u8], &str); 6] = [
        (b"je_malloc", "jemalloc"),
        (b"_rjem_malloc", "jemalloc"),
        (b"malloc_stats_print", "jemalloc"),
        (b"tc_malloc", "tcmalloc"),
        (b"TCMallocInternalMalloc", "tcmalloc"),
        (b"mi_malloc", "mimalloc"),
    ];
    elf.symbols().find_map(|symbol| {
        let known = by_symbol.iter().find(|(name, _)| *name == symbol.name);
        known.map(|(_, allocator)| *allocator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_says_its_version() {
        let text =
            b"x\0GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\n";
        assert_eq!(glibc_version(text).as_deref(), Some("2.36"));
        assert_eq!(glibc_version(b"GNU C Library, another text"), None);
        assert_eq!(glibc_version(b"GNU C Library release version x"), None);
        assert_eq!(glibc_version(b""), None);
    }

    #[test]
    fn this_test_s_own_c_library() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let path = maps.lines().find_map(|l| {
            l.find("/")
                .map(|at| &l[at..])
                .filter(|p| p.contains("/libc.so"))
        });
        let bytes = std::fs::read(path.unwrap()).unwrap();
        let elf = Elf::parse(bytes.as_slice()).unwrap();
        let found = libc_in(&elf, "libc.so.6").unwrap();
        assert_eq!((found.kind, found.linked_in), ("glibc", false));
        assert!(found.version.unwrap().starts_with("2."));
        assert_eq!(allocator_in(&elf, "libc.so.6"), None);
    }
}
