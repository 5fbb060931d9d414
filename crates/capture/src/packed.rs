//! Programs whose code is not mapped from their file: packed ones, which unpack it into memory.

use std::fs::File;
use std::io::Read;

use seam_memory::proc_path;

use crate::executable_entries;

/// What UPX leaves in its headers (`UPX_MAGIC_LE32`, UPX 3.96).
const UPX: &[u8] = b"UPX!";
/// It stands behind the program headers.
const HEAD_BYTES: u64 = 4096;

/// Why a process runs code without a file, in words, if nothing of its own file is mapped as code.
pub(crate) fn packed(pid: i32) -> Option<String> {
    let link = proc_path(pid, "exe");
    let path = std::fs::read_link(&link).ok()?;
    let path = path.to_string_lossy();
    let path = path.trim_end_matches(" (deleted)");
    // Both texts are the kernel's, for this process: a module may have its path from another one.
    let maps = std::fs::read(proc_path(pid, "maps")).ok()?;
    let code = executable_entries(&String::from_utf8_lossy(&maps));
    let own = |path_of_code: &str| path_of_code.trim_end_matches(" (deleted)") == path;
    if code.is_empty() || code.iter().any(|entry| own(&entry.path)) {
        return None;
    }
    let mut head = Vec::new();
    let file = File::open(&link).ok()?;
    file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    let by_upx = head.windows(UPX.len()).any(|bytes| bytes == UPX);
    Some(if by_upx {
        "packed by UPX: its code is unpacked into memory, with neither names nor unwind \
         information; run the unpacked program (upx -d)"
            .to_owned()
    } else {
        "none of its file's code is mapped: it is packed, or has moved its code into memory, where \
         it has neither names nor unwind information"
            .to_owned()
    })
}
