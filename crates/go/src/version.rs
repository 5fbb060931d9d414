//! Go version strings, vendors' decorations included.

/// A Go version. Unknown parts (development builds) read as the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoVersion {
    /// The string as the linker wrote it.
    pub text: String,
    /// 26 of go1.26.8.
    pub minor: u32,
    /// 8 of go1.26.8; 0 for pre-releases.
    pub patch: u32,
    /// A development build, whose number says little.
    pub devel: bool,
}

impl GoVersion {
    /// Reads `go1.26.8`, `go1.24.4 X:loopvar`, `go1.22.9 (Red Hat 1.22.9-2)`, `go1.21rc2`,
    /// `go1.23.1-fips`, `devel go1.28-abcdef`. `None` where no Go 1 version is in the text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let devel = text.starts_with("devel");
        let start = text.find("go1.")?;
        let digits = |s: &str| {
            let end = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
            (s[..end].parse::<u32>().ok(), end)
        };
        let rest = &text[start + 4..];
        let (minor, end) = digits(rest);
        let patch = rest[end..]
            .strip_prefix('.')
            .and_then(|s| digits(s).0)
            .unwrap_or(0);
        Some(Self {
            text: text.to_owned(),
            minor: minor?,
            patch,
            devel,
        })
    }
}

impl std::fmt::Display for GoVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_kinds() {
        let check = |text: &str, expected: Option<(u32, u32, bool)>| {
            let got = GoVersion::parse(text).map(|v| (v.minor, v.patch, v.devel));
            assert_eq!(got, expected, "{text}");
        };
        check("go1.26.8", Some((26, 8, false)));
        check("go1.24.4 X:nocoverageredesign", Some((24, 4, false)));
        check("go1.22.9 (Red Hat 1.22.9-2.el9)", Some((22, 9, false)));
        check("go1.23.1-fips", Some((23, 1, false)));
        check("go1.21rc2", Some((21, 0, false)));
        check("devel go1.28-d3adbeef Tue", Some((28, 0, true)));
        check("gccgo", None);
        check("go1.", None);
    }
}
