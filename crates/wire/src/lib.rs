//! Everything that crosses the border to the kernel side, mirrored from `bpf/wire.h`, and the
//! reasons for which a stack walk ends, from `bpf/failures.def`.
//!
//! `generated.rs` is written by `cargo xtask codegen` and committed. This crate holds no logic
//! beyond reading a record's bytes as what they are.

mod arch;
mod ends;
#[allow(missing_docs, non_camel_case_types, clippy::all, unreachable_pub)]
#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "bindgen writes zeroed() for big arrays"
)]
mod generated;
mod record;

pub use arch::Arch;
pub use ends::{End, all as ends, end};
pub use generated::*;
pub use record::{PeerRecord, RecordError, Sample, label_pairs};

/// A walk rule (16 bytes).
pub type Rule = seam_rule;
/// The same of code of AArch64.
pub type RuleArm64 = seam_rule_arm64;
/// An executable mapping of a process.
pub type Mapping = seam_mapping;
/// Where one Go runtime keeps what the walk reads.
pub type GoRuntime = seam_go_runtime;
/// A file whose table is installed.
pub type FileEntry = seam_file;
/// What a file is.
pub type FileKey = seam_file_key;
/// What the kernel side knows of a target.
pub type Process = seam_process;
/// What a process has mapped since its mapping set was put together.
pub type Late = seam_late;
/// What is recorded besides the processes that were named.
pub type Scope = seam_scope;
/// One thread, as the task iterator tells it.
pub type ThreadRecord = seam_thread;
/// The fixed part of a sample record.
pub type SampleHeader = seam_sample;

/// The upper bits of a stored frame.
#[must_use]
pub fn frame_flags(frame: u64) -> u32 {
    (frame >> SEAM_FRAME_FLAG_SHIFT) as u32
}

/// The address of a stored user frame.
#[must_use]
pub fn frame_address(frame: u64) -> u64 {
    frame & ((1 << SEAM_FRAME_FLAG_SHIFT) - 1)
}

/// A plain wire struct as bytes, as a BPF map takes it.
pub fn bytes_of<T: Wire>(value: &T) -> &[u8] {
    // SAFETY: `Wire` is implemented only for structs without padding whose fields are integers.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// A table's words as a BPF map takes them, without a copy.
#[must_use]
pub fn words_as_bytes(words: &[u32]) -> &[u8] {
    // SAFETY: any initialised integers can be looked at as bytes, of which there are so many.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// A plain wire struct from bytes; `None` where the length differs.
pub fn from_bytes<T: Wire + Default>(bytes: &[u8]) -> Option<T> {
    if bytes.len() != size_of::<T>() {
        return None;
    }
    let mut value = T::default();
    // SAFETY: the lengths are equal, and every bit pattern is a value of an integer-only struct.
    unsafe {
        std::ptr::copy_nonoverlapping(
            bytes.as_ptr(),
            std::ptr::from_mut(&mut value).cast::<u8>(),
            bytes.len(),
        );
    }
    Some(value)
}

mod sealed {
    pub trait Sealed {}
}

/// Structs of integers without padding.
pub trait Wire: sealed::Sealed + Copy {}

macro_rules! wire {
    ($($name:ident),*) => { $(impl sealed::Sealed for $name {} impl Wire for $name {})* };
}
wire!(
    seam_rule,
    seam_rule_arm64,
    seam_mapping,
    seam_process,
    seam_go_runtime,
    seam_sample,
    seam_mapping_block,
    seam_file,
    seam_file_key,
    seam_late,
    seam_scope,
    seam_set_key,
    seam_thread
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<seam_rule>(), 16);
        assert_eq!(size_of::<seam_mapping>(), 40);
        assert_eq!(size_of::<seam_sample>(), 104);
        assert_eq!(
            size_of::<seam_thread>(),
            184 + 8 * SEAM_THREAD_KERNEL_FRAMES as usize
        );
        assert_eq!(
            size_of::<seam_process>(),
            32 + SEAM_GO_RUNTIMES as usize * size_of::<seam_go_runtime>()
        );
    }

    #[test]
    fn frame_words_split() {
        let word = 0x7f00_1234_5678 | (u64::from(SEAM_FRAME_EXACT) << SEAM_FRAME_FLAG_SHIFT);
        assert_eq!(frame_address(word), 0x7f00_1234_5678);
        assert_eq!(frame_flags(word), SEAM_FRAME_EXACT);
    }
}
