//! The Ms (threads as the runtime knows them) that goroutines name.

use std::collections::HashMap;

use seam_memory::{Memory, Piece};

use crate::Layout;
use crate::layout::word;

/// Bytes of an m that are read: the fields wanted lie at its beginning, Go 1.19 to 1.27.
const M_BYTES: usize = 512;
/// More Ms than a process has; the runtime stops at 10,000 (`sched.maxmcount`).
const MACHINES_MAX: usize = 1 << 16;

/// What is read of an M.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// `m.id`, -1 where it is not known.
    pub id: i64,
    /// The thread, in the process's own PID namespace; 0 where it is not known.
    pub tid: u64,
    /// `m.g0.sched.sp`: the list of callbacks from C.
    pub g0_sp: u64,
}

/// Reads Ms by their addresses. Those that can't be read are left out.
pub fn machines<M: Memory>(
    memory: &M,
    layout: &Layout,
    addresses: impl IntoIterator<Item = u64>,
) -> HashMap<u64, Machine> {
    let mut addresses: Vec<u64> = addresses.into_iter().filter(|a| *a != 0).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MACHINES_MAX);
    let piece = |address: &u64| Piece {
        address: *address,
        len: M_BYTES,
    };
    let pieces: Vec<Piece> = addresses.iter().map(piece).collect();
    let mut bytes = vec![0; M_BYTES * pieces.len()];
    let read = memory.gather(&pieces, &mut bytes);
    let each = addresses.iter().zip(read).zip(bytes.chunks(M_BYTES));
    let read = each.filter(|((_, read), _)| *read);
    read.map(|((address, _), bytes)| {
        // m.g0 is the first field, Go 1.19 to 1.27.
        let g0 = word(bytes, 0);
        let machine = Machine {
            id: layout.m_id.map_or(-1, |at| word(bytes, at) as i64),
            tid: layout.procid.map_or(0, |at| word(bytes, at)),
            g0_sp: memory.word(g0.wrapping_add(layout.sched_sp())).unwrap_or(0),
        };
        (*address, machine)
    })
    .collect()
}
