//! By which id the kernel shows what a process has. Its main thread may end before the others
//! (`pthread_exit` in `main`): then the process's own id leads to no memory, no mappings and no
//! files any more, and the id of any thread that still lives leads to all of them.

/// The id by which a process's memory and files are reached: its own as long as its main thread has
/// them, else that of a thread. It is good until that thread ends, so ask again for each use. A
/// process without memory (ended, or the kernel's) is reached by its own id, and has none.
#[must_use]
pub fn reached_by(pid: i32) -> i32 {
    if has_memory(&format!("/proc/{pid}")) {
        return pid;
    }
    // Listed under the process, none of them can be another's by now.
    let entries = std::fs::read_dir(format!("/proc/{pid}/task"));
    let tids = entries.into_iter().flatten().flatten();
    let mut tids = tids.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    let other = tids.find(|tid| *tid != pid && has_memory(&format!("/proc/{pid}/task/{tid}")));
    other.unwrap_or(pid)
}

/// A file of `/proc` that hangs on a process's memory or files: `maps`, `exe`, `root`, `fd/7`.
#[must_use]
pub fn proc_path(pid: i32, name: &str) -> String {
    format!("/proc/{}/{name}", reached_by(pid))
}

/// Whether a thread is still one of a process.
pub(crate) fn is_thread_of(pid: i32, tid: i32) -> bool {
    std::fs::exists(format!("/proc/{pid}/task/{tid}")).unwrap_or(false)
}

/// Whether a thread has not let go of its memory. Its state comes later (`do_exit`, kernel/exit.c:
/// `exit_mm` before `exit_notify`), and everybody may read the size.
fn has_memory(folder: &str) -> bool {
    let sizes = std::fs::read_to_string(format!("{folder}/statm")).unwrap_or_default();
    sizes
        .split(' ')
        .next()
        .is_some_and(|pages| pages != "0" && !pages.is_empty())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A process of which the main thread has ended and another lives, until this is dropped.
    pub(crate) struct Headless(pub(crate) i32);

    impl Headless {
        pub(crate) fn start() -> Self {
            // SAFETY: the child makes a thread, which the C library allows after a fork, and ends
            // its main thread alone; it never returns to the test.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_secs(60)));
                // SAFETY: ends this thread; nothing of it is used by the other.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
            }
            assert!(pid > 0);
            let process = Self(pid);
            while has_memory(&format!("/proc/{pid}")) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            process
        }
    }

    impl Drop for Headless {
        fn drop(&mut self) {
            // SAFETY: our own child, which is waited for here only.
            unsafe {
                libc::kill(self.0, libc::SIGKILL);
                libc::waitpid(self.0, std::ptr::null_mut(), 0);
            }
        }
    }

    #[test]
    fn a_process_is_reached_by_its_own_id_while_that_leads_anywhere() {
        let own = std::process::id() as i32;
        assert_eq!(reached_by(own), own);
        assert_eq!(proc_path(own, "maps"), format!("/proc/{own}/maps"));
        assert_eq!(reached_by(i32::MAX), i32::MAX);
    }

    #[test]
    fn without_a_main_thread_it_is_reached_by_another() {
        let process = Headless::start();
        let by = reached_by(process.0);
        assert_ne!(by, process.0);
        assert!(is_thread_of(process.0, by));
        let maps = std::fs::read_to_string(proc_path(process.0, "maps")).expect("it lives");
        assert!(!maps.is_empty());
    }
}
