//! The build information blob that the Go linker leaves in every executable and c-shared library:
//! the Go version and the build settings. It survives `-s -w` and strip.
//! Format: debug/buildinfo of Go 1.18 and later.

use seam_object::{Elf, ReadRef, SegmentKind};

use crate::GoVersion;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The blob is aligned to 16 bytes.
const ALIGN: usize = 16;
/// Where inline strings start.
const STRINGS: usize = 32;
/// The most of a data segment that is searched.
const SEARCH_BYTES_MAX: u64 = 64 << 20;

/// Who built a module, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The Go version.
    pub version: GoVersion,
    /// `build` lines of the module information: `-buildmode`, `CGO_ENABLED`, `-ldflags` and so on.
    pub settings: Vec<(String, String)>,
    /// The main package's path, empty when unknown.
    pub path: String,
}

impl BuildInfo {
    /// Finds and reads the blob; `None` for modules that Go did not build, or in a form older
    /// than Go 1.18.
    #[must_use]
    pub fn read<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Option<Self> {
        if let Some(section) = elf.section(".go.buildinfo")
            && let Some(bytes) = elf.bytes_up_to(section.address, section.size)
        {
            return Self::search(bytes);
        }
        // Linkers keep Go's sections under their names; only without any headers the blob has to be
        // looked for, in all the data.
        let sections = elf.sections();
        if !sections.is_empty() && !sections.iter().any(|s| s.name.contains("go.")) {
            return None;
        }
        let data = elf
            .segments()
            .iter()
            .filter(|s| s.kind == SegmentKind::Load && !s.executable);
        data.filter_map(|s| elf.bytes_up_to(s.address, s.file_size.min(SEARCH_BYTES_MAX)))
            .find_map(Self::search)
    }

    /// A build setting by its key.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    fn search(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        while let Some(blob) = bytes.get(at..) {
            if blob.starts_with(MAGIC) {
                return Self::parse(blob);
            }
            at += ALIGN;
        }
        None
    }

    fn parse(blob: &[u8]) -> Option<Self> {
        // Bit 1 of the flags: strings follow inline (Go 1.18).
        if blob.get(15)? & 2 == 0 {
            return None;
        }
        let (version, rest) = string(blob.get(STRINGS..)?)?;
        let (info, _) = string(rest).unwrap_or_default();
        // The module information is framed by 16 marker bytes on either side.
        let info = info
            .get(16..info.len().saturating_sub(16))
            .unwrap_or_default();
        let info = String::from_utf8_lossy(info);
        let mut settings = Vec::new();
        let mut path = String::new();
        for line in info.lines() {
            if let Some(setting) = line.strip_prefix("build\t") {
                let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
                settings.push((key.to_owned(), value.trim_matches('"').to_owned()));
            } else if let Some(main) = line.strip_prefix("path\t") {
                main.clone_into(&mut path);
            }
        }
        let version = GoVersion::parse(&String::from_utf8_lossy(version))?;
        Some(Self {
            version,
            settings,
            path,
        })
    }
}

/// A string with its length as a varint before it, and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut len = 0usize;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return bytes.get(i + 1..)?.split_at_checked(len);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(version: &str, info: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, 2]);
        bytes.resize(STRINGS, 0);
        bytes.push(version.len() as u8);
        bytes.extend(version.as_bytes());
        let framed = format!("{:16}{info}{:16}", "", "");
        bytes.extend([
            (framed.len() & 0x7f) as u8 | 0x80,
            (framed.len() >> 7) as u8,
        ]);
        bytes.extend(framed.as_bytes());
        bytes
    }

    #[test]
    fn version_and_settings() {
        let mut data = vec![0; 48];
        data.extend(blob(
            "go1.26.8",
            "path\tx/y\nbuild\t-buildmode=pie\nbuild\tCGO_ENABLED=1\n",
        ));
        let info = BuildInfo::search(&data).expect("found");
        assert_eq!((info.version.minor, info.path.as_str()), (Some(26), "x/y"));
        assert_eq!(info.setting("-buildmode"), Some("pie"));
        assert_eq!(info.setting("CGO_ENABLED"), Some("1"));
    }

    #[test]
    fn cut_blobs_do_not_panic() {
        let whole = blob("go1.26.8", "path\tx\n");
        for len in 0..whole.len() {
            let _ = BuildInfo::search(&whole[..len]);
        }
    }
}
