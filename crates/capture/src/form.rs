//! The two forms of the kernel side (bpf/forms.h), and which of them this kernel runs. Tried, not
//! concluded from a version: distributions move features.

use libbpf_rs::libbpf_sys as sys;

/// Chooses the form, for tests: `bpf-loop` or `tail-calls`.
const CHOICE: &str = "SEAM_WALK";

/// A compiled object, aligned as an ELF parser expects.
#[repr(C, align(16))]
struct Aligned<const N: usize>([u8; N]);

/// One of the objects that build.rs has made.
macro_rules! object {
    ($name:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name));
        static OBJECT: Aligned<{ BYTES.len() }> =
            Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name)));
        &OBJECT.0
    }};
}

/// How the kernel side walks a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One program that loops by `bpf_loop`.
    Loop,
    /// Programs that call each other, for kernels without a helper of the former.
    TailCalls,
}

/// A helper function that the form with loops calls.
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    kind: sys::bpf_prog_type,
    id: sys::bpf_func_id,
    /// What the other form does without it.
    pub(crate) instead: &'static str,
}

/// By how new they are.
pub(crate) const HELPERS: [Helper; 4] = [
    Helper {
        name: "bpf_get_current_task_btf",
        kind: sys::BPF_PROG_TYPE_PERF_EVENT,
        id: sys::BPF_FUNC_get_current_task_btf,
        instead: "the kernel's structures are read field by field",
    },
    Helper {
        name: "bpf_task_pt_regs",
        kind: sys::BPF_PROG_TYPE_PERF_EVENT,
        id: sys::BPF_FUNC_task_pt_regs,
        instead: "registers are read from the thread's kernel stack",
    },
    Helper {
        name: "bpf_loop",
        kind: sys::BPF_PROG_TYPE_PERF_EVENT,
        id: sys::BPF_FUNC_loop,
        instead: "long walks go on by tail calls",
    },
    Helper {
        name: "bpf_find_vma",
        kind: sys::BPF_PROG_TYPE_RAW_TRACEPOINT,
        id: sys::BPF_FUNC_find_vma,
        instead: "what an exec maps is read from the kernel's list",
    },
];

impl Helper {
    /// 1 = there, 0 = not there, negative = an error.
    pub(crate) fn probe(&self) -> i32 {
        // SAFETY: no options are given.
        unsafe { sys::libbpf_probe_bpf_helper(self.kind, self.id, std::ptr::null()) }
    }
}

impl Form {
    /// The form for this kernel. Where nothing may be tried the first, whose refusal says why.
    pub(crate) fn of_this_kernel() -> Self {
        match std::env::var(CHOICE).as_deref() {
            Ok("tail-calls") => return Self::TailCalls,
            Ok("bpf-loop") => return Self::Loop,
            _ => {}
        }
        match HELPERS.iter().any(|helper| helper.probe() == 0) {
            true => Self::TailCalls,
            false => Self::Loop,
        }
    }

    /// The programs that sample.
    pub(crate) fn sampler(self) -> &'static [u8] {
        match self {
            Self::Loop => object!("sample.bpf.o"),
            Self::TailCalls => object!("sample-5.10.bpf.o"),
        }
    }

    /// The program that tells the threads of a process.
    pub(crate) fn threads(self) -> &'static [u8] {
        match self {
            Self::Loop => object!("threads.bpf.o"),
            Self::TailCalls => object!("threads-5.10.bpf.o"),
        }
    }

    /// Its name, in words.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Loop => "bpf_loop",
            Self::TailCalls => "tail calls",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_form_has_programs_that_go_on() {
        let has = |form: Form, name: &[u8]| form.sampler().windows(name.len()).any(|w| w == name);
        assert!(has(Form::TailCalls, b"go_on_sample") && !has(Form::Loop, b"go_on_sample"));
        assert!(has(Form::Loop, b"walk_one_frame") && !has(Form::TailCalls, b"walk_one_frame"));
    }
}
