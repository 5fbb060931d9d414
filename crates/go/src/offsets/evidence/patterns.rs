//! The patterns, one for each field. They hold for Go 1.19 to 1.27, amd64: optimised, with `-race`
//! and with `-gcflags='all=-N -l'`, which only takes inlining from the runtime (the compiler never
//! builds it with -N: `CompilingRuntime` in cmd/compile/internal/base).

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::{Access, Code, field, field_address, loaded, stored, with_constant};
use crate::code::copy;

/// systemstack: `g.m` is the first that is loaded from g, which comes from thread-local storage.
pub(super) fn g_m(code: &Code<'_>) -> Option<i64> {
    let mut rest = code.instructions.iter();
    let g = rest
        .find(|i| i.segment_prefix() == Register::FS && i.op0_kind() == OpKind::Register)?
        .op0_register();
    let m = rest.filter_map(loaded).find(|l| l.base == g)?;
    Some(m.offset)
}

/// systemstack compares g with `m.gsignal`, with `m.g0` and with `m.curg`.
pub(super) fn m_gsignal(code: &Code<'_>) -> Option<i64> {
    compared_with_m(code).next()
}

pub(super) fn m_curg(code: &Code<'_>) -> Option<i64> {
    compared_with_m(code).nth(1)
}

fn compared_with_m(code: &Code<'_>) -> impl Iterator<Item = i64> {
    let after = code.instructions.iter();
    let after = after.skip_while(|i| loaded(i).is_none_or(|l| Some(l.offset) != code.g_m));
    let compared = after.filter(|i| i.mnemonic() == Mnemonic::Cmp);
    compared.filter_map(field).map(|f| f.offset)
}

/// systemstack loads `m.g0` first.
pub(super) fn m_g0(code: &Code<'_>) -> Option<i64> {
    let mut loads = code.loads();
    let m = loads.find(|l| Some(l.offset) == code.g_m)?.register?;
    loads.find(|l| l.base == m).map(|l| l.offset)
}

/// systemstack takes the new sp from `g0.sched.sp`, up to Go 1.20 through a register.
pub(super) fn sched_sp(code: &Code<'_>) -> Option<i64> {
    let mut to_sp = code.pairs().filter_map(|(i, next)| {
        let load = loaded(i).filter(|l| l.base != Register::RSP)?;
        let through = copy(next).filter(|(to, _)| *to == Register::RSP);
        let sp = [Some(Register::RSP), through.map(|(_, from)| from)];
        (load.register.is_some() && sp.contains(&load.register)).then_some(load.offset)
    });
    to_sp.next()
}

/// gosave_systemstack_switch stores an address in systemstack_switch as pc, sp, up to Go 1.24 ret,
/// and bp. In a plugin it first takes that function's address, from the GOT or as the linker
/// relaxes that, and then adds to it.
pub(super) fn sched_pc(code: &Code<'_>) -> Option<i64> {
    let mut computed = code.pairs().enumerate().filter_map(|(at, (i, next))| {
        let base = |before: &Instruction| {
            before.is_ip_rel_memory_operand() && before.op0_register() == i.memory_base()
        };
        let added = || code.before(at).next().is_some_and(base);
        let address = i.mnemonic() == Mnemonic::Lea && (i.is_ip_rel_memory_operand() || added());
        let store = stored(next).filter(|s| s.register == Some(i.op0_register()))?;
        address.then_some(store.offset)
    });
    computed.next()
}

pub(super) fn sched_bp(code: &Code<'_>) -> Option<i64> {
    let bp = code.stores().find(|s| s.register == Some(Register::RBP));
    bp.map(|s| s.offset)
}

/// asmcgocall computes the depth: it loads `g.stack.hi` and subtracts the stack pointer.
pub(super) fn stack_hi(code: &Code<'_>) -> Option<i64> {
    let mut depths = code.pairs().filter_map(|(i, next)| {
        let load = loaded(i).filter(|l| l.register != Some(Register::RSP))?;
        let from_it =
            next.mnemonic() == Mnemonic::Sub && Some(next.op0_register()) == load.register;
        from_it.then_some(load.offset)
    });
    depths.next()
}

/// casgstatus swaps `gp.atomicstatus`. Without inlining it hands its address to a function.
pub(super) fn atomicstatus(code: &Code<'_>) -> Option<i64> {
    let mut swaps = code.instructions.iter();
    if let Some(swap) = swaps.find(|i| i.mnemonic() == Mnemonic::Cmpxchg) {
        return field(swap).map(|f| f.offset);
    }
    let mut names = ["CompareAndSwap", "atomic.Cas"].iter();
    let call = names.find_map(|name| code.behind_call(name))?;
    code.before(call).find_map(field_address)
}

/// newproc1 copies `pp.goidcache` to `newg.goid` and counts the former up.
pub(super) fn goid(code: &Code<'_>) -> Option<i64> {
    let mut all = code.instructions.iter().enumerate();
    all.find_map(|(at, i)| {
        let counts = i.mnemonic() == Mnemonic::Inc && i.op0_kind() == OpKind::Memory;
        let cache = field(i).filter(|_| counts)?.offset;
        let mut loads = code.before(at).filter_map(loaded);
        let id = loads.find(|l| l.offset == cache)?.register;
        let mut stores = code.before(at).filter_map(stored);
        let goid = stores.find(|s| s.register == id && s.offset != cache)?;
        Some(goid.offset)
    })
}

/// isSystemGoroutine looks `gp.startpc` up.
pub(super) fn startpc(code: &Code<'_>) -> Option<i64> {
    let call = code.behind_call("runtime.findfunc")?;
    let mut loads = code.before(call).filter_map(loaded);
    let pc = loads.find(|l| l.register == Some(Register::RAX))?;
    (pc.base != Register::RSP).then_some(pc.offset)
}

/// wirep first looks whether `gp.m.p` is zero.
pub(super) fn m_p(code: &Code<'_>) -> Option<i64> {
    code.of_m(|i| with_constant(i, Mnemonic::Cmp, 8, 0))
}

/// exitsyscall loads `gp.m.oldp` before anything else of m.
pub(super) fn oldp(code: &Code<'_>) -> Option<i64> {
    code.of_m(loaded)
}

/// mcommoninit keeps in `mp.id` what mReserveID returns.
pub(super) fn m_id(code: &Code<'_>) -> Option<i64> {
    let call = code.behind_call("runtime.mReserveID")?;
    let in_structure = |s: &Access| s.base != Register::RSP;
    let mut stores = code.from(call).filter_map(stored).filter(in_structure);
    let id = stores.find(|s| s.register == Some(Register::RAX))?;
    Some(id.offset)
}

/// cgocall sets `mp.incgo`.
pub(super) fn incgo(code: &Code<'_>) -> Option<i64> {
    let sets = |i| with_constant(i, Mnemonic::Mov, 1, 1);
    let set = code.instructions.iter().find_map(sets)?;
    Some(set.offset)
}

/// sigtrampgo asks `gp.m.isExtraInC`, from Go 1.21 on.
pub(super) fn is_extra_in_c(code: &Code<'_>) -> Option<i64> {
    code.of_m(|i| with_constant(i, Mnemonic::Cmp, 1, 0))
}

/// runtime_setProfLabel stores its argument in `g.labels`, last of all. Before it the write barrier
/// may store to a buffer (R11).
pub(super) fn labels(code: &Code<'_>) -> Option<i64> {
    let of_g = |s: &Access| !matches!(s.base, Register::RSP | Register::RBP | Register::R11);
    let store = code.stores().filter(of_g).last()?;
    store.register.map(|_| store.offset)
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    /// Instructions as objdump shows them; the last one stands for a call of `callee`, if any.
    fn shown(
        pattern: fn(&Code<'_>) -> Option<i64>,
        bytes: &str,
        callee: Option<&'static str>,
    ) -> Option<i64> {
        let bytes: Vec<u8> = bytes
            .split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal"))
            .collect();
        let decoder = Decoder::with_ip(64, &bytes, 0x1000, DecoderOptions::NONE);
        let instructions: Vec<_> = decoder.into_iter().collect();
        let calls = callee.map(|name| (instructions.len(), name));
        let mut code = Code {
            calls: calls.into_iter().collect(),
            instructions,
            g_m: None,
        };
        code.g_m = g_m(&code).or(Some(48));
        pattern(&code)
    }

    /// runtime.systemstack of Go 1.20.14, up to the call on g0.
    const SYSTEMSTACK: &str = "48 8b 7c 24 08 64 48 8b 04 25 f8 ff ff ff 48 8b 58 30 48 3b 43 50 \
        74 5b 48 8b 13 48 39 d0 74 53 48 3b 83 c0 00 00 00 75 52 e8 d2 f1 ff ff \
        64 48 89 14 25 f8 ff ff ff 49 89 d6 48 8b 5a 38 48 89 dc 48 89 fa 48 8b 3f ff d7";
    /// gosave_systemstack_switch of Go 1.20.14, which also stores ret.
    const GOSAVE: &str = "4c 8d 0d d9 0d 00 00 4d 89 4e 40 4c 8d 4c 24 08 4d 89 4e 38 \
        49 c7 46 58 00 00 00 00 49 89 6e 68 4d 8b 4e 50 4d 85 c9 c3";

    #[test]
    fn assembly_shows_what_stitching_rests_on() {
        let systemstack = |pattern| shown(pattern, SYSTEMSTACK, None);
        assert_eq!(systemstack(g_m), Some(48));
        assert_eq!(systemstack(m_gsignal), Some(80));
        assert_eq!(systemstack(m_g0), Some(0));
        assert_eq!(systemstack(m_curg), Some(192));
        assert_eq!(systemstack(sched_sp), Some(56));
        assert_eq!(shown(sched_pc, GOSAVE, None), Some(64));
        assert_eq!(shown(sched_bp, GOSAVE, None), Some(104));
        // Room on the stack is not a depth: asmcgocall of Go 1.20.14.
        let asmcgocall = "48 8b 66 38 48 83 ec 40 48 83 e4 f0 48 89 7c 24 30 48 8b 7f 08 48 29 d7";
        assert_eq!(shown(stack_hi, asmcgocall, None), Some(8));
    }

    #[test]
    fn compiled_functions_show_their_fields() {
        // wirep, sigtrampgo of Go 1.27.3; exitsyscall of 1.19.8.
        let wirep = "49 8b 4e 30 48 83 b9 d0 00 00 00 00";
        assert_eq!(shown(m_p, wirep, None), Some(208));
        let sigtrampgo = "48 8b 48 30 48 85 c9 74 0d 80 b9 1a 01 00 00 00";
        assert_eq!(shown(is_extra_in_c, sigtrampgo, None), Some(282));
        let exitsyscall = "49 8b 4e 30 ff 81 08 01 00 00 48 8d 4c 24 40 49 39 4e 70 \
            49 c7 86 a8 00 00 00 00 00 00 00 49 8b 4e 30 48 8b 81 e0 00 00 00";
        assert_eq!(shown(oldp, exitsyscall, None), Some(224));
        // newproc1 of Go 1.27.3, where casgstatus is called in between, and of 1.23.9.
        let between = "49 8b 90 80 01 00 00 48 89 90 98 00 00 00 bb 06 00 00 00 44 89 c9 \
            e8 93 8c ff ff 48 8b 54 24 48 48 ff 82 80 01 00 00";
        assert_eq!(shown(goid, between, None), Some(152));
        let reloaded = "4c 8b 82 78 01 00 00 48 8b 44 24 40 4c 89 80 a0 00 00 00 \
            48 ff 82 78 01 00 00";
        assert_eq!(shown(goid, reloaded, None), Some(160));
        // Another counter of p.
        assert_eq!(
            shown(goid, "48 8b 54 24 48 48 ff 82 e0 35 00 00", None),
            None
        );
    }

    #[test]
    fn calls_by_name_show_fields() {
        // isSystemGoroutine of Go 1.26.8; casgstatus of 1.26.8 without inlining, of 1.23.9 with.
        let look_up = "88 5c 24 28 48 8b 80 30 01 00 00 e8 79 d4 00 00";
        assert_eq!(shown(startpc, look_up, Some("runtime.findfunc")), Some(304));
        assert_eq!(shown(startpc, look_up, Some("runtime.other")), None);
        let apart = "48 8b 44 24 68 84 00 48 05 90 00 00 00 48 89 44 24 38 8b 5c 24 70 \
            8b 4c 24 74 e8 21 ed fa ff";
        let swap = Some("internal/runtime/atomic.(*Uint32).CompareAndSwap");
        assert_eq!(shown(atomicstatus, apart, swap), Some(144));
        assert_eq!(
            shown(atomicstatus, "48 83 e8 80 e8 00 00 00 00", swap),
            Some(128)
        );
        let inlined = "f0 0f b1 8f 98 00 00 00";
        assert_eq!(shown(atomicstatus, inlined, None), Some(152));
    }
}
