//! Where signal handlers return to, where no unwind information says so: the code tells, since all
//! that it does is a system call (musl's `__restore_rt`, the C libraries' on AArch64).

use std::ops::Range;

use seam_object::arm64::SIGRETURN;
use seam_object::{Elf, ReadRef};
use seam_wire::{Arch, SEAM_RULE_SIGNAL};

use crate::RuleSet;
use crate::arm64;
use crate::range_list::{RangeList, RuleRange, offset};
use crate::rules::plain;

/// `mov $15, %rax` (or `%eax`), `syscall`.
const X86_64: [&[u8]; 2] = [
    &[0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05],
    &[0xb8, 15, 0, 0, 0, 0x0f, 0x05],
];
const ARM64: [&[u8]; 1] = [&SIGRETURN];
/// Bytes that are looked at in one file: as many as rows are derived for.
const BYTES_MAX: u64 = 8 << 20;

/// The rows of such code in `gaps`; offsets count from `base`.
pub(crate) fn sigreturn<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    arch: Arch,
    gaps: &[Range<u64>],
    base: u64,
    rules: &mut RuleSet,
) -> RangeList {
    let (patterns, step): (&[&[u8]], usize) = match arch {
        Arch::X86_64 => (&X86_64, 1),
        Arch::Arm64 => (&ARM64, 4),
    };
    let rule = match arch {
        Arch::X86_64 => plain(SEAM_RULE_SIGNAL),
        Arch::Arm64 => arm64::wire(arm64::plain(SEAM_RULE_SIGNAL)),
    };
    let mut ranges = Vec::new();
    let mut budget = BYTES_MAX;
    for gap in gaps {
        let len = gap.end - gap.start;
        let bytes = elf.bytes_at(gap.start, len).filter(|_| len <= budget);
        let Some(bytes) = bytes else { continue };
        budget -= len;
        for at in (0..bytes.len()).step_by(step) {
            let found = patterns.iter().find(|p| bytes[at..].starts_with(p));
            let Some(found) = found else { continue };
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let offset = |address| offset(address, base);
            let own = gap.start + at as u64;
            let start = offset(own - u64::from(stands_apart(arch, before)));
            let Some((start, end)) = start.zip(offset(own + found.len() as u64)) else {
                continue;
            };
            ranges.push(RuleRange {
                start,
                end,
                rule: rules.number(rule),
            });
        }
    }
    RangeList::from_unsorted(ranges)
}

/// Whether the byte before is this code's, too: the kernel has a handler return to the first byte
/// as if it had been called from there, so that the walk looks one byte before. On x86-64 that may
/// be an instruction of its own, such as a return; the authors put padding there.
fn stands_apart(arch: Arch, before: Option<u8>) -> bool {
    match arch {
        // nop in all its lengths, int3.
        Arch::X86_64 => before.is_some_and(|byte| matches!(byte, 0x90 | 0xcc | 0)),
        Arch::Arm64 => true,
    }
}
