//! Ctrl-C and SIGTERM: the first asks to finish, the second ends at once.

use std::sync::atomic::{AtomicU32, Ordering};

static ASKED: AtomicU32 = AtomicU32::new(0);

/// Installs the handlers. Waits are cut short by a signal, so they are noticed at once.
pub(crate) fn install() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: a zeroed sigaction is valid; the handler only touches an atomic and _exit.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as extern "C" fn(i32) as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Whether the user asked to finish.
pub(crate) fn asked_to_finish() -> bool {
    ASKED.load(Ordering::Relaxed) > 0
}

extern "C" fn handle(signal: i32) {
    if ASKED.fetch_add(1, Ordering::Relaxed) > 0 {
        // SAFETY: _exit is async-signal-safe. The kernel side goes with the process.
        unsafe { libc::_exit(128 + signal) };
    }
}
