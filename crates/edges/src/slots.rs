//! Words that the loader fills in, through which code calls and jumps: the global offset table. And
//! the stubs that do nothing else: the procedure linkage table.

use std::collections::HashMap;
use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, FlowControl};
use seam_object::{Elf, ReadRef, SlotValue};
use seam_wire::Arch;

use crate::arm64;

/// Bytes of the longest stub: endbr64, a jump with prefix, padding.
const STUB_BYTES: u64 = 16;

/// What slots hold, and where stubs lie.
pub(crate) struct Slots<'d> {
    values: HashMap<u64, SlotValue<'d>>,
    stubs: Vec<Range<u64>>,
}

impl<'d> Slots<'d> {
    pub(crate) fn read<R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Self {
        let stubs = elf
            .sections()
            .into_iter()
            .filter(|s| s.name.starts_with(".plt") || s.name == ".iplt")
            .filter_map(|s| Some(s.address..s.address.checked_add(s.size)?))
            .collect();
        Self {
            values: elf.slot_values(),
            stubs,
        }
    }

    /// What the loader puts into a word.
    pub(crate) fn value(&self, slot: u64) -> Option<SlotValue<'d>> {
        self.values.get(&slot).copied()
    }

    /// The section of stubs that holds an address.
    pub(crate) fn stubs_around(&self, address: u64) -> Option<&Range<u64>> {
        self.stubs.iter().find(|s| s.contains(&address))
    }

    /// The word through which the stub at `address` jumps.
    pub(crate) fn of_stub<R: ReadRef<'d>>(&self, elf: &Elf<'d, R>, address: u64) -> Option<u64> {
        if Arch::of_machine(elf.machine()) == Some(Arch::Arm64) {
            return arm64::stub(elf, address);
        }
        let bytes = elf.bytes_up_to(address, STUB_BYTES)?;
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        while decoder.can_decode() {
            let i = decoder.decode();
            match i.flow_control() {
                FlowControl::Next => {}
                FlowControl::IndirectBranch if i.is_ip_rel_memory_operand() => {
                    return Some(i.ip_rel_memory_address());
                }
                _ => return None,
            }
        }
        None
    }
}
