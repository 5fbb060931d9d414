//! How a Go program was built, and what that means for its profiles.

use seam_go::OffsetsSource;

use super::{Check, State};
use crate::{GoRuntimeFacts, Module};

/// A Go runtime and how it was built.
#[derive(Debug, Clone)]
pub struct GoBuild {
    /// The module it is in.
    pub module: String,
    /// As the build says, `go1.26.8`; empty where it does not.
    pub version: String,
    /// It can call C.
    pub cgo: bool,
    /// It was built without cgo, but with something that does what cgo does (purego).
    pub without_cgo: bool,
    /// `exe`, `pie`, `c-shared`, `c-archive`, `plugin`; empty where the build does not say.
    pub build_mode: String,
    /// Where the places of the runtime's fields come from, in words.
    pub offsets: String,
    /// The code confirms those that stacks depend on.
    pub verified: bool,
    /// The code shows where threads keep their goroutine.
    pub goroutine_found: bool,
    /// Flags of the build that change what a profile shows.
    pub flags: Vec<BuildFlag>,
}

/// A flag of a Go build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFlag {
    /// As the build says it, `-race=true`.
    pub flag: String,
    /// What it does to profiles.
    pub effect: &'static str,
}

pub(super) fn go_problem(go: &GoBuild) -> Option<Check> {
    let meaning = if !go.goroutine_found {
        "stacks end where the runtime changes stacks (go-build-unknown)"
    } else if !go.verified {
        "stacks end where the runtime changes stacks (go-offsets-unverified)"
    } else {
        return None;
    };
    let version = if go.version.is_empty() {
        "a Go runtime of unknown version"
    } else {
        &go.version
    };
    Some(Check::bad(
        &go.module,
        State::Degraded,
        format!("{version}: its code does not show the runtime's structures"),
        meaning,
        "build with a released Go, or keep the DWARF (no -w)",
    ))
}

pub(super) fn go_build(module: &Module, go: &GoRuntimeFacts) -> GoBuild {
    let setting = |key: &str| {
        let found = go.settings.iter().find(|(k, _)| k == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    let offsets = match go.offsets.source {
        OffsetsSource::Table => "known release".to_owned(),
        OffsetsSource::Dwarf => "from its DWARF".to_owned(),
        OffsetsSource::Nearest(release) => format!("those of Go {release}"),
    };
    GoBuild {
        module: module.name().to_owned(),
        version: go
            .version
            .as_ref()
            .map_or_else(String::new, |v| v.text.clone()),
        cgo: !go.crosscall2.is_empty(),
        without_cgo: !go.crosscall2.is_empty() && setting("CGO_ENABLED") == "0",
        build_mode: setting("-buildmode").to_owned(),
        offsets,
        verified: go.offsets.verified,
        goroutine_found: go.tls.is_some(),
        flags: flags(&go.settings, module.has_symtab),
    }
}

/// The settings that change what a profile shows.
fn flags(settings: &[(String, String)], has_symtab: bool) -> Vec<BuildFlag> {
    let mut flags: Vec<BuildFlag> = settings
        .iter()
        .filter_map(|(key, value)| {
            let effect = effect(key, value, has_symtab)?;
            let flag = format!("{key}={value}");
            Some(BuildFlag { flag, effect })
        })
        .collect();
    // With -trimpath Go leaves -ldflags out of the build information.
    if !has_symtab && !flags.iter().any(|f| f.flag.starts_with("-ldflags")) {
        flags.push(BuildFlag {
            flag: "no symbol table".to_owned(),
            effect: "C functions in it have no names; Go's stay, from the pclntab",
        });
    }
    flags
}

fn effect(key: &str, value: &str, has_symtab: bool) -> Option<&'static str> {
    let words = || value.split_whitespace();
    Some(match (key, value) {
        ("-race", "true") => "the race detector's C++ is in the stacks and in the times",
        ("-msan", "true") => "the memory sanitizer is in the stacks and in the times",
        ("-asan", "true") => "the address sanitizer is in the stacks and in the times",
        ("-trimpath", "true") => "files are named by module path, not where they lie",
        ("-cover", "true") | ("-covermode", _) => "counters of coverage are in the times",
        ("-ldflags", _) if !has_symtab => {
            "C functions in it have no names; Go's stay, from the pclntab"
        }
        ("-ldflags", _) if words().any(|w| w == "-w") => {
            "no DWARF; seam needs it only for unknown releases of Go"
        }
        ("-gcflags", _) if words().any(|w| w.ends_with("-l") || w.ends_with("-N")) => {
            "not optimized: every call is a frame, and times are not those of the usual build"
        }
        ("-pgo", _) => "hot calls are inlined or made direct by an earlier profile",
        ("GOEXPERIMENT", _) if !value.is_empty() => {
            "runtime structures may differ; they are checked against the code"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_their_effects() {
        let settings = [
            ("-buildmode", "exe"),
            ("-race", "true"),
            ("-trimpath", "true"),
            ("-gcflags", "all=-N -l"),
            ("CGO_ENABLED", "1"),
        ];
        let settings: Vec<_> = settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let found = flags(&settings, false);
        let names: Vec<_> = found.iter().map(|f| f.flag.as_str()).collect();
        assert_eq!(
            names,
            [
                "-race=true",
                "-trimpath=true",
                "-gcflags=all=-N -l",
                "no symbol table"
            ]
        );
        assert!(effect("-ldflags", "-s -w", false).is_some());
        assert!(effect("-ldflags", "-X main.v=1", true).is_none());
    }
}
