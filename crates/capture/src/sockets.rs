//! What the descriptors of a process are: files by path, sockets by their two ends.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use seam_memory::proc_path;

/// Bytes of one table of sockets that are read: some 100,000 sockets.
const TABLE_BYTES_MAX: u64 = 16 << 20;

/// The sockets of a process's network namespace.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    pid: i32,
    by_inode: HashMap<u64, String>,
}

impl Sockets {
    /// Reads the tables. What can't be read is missing.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        let mut by_inode = HashMap::new();
        for (name, protocol) in [
            ("tcp", "tcp"),
            ("tcp6", "tcp"),
            ("udp", "udp"),
            ("udp6", "udp"),
        ] {
            let lines = table(pid, name);
            by_inode.extend(lines.lines().filter_map(|line| internet(protocol, line)));
        }
        by_inode.extend(table(pid, "unix").lines().filter_map(unix));
        Self { pid, by_inode }
    }

    /// What a descriptor is; `None` once it is closed.
    #[must_use]
    pub fn descriptor(&self, fd: i32) -> Option<String> {
        let link = std::fs::read_link(proc_path(self.pid, &format!("fd/{fd}"))).ok()?;
        let link = link.to_string_lossy().into_owned();
        let inode = link
            .strip_prefix("socket:[")
            .and_then(|l| l.strip_suffix(']'));
        let inode = inode.and_then(|inode| inode.parse::<u64>().ok());
        Some(
            inode
                .and_then(|inode| self.by_inode.get(&inode).cloned())
                .unwrap_or(link),
        )
    }
}

fn table(pid: i32, name: &str) -> String {
    use std::io::Read;
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(proc_path(pid, &format!("net/{name}"))) {
        // A table that can't be read to its end is as good as its beginning.
        let _ = file.take(TABLE_BYTES_MAX).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A line of tcp or udp: number, local, remote, state, …, the tenth the inode (net/ipv4/tcp_ipv4.c,
/// get_tcp4_sock).
fn internet(protocol: &str, line: &str) -> Option<(u64, String)> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
    /// `TCP_LISTEN`, include/net/tcp_states.h.
    const LISTEN: &str = "0A";
    let state = fields.next()?;
    let inode = fields.nth(5)?.parse().ok()?;
    let mut text = format!("{protocol} {local}");
    if protocol == "tcp" && state == LISTEN {
        text.push_str(" listening");
    } else if remote.port() != 0 {
        let _ = write!(text, " → {remote}");
    }
    Some((inode, text))
}

/// Hexadecimal address and port; the address in words of the machine's byte order.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<[u8; 4]>> = (0..host.len() / 8)
        .map(|at| {
            Some(
                u32::from_str_radix(host.get(8 * at..8 * at + 8)?, 16)
                    .ok()?
                    .to_ne_bytes(),
            )
        })
        .collect();
    let bytes = words?.concat();
    let host = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(host, port))
}

/// A line of unix: seven fields, the last the inode, then a path if it has one (net/unix/af_unix.c,
/// unix_seq_show).
fn unix(line: &str) -> Option<(u64, String)> {
    let mut fields = line.split_whitespace();
    let inode = fields.nth(6)?.parse().ok()?;
    let path = fields.collect::<Vec<_>>().join(" ");
    Some((inode, format!("unix {path}").trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tables() {
        let line = "   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000 \
            1000        0 28321 1 0 20 4 30 10 -1";
        let found = internet("tcp", line);
        assert_eq!(
            found,
            Some((28321, "tcp 127.0.0.1:8080 → 127.0.0.2:50000".to_owned()))
        );
        let line = "0: 00000000000000000000000001000000:1F90 \
            00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1";
        assert_eq!(
            internet("tcp", line),
            Some((77, "tcp [::1]:8080 listening".to_owned()))
        );
        assert_eq!(internet("tcp", "  sl  local_address rem_address st"), None);
        assert_eq!(internet("tcp", "0: zz:1 é:2 01"), None);
        let line = "0000: 00000002 00000000 00010000 0001 01 99 /run/a b";
        assert_eq!(unix(line), Some((99, "unix /run/a b".to_owned())));
        assert_eq!(unix("Num RefCount"), None);
    }

    #[test]
    fn descriptors_of_this_process() {
        use std::os::fd::AsRawFd;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it has one").port();
        let sockets = Sockets::of(std::process::id() as i32);
        let found = sockets.descriptor(listener.as_raw_fd());
        assert_eq!(found, Some(format!("tcp 127.0.0.1:{port} listening")));
        assert_eq!(sockets.descriptor(i32::MAX), None);
    }
}
