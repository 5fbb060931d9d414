//! The ways to build a test program that differ from `go build`: build modes, static libraries,
//! what is stripped, compilers and their flags. What cannot be built by whom is said here too;
//! building is left to [`super::shaping`].

/// A way to build, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// What it is, in words.
    pub(crate) words: &'static str,
    pub(crate) form: Form,
    /// Flags of the C, behind those of the program, for gcc or clang; `None`: the program's alone.
    pub(crate) flags: Option<(Compiler, &'static str)>,
}

/// What is made of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Executable,
    Pie,
    StaticGlibc,
    StaticMusl,
    Archive,
    Linked,
    Opened,
    Plugin,
    Race,
    /// The linker leaves out symbols and DWARF.
    Omitted,
    /// `strip -s`.
    Stripped,
    /// Stripped, and the section headers are gone.
    Headless,
}

/// Who compiles the C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Compiler {
    Gcc,
    Clang,
}

use Compiler::{Clang, Gcc};

const fn form(name: &'static str, words: &'static str, form: Form) -> Shape {
    Shape {
        name,
        words,
        form,
        flags: None,
    }
}

const fn flags(name: &'static str, compiler: Compiler, flags: &'static str) -> Shape {
    Shape {
        name,
        words: flags,
        form: Form::Executable,
        flags: Some((compiler, flags)),
    }
}

/// Every build mode, and of compilers × levels × frame pointers × unwind tables so many that each
/// pair of two settings occurs.
pub(crate) const SHAPES: &[Shape] = &[
    form("default", "`go build`", Form::Executable),
    form("pie", "`-buildmode=pie`", Form::Pie),
    form("static", "static, glibc", Form::StaticGlibc),
    form("musl", "static, musl", Form::StaticMusl),
    form("archive", "`c-archive` in a C program", Form::Archive),
    form("linked", "`c-shared`, linked to a C program", Form::Linked),
    form("opened", "`c-shared`, opened by a C program", Form::Opened),
    form("plugin", "`plugin` of a Go program", Form::Plugin),
    form("race", "`-race`", Form::Race),
    form("omitted", "`-ldflags \"-s -w\"`", Form::Omitted),
    form("stripped", "`strip -s`", Form::Stripped),
    form("headless", "`strip -s`, no section headers", Form::Headless),
    flags("gcc-O0", Gcc, "-O0 -fomit-frame-pointer"),
    flags(
        "gcc-O2-fp-bare",
        Gcc,
        "-O2 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags(
        "gcc-O3-bare",
        Gcc,
        "-O3 -fomit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags("gcc-Os-fp", Gcc, "-Os -fno-omit-frame-pointer"),
    flags(
        "gcc-lto-bare",
        Gcc,
        "-O2 -flto -ffat-lto-objects -fomit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags(
        "clang-O0-fp-bare",
        Clang,
        "-O0 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags(
        "clang-O2-bare",
        Clang,
        "-O2 -fomit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags("clang-O3-fp", Clang, "-O3 -fno-omit-frame-pointer"),
    flags(
        "clang-Os-bare",
        Clang,
        "-Os -fomit-frame-pointer -fno-asynchronous-unwind-tables",
    ),
    flags(
        "clang-lto-fp",
        Clang,
        "-O2 -flto -ffat-lto-objects -fno-omit-frame-pointer",
    ),
];

impl Default for Shape {
    fn default() -> Self {
        SHAPES[0]
    }
}

impl Shape {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        SHAPES.iter().copied().find(|shape| shape.name == name)
    }

    /// Whether the names of C are nowhere in the file.
    pub(crate) fn is_nameless(&self) -> bool {
        matches!(self.form, Form::Omitted | Form::Stripped | Form::Headless)
    }

    /// Why this way does not exist for a kind of program.
    pub(crate) fn impossible(&self, kind: &str) -> Option<&'static str> {
        match self.form {
            _ if self.flags.is_some() && kind == "go" => Some("no C in it"),
            Form::StaticGlibc | Form::StaticMusl if kind == "go" => {
                Some("Go without cgo needs no C library")
            }
            Form::StaticMusl if kind == "c++" => Some("Debian has no C++ library for musl"),
            Form::Archive
            | Form::Linked
            | Form::Opened
            | Form::Plugin
            | Form::Race
            | Form::Omitted
                if !kind.ends_with("go") =>
            {
                Some("no Go in it")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The settings of a way's C.
    fn settings(shape: &Shape) -> Option<[&'static str; 4]> {
        let (compiler, flags) = shape.flags?;
        let has = |flag: &str| flags.split(' ').any(|word| word == flag);
        let level = ["-flto", "-O0", "-O2", "-O3", "-Os"];
        let level = level.into_iter().find(|flag| has(flag))?;
        let frames = if has("-fno-omit-frame-pointer") {
            "fp"
        } else {
            "no fp"
        };
        let tables = if has("-fno-asynchronous-unwind-tables") {
            "bare"
        } else {
            "cfi"
        };
        let compiler = if compiler == Gcc { "gcc" } else { "clang" };
        Some([compiler, level, frames, tables])
    }

    #[test]
    fn every_pair_of_settings_occurs() {
        // The plain build is gcc's -O2 without frame pointers and with tables.
        let mut rows = vec![["gcc", "-O2", "no fp", "cfi"]];
        rows.extend(SHAPES.iter().filter_map(settings));
        for one in 0..4 {
            for other in one + 1..4 {
                let values = |at: usize| rows.iter().map(|row| row[at]).collect::<BTreeSet<_>>();
                for a in values(one) {
                    for b in values(other) {
                        let found = rows.iter().any(|row| row[one] == a && row[other] == b);
                        assert!(found, "no {a} with {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn names_are_told_apart() {
        let names: BTreeSet<_> = SHAPES.iter().map(|shape| shape.name).collect();
        assert_eq!(names.len(), SHAPES.len());
        assert_eq!(Shape::by_name("musl").unwrap().form, Form::StaticMusl);
        assert_eq!(Shape::by_name("none"), None);
    }

    #[test]
    fn what_does_not_exist_is_said() {
        let of = |name: &str, kind: &str| Shape::by_name(name).unwrap().impossible(kind);
        assert_eq!(of("gcc-O0", "go"), Some("no C in it"));
        assert_eq!(of("plugin", "c"), Some("no Go in it"));
        assert_eq!(of("plugin", "cgo"), None);
        assert_eq!(of("plugin", "go"), None);
    }
}
