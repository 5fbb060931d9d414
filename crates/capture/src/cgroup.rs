//! Control groups (version 2) by path or by container id. Owns no knowledge of container runtimes
//! beyond that the id is part of the group's name.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Folders looked into for a container.
const FOLDERS_MAX: usize = 100_000;
/// Shorter ids are too likely to be part of something else.
const ID_CHARS_MIN: usize = 8;

/// A control group.
#[derive(Debug)]
pub struct Cgroup {
    /// Where it is.
    pub path: PathBuf,
    /// Its folder, open: that is what the kernel knows it by.
    pub folder: OwnedFd,
}

impl Cgroup {
    /// By path, absolute or relative to the hierarchy's root.
    ///
    /// # Errors
    /// When there is none, or the hierarchy is version 1.
    pub fn by_path(path: &Path) -> Result<Self> {
        let root = root()?;
        let relative = path.strip_prefix("/").unwrap_or(path);
        let path = if path.starts_with(&root) {
            path.to_owned()
        } else {
            root.join(relative)
        };
        Self::open(path)
    }

    /// The group of the container whose id starts with, or is part of the name.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub fn by_container(id: &str) -> Result<Self> {
        Self::open(find(&root()?, id)?)
    }

    fn open(path: PathBuf) -> Result<Self> {
        let failed = |detail: &str| Error::Cgroup {
            path: path.display().to_string(),
            detail: detail.to_owned(),
        };
        let folder = File::open(&path).map_err(|e| failed(&e.to_string()))?;
        if !path.join("cgroup.controllers").exists() {
            return Err(failed("not in a hierarchy of version 2"));
        }
        Ok(Self {
            path,
            folder: folder.into(),
        })
    }
}

/// The processes under an open group, those that are in this PID namespace.
pub(crate) fn members(group: &OwnedFd) -> HashSet<i32> {
    let mut folders = vec![PathBuf::from(format!(
        "/proc/self/fd/{}",
        group.as_raw_fd()
    ))];
    let mut pids = HashSet::new();
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > FOLDERS_MAX {
            break;
        }
        let listed = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        // 0 is a process that this namespace does not have.
        let listed = listed.lines().filter_map(|l| l.parse::<i32>().ok());
        pids.extend(listed.filter(|pid| *pid != 0));
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let inner = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        folders.extend(inner.map(|e| e.path()));
    }
    pids
}

/// Where the hierarchy of version 2 is mounted; beside version 1 that is not /sys/fs/cgroup.
fn root() -> Result<PathBuf> {
    let mounts =
        std::fs::read_to_string("/proc/self/mounts").map_err(Error::io("reading mounts"))?;
    let mut of_version_2 = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let path = fields.next()?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(path))
    });
    of_version_2.next().ok_or_else(|| Error::Cgroup {
        path: "/proc/self/mounts".to_owned(),
        detail: "no hierarchy of version 2 is mounted".to_owned(),
    })
}

/// The outermost folders whose name holds the id.
fn find(root: &Path, id: &str) -> Result<PathBuf> {
    let none = |detail: String| Error::Cgroup {
        path: id.to_owned(),
        detail,
    };
    if id.len() < ID_CHARS_MIN || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(none(format!(
            "a container id has at least {ID_CHARS_MIN} letters and digits"
        )));
    }
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > FOLDERS_MAX {
            break;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            if !entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().contains(id) {
                found.push(entry.path());
            } else {
                folders.push(entry.path());
            }
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(none("no control group has this in its name".to_owned())),
        n => Err(none(format!("{n} control groups have this in their names"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_found_by_part_of_its_id() {
        let root = std::env::temp_dir().join(format!("seam-cgroup-{}", std::process::id()));
        let scope = root.join("system.slice/docker-0123456789abcdef.scope");
        std::fs::create_dir_all(scope.join("init-0123456789abcdef")).expect("a temporary folder");
        std::fs::create_dir_all(root.join("a/one-feedfacecafe")).expect("a temporary folder");
        std::fs::create_dir_all(root.join("b/two-feedfacecafe")).expect("a temporary folder");
        // The outer one, not what lies in it.
        assert_eq!(find(&root, "0123456789ab").ok(), Some(scope));
        for wrong in ["feedfacecafe", "ffffffffffff", "0123", "../../etc"] {
            assert!(find(&root, wrong).is_err(), "{wrong}");
        }
        std::fs::remove_dir_all(&root).expect("our own folder");
    }
}
