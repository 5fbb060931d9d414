//! All cause classes. The first one that fits a group names it, so the special stand before the
//! general. To add one: a file with its `CAUSE`, a `mod` line, and its place in the list.

mod cond_never_signalled;
mod context_never_cancelled;
mod ctx_chain_broken;
mod io_no_deadline;
mod iterator_never_stopped;
mod lock_never_released;
mod nil_channel;
mod receive_no_partner;
mod send_no_partner;
mod stuck_in_c;
mod timer_loop;
mod waitgroup_never_done;

use crate::Cause;

/// In the order in which they are asked.
pub const CAUSES: [Cause; 12] = [
    nil_channel::CAUSE,
    ctx_chain_broken::CAUSE,
    context_never_cancelled::CAUSE,
    timer_loop::CAUSE,
    send_no_partner::CAUSE,
    receive_no_partner::CAUSE,
    lock_never_released::CAUSE,
    waitgroup_never_done::CAUSE,
    cond_never_signalled::CAUSE,
    stuck_in_c::CAUSE,
    io_no_deadline::CAUSE,
    iterator_never_stopped::CAUSE,
];
