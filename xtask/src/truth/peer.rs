//! A further profiler, recorded with by a program that the command line names.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use crate::paths;

/// Name and program; the protocol is in the task's help.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Peer {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('=')
            .filter(|(n, p)| !n.is_empty() && !p.is_empty());
        let (name, path) = parts.ok_or("a peer is NAME=PATH")?;
        Ok(Peer {
            name: name.to_owned(),
            path: PathBuf::from(path),
        })
    }
}

impl Peer {
    /// The first line of what it says of itself.
    pub(super) fn version(&self) -> String {
        let said = fs::read_to_string(paths::target().join("truth/peer/version"));
        let said = said.unwrap_or_default();
        said.lines().next().unwrap_or("unknown version").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_have_a_name_and_a_path() {
        let peer: Peer = "other=/x/y=z".parse().unwrap();
        assert_eq!((&*peer.name, peer.path), ("other", PathBuf::from("/x/y=z")));
        assert!("other".parse::<Peer>().is_err());
        assert!("=x".parse::<Peer>().is_err());
    }
}
