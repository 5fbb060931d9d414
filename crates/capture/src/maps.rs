//! `/proc/PID/maps`: the executable mappings of a process.

use seam_wire::FileKey;

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapsEntry {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    /// The file's device (major, minor) and inode; zeros without a file.
    pub file: FileId,
    /// The path as the kernel prints it, or a name in brackets; empty for anonymous memory.
    pub path: String,
    /// It may be written to.
    pub writable: bool,
}

/// What a file is, whatever its path says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct FileId {
    /// Device, major number.
    pub major: u32,
    /// Device, minor number.
    pub minor: u32,
    /// Inode; 0 = no file.
    pub inode: u64,
}

impl FileId {
    /// How the kernel itself numbers it: MKDEV in include/linux/kdev_t.h has 20 bits for the minor.
    #[must_use]
    pub fn kernel_key(self) -> FileKey {
        let device = (u64::from(self.major) << 20) | u64::from(self.minor);
        FileKey {
            device,
            inode: self.inode,
        }
    }
}

impl MapsEntry {
    /// Whether the mapping has a file behind it.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.file.inode != 0
    }

    /// Whether what lies there, if it is no ELF file, was made by the process itself: memory, or a
    /// file that is only another name for memory.
    #[must_use]
    pub fn is_made(&self) -> bool {
        let of_memory = ["/memfd:", "/dev/zero", "/dev/shm/", "/SYSV"];
        !self.has_file()
            || self.writable
            || self.path.ends_with(" (deleted)")
            || of_memory.iter().any(|start| self.path.starts_with(start))
    }
}

/// The executable entries of a maps file's text, by rising address. Malformed lines are left out.
#[must_use]
pub fn executable_entries(text: &str) -> Vec<MapsEntry> {
    let mut entries: Vec<MapsEntry> = text.lines().filter_map(entry).collect();
    entries.sort_by_key(|e| e.start);
    entries
}

/// `start-end perms offset major:minor inode path`
fn entry(line: &str) -> Option<MapsEntry> {
    let mut rest = line;
    let mut field = || {
        let (field, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = tail.trim_start_matches(' ');
        Some(field).filter(|f| !f.is_empty())
    };
    let (range, perms, offset) = (field()?, field()?, field()?);
    let (device, inode) = (field()?, field()?);
    if !perms.contains('x') {
        return None;
    }
    let hex = |s: &str| u64::from_str_radix(s, 16).ok();
    let (start, end) = range.split_once('-')?;
    let (major, minor) = device.split_once(':')?;
    let file = FileId {
        major: u32::from_str_radix(major, 16).ok()?,
        minor: u32::from_str_radix(minor, 16).ok()?,
        inode: inode.parse().ok()?,
    };
    let (start, end) = (hex(start)?, hex(end)?);
    (start < end).then(|| MapsEntry {
        start,
        end,
        offset: hex(offset).unwrap_or(0),
        file,
        path: rest.to_owned(),
        writable: perms.contains('w'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let text = "\
00400000-00401000 r--p 00000000 fe:00 42 /bin/a
00401000-00500000 r-xp 00001000 fe:00 42 /bin/a name (deleted)
7ffd0000-7ffd2000 r-xp 00000000 00:00 0 [vdso]
7f000000-7f001000 rwxp 00000000 00:00 0 
garbage
";
        let entries = executable_entries(text);
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[0].path, "/bin/a name (deleted)");
        assert_eq!(
            entries[0].file,
            FileId {
                major: 0xfe,
                minor: 0,
                inode: 42
            }
        );
        assert_eq!(entries[1].path, "");
        assert_eq!(entries[2].path, "[vdso]");
        assert!(!entries[2].has_file());
        assert_eq!(
            entries.iter().map(|e| e.writable).collect::<Vec<_>>(),
            [false, true, false]
        );
    }

    #[test]
    fn what_a_process_makes_itself() {
        let made = |perms: &str, rest: &str| {
            let line = format!("7f000000-7f001000 {perms} 00000000 {rest}\n");
            executable_entries(&line)[0].is_made()
        };
        assert!(made("rwxp", "00:00 0"));
        assert!(made("rwxp", "fe:00 42 /srv/x"));
        assert!(made("r-xs", "00:01 42 /memfd:doublemapper (deleted)"));
        assert!(made("r-xp", "fe:00 42 /tmp/ffiA1b2 (deleted)"));
        assert!(made("r-xs", "00:01 42 /dev/shm/jit"));
        assert!(!made("r-xp", "fe:00 42 /usr/lib/garbage.so"));
    }
}
