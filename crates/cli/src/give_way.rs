//! Being a good neighbour: what is looked at goes before.

/// A lower priority than programs have that did not ask for any. Measured beside a busy goroutine
/// on two CPUs: a dump takes as long, and the longest that the goroutine did not run is one tick of
/// the kernel's clock and not two. Lower ones gain nothing more, but make a dump on a machine
/// without idle CPUs four times as long, during which more goroutines move.
const NICE: i32 = 5;

/// Lets every other process go before this one, for the rest of its life. Processes that it starts
/// would inherit that.
pub(crate) fn to_targets() {
    // SAFETY: two plain system calls without pointers. In Linux the priority is that of the calling
    // thread, and those that it starts inherit it (`setpriority`, kernel/sys.c). A failure leaves
    // it as it is; -1 is a possible priority as well, so there is nothing to check.
    unsafe {
        let own = libc::getpriority(libc::PRIO_PROCESS, 0);
        libc::setpriority(libc::PRIO_PROCESS, 0, own.max(NICE));
    }
}
