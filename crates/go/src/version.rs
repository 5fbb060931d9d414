//! Go version strings, vendors' decorations included. Any text is a version: what it does not say
//! is missing, and nothing is refused for its version.

use serde::{Deserialize, Serialize};

use crate::Release;

/// A Go version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoVersion {
    /// The string as the linker wrote it.
    pub text: String,
    /// 26 of go1.26.8; `None` where the text names no Go 1 (`devel +abcdef`).
    pub minor: Option<u32>,
    /// 8 of go1.26.8; 0 for pre-releases and development builds.
    pub patch: u32,
    /// What kind of build it is.
    pub kind: VersionKind,
}

/// How far a version string can be trusted to mean one known set of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionKind {
    /// `go1.26.8` and nothing else.
    Release,
    /// `go1.28rc1`, `go1.21beta1`.
    Prerelease,
    /// A release with something added: a vendor's name, a branch, `X:` experiments. Sources and
    /// structures may differ from the release's.
    Altered,
    /// `devel`: a number says little.
    Devel,
}

impl GoVersion {
    /// Reads `go1.26.8`, `go1.24.11 X:nocoverageredesign`, `go1.22.9 (Red Hat 1.22.9-2.el9)`,
    /// `go1.21rc2`, `go1.23.1-fips`, `go1.21.13b7`, `devel go1.28-abcdef Mon …`, `devel +abcdef`,
    /// `go1.26-devel_abcdef`, `go1.25-20250101-RC00 cl/…`. `None` only for an empty text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let (minor, rest) = match text.split_once("go1.") {
            Some((_, rest)) => leading_number(rest),
            None => (None, ""),
        };
        let (patch, rest) = match rest.strip_prefix('.').map(leading_number) {
            Some((Some(patch), rest)) if minor.is_some() => (Some(patch), rest),
            _ => (None, rest),
        };
        let kind = if text.contains("devel") {
            VersionKind::Devel
        } else if minor.is_some() && text.starts_with("go1.") && rest.is_empty() {
            VersionKind::Release
        } else if patch.is_none() && is_prerelease(rest) {
            VersionKind::Prerelease
        } else {
            VersionKind::Altered
        };
        Some(Self {
            text: text.to_owned(),
            minor,
            patch: patch.unwrap_or(0),
            kind,
        })
    }

    /// The release by number, if the text has one: an altered build's is the one it was made of.
    #[must_use]
    pub fn number(&self) -> Option<Release> {
        let patch = self.patch;
        self.minor.map(|minor| Release { minor, patch })
    }

    /// The release, where the text says that it is exactly this one.
    #[must_use]
    pub fn release(&self) -> Option<Release> {
        self.number().filter(|_| self.kind == VersionKind::Release)
    }
}

/// Leading digits, and what follows them.
fn leading_number(text: &str) -> (Option<u32>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    (digits.parse().ok(), rest)
}

/// `rc1`, `beta2`; with more behind it the build is altered.
fn is_prerelease(rest: &str) -> bool {
    let digits = rest.strip_prefix("rc").or(rest.strip_prefix("beta"));
    digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

impl std::fmt::Display for GoVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::VersionKind::{Altered, Devel, Prerelease, Release};
    use super::*;

    #[test]
    fn versions_of_all_kinds() {
        let table = [
            ("go1.26.8", Some(26), 8, Release),
            ("go1.21", Some(21), 0, Release),
            ("go1.28rc1", Some(28), 0, Prerelease),
            ("go1.21beta1", Some(21), 0, Prerelease),
            ("go1.24.11 X:nocoverageredesign", Some(24), 11, Altered),
            ("go1.22.9 (Red Hat 1.22.9-1.el9)", Some(22), 9, Altered),
            ("go1.24.11-fips", Some(24), 11, Altered),
            ("go1.21.13b7", Some(21), 13, Altered),
            ("go1.26.8-custom", Some(26), 8, Altered),
            ("go1.28rc1-custom", Some(28), 0, Altered),
            ("go1.25-20250101-RC00 cl/711000000", Some(25), 0, Altered),
            (
                "devel go1.28-abcdef Mon Feb 2 10:00:00 2026",
                Some(28),
                0,
                Devel,
            ),
            ("go1.26-devel_d3adbeef Tue", Some(26), 0, Devel),
            ("devel +abcdef Tue", None, 0, Devel),
            ("mygo1.22.9", Some(22), 9, Altered),
            ("go1.99999999999.1", None, 0, Altered),
            ("go1.", None, 0, Altered),
            ("gccgo", None, 0, Altered),
        ];
        for (text, minor, patch, kind) in table {
            let v = GoVersion::parse(text).unwrap_or_else(|| panic!("{text} is refused"));
            assert_eq!((v.minor, v.patch, v.kind), (minor, patch, kind), "{text}");
            assert_eq!(v.release().is_some(), kind == Release, "{text}");
        }
        assert_eq!(GoVersion::parse(" "), None);
    }
}
