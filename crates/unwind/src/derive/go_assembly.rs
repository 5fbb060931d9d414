//! Rows for Go assembly that moves the stack pointer in ways its table does not tell: the assembler
//! counts pushes and pops only, and marks functions that write SP otherwise
//! (`abi.FuncFlagSPWrite`; cmd/internal/obj/x86/obj6.go, Go 1.17 to 1.27). purego's calls of C are
//! such. Functions that change stacks are seam-go's (`Switch`) and are left alone.

use iced_x86::InstructionInfoFactory;
use seam_go::{GoModule, Switch};
use seam_object::{Elf, ReadRef};

use super::code::Code;
use super::flow::{NoReturns, Region, follow};
use super::frame::Frame;
use super::push_row;
use crate::RuleSet;
use crate::range_list::RangeList;

/// Code of one function that is decoded, in bytes.
const FUNCTION_BYTES_MAX: u64 = 1 << 16;

/// Rows that hold in place of the table's; offsets count from `base`.
pub(crate) fn go_assembly_rows<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    module: &GoModule<'d>,
    switches: &[Switch],
    base: u64,
    rules: &mut RuleSet,
) -> RangeList {
    let mut rows = Vec::new();
    let mut info = InstructionInfoFactory::new();
    for function in module.pclntab.functions() {
        // Below nothing: the return address was taken off (`syscall.rawVforkSyscall` keeps it in a
        // register, for the child overwrites the stack).
        let below = || {
            let mut depths = module.pclntab.stack_depths(&function);
            function.flags.assembly() && depths.any(|(_, depth)| depth < 0)
        };
        if !function.flags.writes_sp() && !below() {
            continue;
        }
        let first = switches.partition_point(|s| s.range.end <= function.entry);
        let switch = switches.get(first);
        if switch.is_some_and(|s| s.range.start < function.end) {
            continue;
        }
        let len = function.end.saturating_sub(function.entry);
        let bytes = elf.bytes_at(function.entry, len);
        let Some(bytes) = bytes.filter(|_| len <= FUNCTION_BYTES_MAX) else {
            continue;
        };
        let code = Code {
            bytes,
            address: function.entry,
        };
        let region = Region {
            range: function.entry..function.end,
            entry: Some(Frame::ENTRY),
            open: false,
        };
        let Ok(flow) = follow(&code, &region, &NoReturns::new(), &mut info) else {
            continue;
        };
        for (at, place) in flow.places {
            push_row(&place.frame, at, place.len, base, rules, &mut rows);
        }
    }
    RangeList::from_unsorted(rows)
}
