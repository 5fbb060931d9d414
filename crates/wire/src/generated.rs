//! Generated from bpf/wire.h and bpf/failures.def by `cargo xtask codegen`.
//! Do not edit.
pub const SEAM_TLS_NONE: u64 = 4611686018427387904;
pub type __u8 = u8;
pub type __u16 = u16;
pub type __s16 = i16;
pub type __u32 = u32;
pub type __s32 = i32;
pub type __u64 = u64;
pub type __s64 = i64;
pub const SEAM_LEAF_FRAMES: seam_limits = 384;
pub const SEAM_ROOT_FRAMES: seam_limits = 128;
pub const SEAM_USER_FRAMES: seam_limits = 512;
pub const SEAM_KERNEL_FRAMES: seam_limits = 127;
pub const SEAM_THREAD_KERNEL_FRAMES: seam_limits = 20;
pub const SEAM_STEPS: seam_limits = 8192;
pub const SEAM_BLOCK_WORDS: seam_limits = 1024;
pub const SEAM_PAGE_BYTES: seam_limits = 256;
pub const SEAM_MAPPINGS_PER_BLOCK: seam_limits = 32;
pub const SEAM_MAPPING_BLOCKS: seam_limits = 128;
pub const SEAM_LATE_MAPPINGS: seam_limits = 32;
pub const SEAM_SPARE_SETS: seam_limits = 512;
pub const SEAM_GO_RUNTIMES: seam_limits = 4;
pub const SEAM_M_BYTES: seam_limits = 320;
pub const SEAM_G_BYTES: seam_limits = 376;
pub const SEAM_COMM_BYTES: seam_limits = 16;
pub const SEAM_LABELS_MAX: seam_limits = 16;
pub const SEAM_LABEL_KEY_BYTES: seam_limits = 63;
pub const SEAM_LABEL_VALUE_BYTES: seam_limits = 127;
pub const SEAM_LABELS_BYTES: seam_limits = 1024;
pub const SEAM_PEER_FRAMES: seam_limits = 127;
pub const SEAM_PEER_STACK: seam_limits = 8192;
pub type seam_limits = ::std::os::raw::c_uint;
pub const SEAM_RAX: seam_register = 0;
pub const SEAM_RDX: seam_register = 1;
pub const SEAM_RCX: seam_register = 2;
pub const SEAM_RBX: seam_register = 3;
pub const SEAM_RSI: seam_register = 4;
pub const SEAM_RDI: seam_register = 5;
pub const SEAM_RBP: seam_register = 6;
pub const SEAM_RSP: seam_register = 7;
pub const SEAM_R8: seam_register = 8;
pub const SEAM_R9: seam_register = 9;
pub const SEAM_R10: seam_register = 10;
pub const SEAM_R11: seam_register = 11;
pub const SEAM_R12: seam_register = 12;
pub const SEAM_R13: seam_register = 13;
pub const SEAM_R14: seam_register = 14;
pub const SEAM_R15: seam_register = 15;
pub const SEAM_REGISTERS: seam_register = 16;
pub type seam_register = ::std::os::raw::c_uint;
pub const SEAM_X0: seam_register_arm64 = 0;
pub const SEAM_X3: seam_register_arm64 = 3;
pub const SEAM_X8: seam_register_arm64 = 8;
pub const SEAM_X19: seam_register_arm64 = 19;
pub const SEAM_X20: seam_register_arm64 = 20;
pub const SEAM_X21: seam_register_arm64 = 21;
pub const SEAM_X28: seam_register_arm64 = 28;
pub const SEAM_X29: seam_register_arm64 = 29;
pub const SEAM_X30: seam_register_arm64 = 30;
pub const SEAM_ARM64_SP: seam_register_arm64 = 31;
pub const SEAM_ARM64_REGISTERS: seam_register_arm64 = 32;
pub type seam_register_arm64 = ::std::os::raw::c_uint;
pub const SEAM_RULE_NONE: seam_rule_kind = 0;
pub const SEAM_RULE_CFA: seam_rule_kind = 1;
pub const SEAM_RULE_DEREF: seam_rule_kind = 2;
pub const SEAM_RULE_ROOT: seam_rule_kind = 3;
pub const SEAM_RULE_SIGNAL: seam_rule_kind = 4;
pub const SEAM_RULE_PLT: seam_rule_kind = 5;
pub const SEAM_RULE_UNSUPPORTED: seam_rule_kind = 6;
pub const SEAM_RULE_ASMCGOCALL: seam_rule_kind = 7;
pub const SEAM_RULE_SYSTEMSTACK: seam_rule_kind = 8;
pub const SEAM_RULE_CGOCALLBACK: seam_rule_kind = 9;
pub const SEAM_RULE_CGOCALLBACK_ON_G0: seam_rule_kind = 10;
pub const SEAM_RULE_MCALL: seam_rule_kind = 11;
pub const SEAM_RULE_MORESTACK: seam_rule_kind = 12;
pub const SEAM_RULE_GOGO: seam_rule_kind = 13;
pub const SEAM_RULE_CLONE: seam_rule_kind = 14;
pub const SEAM_RULE_FRAME_POINTER: seam_rule_kind = 15;
pub const SEAM_RULE_RETURN_APART: seam_rule_kind = 16;
pub const SEAM_RULE_DEREF_INDEXED: seam_rule_kind = 17;
pub const SEAM_RULE_LINK_KEPT: seam_rule_kind = 18;
pub type seam_rule_kind = ::std::os::raw::c_uint;
pub const SEAM_RULE_EXACT_CALLER: seam_rule_flags = 1;
pub const SEAM_RULE_IN_REGISTER: seam_rule_flags = 2;
pub const SEAM_RULE_DERIVED: seam_rule_flags = 4;
pub const SEAM_RULE_SCHEDULER: seam_rule_flags = 8;
pub const SEAM_RULE_SAVED_BY_RBP: seam_rule_flags = 16;
pub const SEAM_RULE_OTHER_STACK: seam_rule_flags = 32;
pub const SEAM_RULE_GO_CODE: seam_rule_flags = 64;
pub const SEAM_RULE_PUSHES: seam_rule_flags = 128;
pub type seam_rule_flags = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_rule {
    pub kind: __u8,
    pub base: __u8,
    pub flags: __u8,
    pub saved_rbx: __u8,
    pub cfa_offset: __s32,
    pub deref_offset: __s16,
    pub saved_rbp: __u16,
    pub saved_r12: __u8,
    pub saved_r13: __u8,
    pub saved_r14: __u8,
    pub saved_r15: __u8,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_rule_arm64 {
    pub kind: __u8,
    pub base: __u8,
    pub flags: __u8,
    pub saved_x19: __u8,
    pub cfa_offset: __s32,
    pub deref_offset: __s16,
    pub saved_x29: __u16,
    pub saved_x30: __u16,
    pub saved_x20: __u8,
    pub saved_x21: __u8,
}
pub const SEAM_SAVED_SAME: seam_saved = 0;
pub const SEAM_SAVED_LOST: seam_saved = 255;
pub const SEAM_SAVED_WIDE_LOST: seam_saved = 65535;
pub type seam_saved = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_mapping {
    pub start: __u64,
    pub end: __u64,
    pub bias: __u64,
    pub table: __u32,
    pub index_word: __u32,
    pub pages: __u32,
    pub go: __u32,
}
pub const SEAM_CODE_FILE: seam_code = 0;
pub const SEAM_CODE_MADE: seam_code = 1;
pub const SEAM_CODE_PROBE: seam_code = 2;
pub type seam_code = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_mapping_block {
    pub mapping: [seam_mapping; 32usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_late {
    pub next: __u64,
    pub mapping: [seam_mapping; 32usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_set_key {
    pub set: __u32,
    pub block: __u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct seam_table_block {
    pub word: [__u32; 1024usize],
}
impl Default for seam_table_block {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const SEAM_LABELS_MAP: seam_labels_kind = 0;
pub const SEAM_LABELS_SLICE: seam_labels_kind = 1;
pub type seam_labels_kind = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_go_runtime {
    pub tls_offset: __s64,
    pub crosscall2_start: __u64,
    pub crosscall2_end: __u64,
    pub g_m: __u16,
    pub g_sched_sp: __u16,
    pub g_sched_pc: __u16,
    pub g_sched_bp: __u16,
    pub g_status: __u16,
    pub g_goid: __u16,
    pub g_startpc: __u16,
    pub m_gsignal: __u16,
    pub m_curg: __u16,
    pub m_p: __u16,
    pub m_oldp: __u16,
    pub m_id: __u16,
    pub m_incgo: __u16,
    pub m_is_extra_in_c: __u16,
    pub g_labels: __u16,
    pub labels_kind: __u16,
    pub verified: __u32,
    pub known: __u32,
}
pub const SEAM_FILE_NO_GO: seam_file_go = 0;
pub const SEAM_FILE_GO: seam_file_go = 1;
pub const SEAM_FILE_GO_LOADED: seam_file_go = 2;
pub type seam_file_go = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_file {
    pub table: __u32,
    pub index_word: __u32,
    pub pages: __u32,
    pub go: __u32,
    pub table_base: __u64,
    pub code_offset: __u64,
    pub code_address: __u64,
    pub code_bytes: __u64,
    pub runtime: seam_go_runtime,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_file_key {
    pub device: __u64,
    pub inode: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_process {
    pub mapping_set: __u32,
    pub mapping_count: __u32,
    pub go_runtimes: __u32,
    pub follow: __u32,
    pub exec_set: __u32,
    pub held: __u32,
    pub mm: __u64,
    pub go: [seam_go_runtime; 4usize],
}
pub const SEAM_SAMPLE_KERNEL_MODE: seam_sample_flags = 1;
pub const SEAM_SAMPLE_GO_THREAD: seam_sample_flags = 2;
pub const SEAM_SAMPLE_IN_C: seam_sample_flags = 4;
pub const SEAM_SAMPLE_P_HELD: seam_sample_flags = 8;
pub const SEAM_SAMPLE_P_LOST: seam_sample_flags = 16;
pub const SEAM_SAMPLE_KERNEL_CUT: seam_sample_flags = 32;
pub const SEAM_SAMPLE_GO_TORN: seam_sample_flags = 64;
pub const SEAM_SAMPLE_GO_UNVERIFIED: seam_sample_flags = 128;
pub const SEAM_SAMPLE_LABELS_CUT: seam_sample_flags = 256;
pub const SEAM_SAMPLE_SPAWN: seam_sample_flags = 512;
pub const SEAM_SAMPLE_GUESSED: seam_sample_flags = 1024;
pub const SEAM_SAMPLE_FRAME_POINTERS: seam_sample_flags = 2048;
pub type seam_sample_flags = ::std::os::raw::c_uint;
pub const SEAM_FRAME_EXACT: seam_frame_flags = 1;
pub const SEAM_FRAME_SWITCH: seam_frame_flags = 2;
pub const SEAM_FRAME_FLAG_SHIFT: seam_frame_flags = 56;
pub type seam_frame_flags = ::std::os::raw::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_scope {
    pub all: __u32,
    pub cgroup: __u32,
    pub own: __u32,
    pub unused: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_start {
    pub reg: [__u64; 32usize],
    pub pc: __u64,
    pub fsbase: __u64,
    pub syscall: __s64,
    pub mapping_set: __u32,
    pub mapping_count: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_thread {
    pub reg: [__u64; 16usize],
    pub pc: __u64,
    pub fsbase: __u64,
    pub syscall: __s64,
    pub switches: __u64,
    pub last_ran_ns: __u64,
    pub now_ns: __u64,
    pub tid: __u32,
    pub running: __u32,
    pub kernel: [__u64; 20usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct seam_sample {
    pub time_ns: __u64,
    pub goid: __u64,
    pub start_pc: __u64,
    pub m: __s64,
    pub pid: __u32,
    pub tid: __u32,
    pub cpu: __u32,
    pub mapping_set: __u32,
    pub p: __s32,
    pub go_status: __u32,
    pub elided: __u32,
    pub kernel_frames: __u16,
    pub user_frames: __u16,
    pub end: __u8,
    pub go_runtime: __u8,
    pub flags: __u16,
    pub callbacks_lost: __u32,
    pub born: __u32,
    pub label_bytes: __u16,
    pub unused: __u16,
    pub end_pc: __u64,
    pub comm: [__u8; 16usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct seam_peer {
    pub time_ns: __u64,
    pub pid: __u32,
    pub tid: __u32,
    pub frames: __u32,
    pub stack_bytes: __u32,
    pub pc: __u64,
    pub reg: [__u64; 16usize],
    pub frame: [__u64; 127usize],
    pub stack: [__u8; 12288usize],
}
impl Default for seam_peer {
    fn default() -> Self {
        let mut s = ::std::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::std::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const SEAM_COUNT_SAMPLES: seam_counter = 0;
pub const SEAM_COUNT_RING_FULL: seam_counter = 1;
pub const SEAM_COUNT_OTHER: seam_counter = 2;
pub const SEAM_COUNT_NO_REGISTERS: seam_counter = 3;
pub const SEAM_COUNT_EXECS: seam_counter = 4;
pub const SEAM_COUNT_FORKS: seam_counter = 5;
pub const SEAM_COUNTERS: seam_counter = 8;
pub type seam_counter = ::std::os::raw::c_uint;

pub const SEAM_END_NOT_WALKED: u32 = 0;
pub const SEAM_END_ROOT_GO: u32 = 1;
pub const SEAM_END_ROOT_THREAD: u32 = 2;
pub const SEAM_END_ROOT_SCHEDULER: u32 = 3;
pub const SEAM_END_ROOT_CHILD: u32 = 4;
pub const SEAM_END_ROOT_EXEC: u32 = 5;
pub const SEAM_END_ROOT_EXIT: u32 = 6;
pub const SEAM_END_ROOT_KERNEL: u32 = 7;
pub const SEAM_END_ROOT_CONTEXT: u32 = 8;
pub const SEAM_END_NO_MAPPING: u32 = 10;
pub const SEAM_END_TABLE_NOT_READY: u32 = 11;
pub const SEAM_END_NO_ROW: u32 = 12;
pub const SEAM_END_UNSUPPORTED: u32 = 13;
pub const SEAM_END_READ_STACK: u32 = 14;
pub const SEAM_END_REGISTER_LOST: u32 = 15;
pub const SEAM_END_TOO_DEEP: u32 = 16;
pub const SEAM_END_NOT_ADVANCING: u32 = 17;
pub const SEAM_END_NULL_PC: u32 = 18;
pub const SEAM_END_NO_TABLE: u32 = 19;
pub const SEAM_END_MADE_CODE: u32 = 20;
pub const SEAM_END_URETPROBE: u32 = 21;
pub const SEAM_END_COPY_CUT: u32 = 22;
pub const SEAM_END_GO_STATE: u32 = 30;
pub const SEAM_END_GO_UNKNOWN: u32 = 31;
pub const SEAM_END_GO_UNVERIFIED: u32 = 32;
pub const SEAM_END_GO_NO_CURG: u32 = 33;
pub const SEAM_END_NOT_PROVEN: u32 = 34;
pub static ENDS: &[crate::End] = &[
    crate::End {
        code: 0,
        id: "not-walked",
        root: false,
        sentence: "the stack was not walked",
    },
    crate::End {
        code: 1,
        id: "root-go",
        root: true,
        sentence: "the root of a goroutine or of a Go thread",
    },
    crate::End {
        code: 2,
        id: "root-thread",
        root: true,
        sentence: "the start of a thread or of the process",
    },
    crate::End {
        code: 3,
        id: "root-scheduler",
        root: true,
        sentence: "the Go scheduler, between two goroutines",
    },
    crate::End {
        code: 4,
        id: "root-child",
        root: true,
        sentence: "a thread or process that has just been created",
    },
    crate::End {
        code: 5,
        id: "root-exec",
        root: true,
        sentence: "inside execve, between two programs",
    },
    crate::End {
        code: 6,
        id: "root-exit",
        root: true,
        sentence: "at the thread's end, when its memory is already given back",
    },
    crate::End {
        code: 7,
        id: "root-kernel",
        root: true,
        sentence: "a thread of the kernel, which has no user stack",
    },
    crate::End {
        code: 8,
        id: "root-context",
        root: true,
        sentence: "the start of a stack that the program has made",
    },
    crate::End {
        code: 10,
        id: "no-mapping",
        root: false,
        sentence: "the address is in no executable mapping that seam knows",
    },
    crate::End {
        code: 11,
        id: "table-not-ready",
        root: false,
        sentence: "the module had just been mapped and its unwind table was not installed yet",
    },
    crate::End {
        code: 12,
        id: "no-unwind-information",
        root: false,
        sentence: "no unwind information covers the address",
    },
    crate::End {
        code: 13,
        id: "unsupported-rule",
        root: false,
        sentence: "the unwind information uses an expression that seam does not support",
    },
    crate::End {
        code: 14,
        id: "stack-unreadable",
        root: false,
        sentence: "the stack could not be read without faulting it in",
    },
    crate::End {
        code: 15,
        id: "register-unknown",
        root: false,
        sentence: "the frame is described by a register whose value is not known there",
    },
    crate::End {
        code: 16,
        id: "too-deep",
        root: false,
        sentence: "more frames than the walk follows",
    },
    crate::End {
        code: 17,
        id: "not-advancing",
        root: false,
        sentence: "the stack pointer did not move towards the root",
    },
    crate::End {
        code: 18,
        id: "null-return-address",
        root: false,
        sentence: "the return address is zero",
    },
    crate::End {
        code: 19,
        id: "no-unwind-table",
        root: false,
        sentence: "no table could be built for the module",
    },
    crate::End {
        code: 20,
        id: "run-time-code",
        root: false,
        sentence: "in code made at run time neither a frame pointer nor a return address was found",
    },
    crate::End {
        code: 21,
        id: "uretprobe",
        root: false,
        sentence: "another tool's probe has replaced the return address, and the true one was not found",
    },
    crate::End {
        code: 22,
        id: "stack-copy-ends",
        root: false,
        sentence: "the stack goes on beyond what is copied of it without BPF",
    },
    crate::End {
        code: 30,
        id: "go-state-unreadable",
        root: false,
        sentence: "the Go runtime's structures of this thread could not be read",
    },
    crate::End {
        code: 31,
        id: "go-build-unknown",
        root: false,
        sentence: "the place of g in thread-local storage was not found in this build",
    },
    crate::End {
        code: 32,
        id: "go-offsets-unverified",
        root: false,
        sentence: "the Go runtime's offsets do not match its instructions; only what can be trusted was kept",
    },
    crate::End {
        code: 33,
        id: "go-no-goroutine",
        root: false,
        sentence: "a switch to a goroutine's stack without a goroutine",
    },
    crate::End {
        code: 34,
        id: "not-proven",
        root: false,
        sentence: "without BPF the rest is read a moment later, and it is not proven that it was the same",
    },
];
