//! Where the runtime's g, m and p keep what seam reads: a committed table by version, checked
//! against the instructions of the very binary.
//!
//! The table was read from the DWARF of real toolchains. It is
//! preferred to the binary's own DWARF, which says the same but may be 100 MB to decompress.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};
use seam_object::{Elf, ReadRef};

use crate::code::{decode, load, store};
use crate::{GoModule, GoVersion};

/// Offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offsets {
    /// `g.m`
    pub g_m: u16,
    /// `g.sched.sp`
    pub g_sched_sp: u16,
    /// `g.sched.pc`
    pub g_sched_pc: u16,
    /// `g.sched.bp`
    pub g_sched_bp: u16,
    /// `g.atomicstatus`
    pub g_status: u16,
    /// `g.goid`
    pub g_goid: u16,
    /// `g.startpc`
    pub g_startpc: u16,
    /// `m.gsignal`
    pub m_gsignal: u16,
    /// `m.curg`
    pub m_curg: u16,
    /// `m.p`
    pub m_p: u16,
    /// `m.oldp`
    pub m_oldp: u16,
    /// `m.id`
    pub m_id: u16,
    /// `m.incgo`
    pub m_incgo: u16,
    /// `m.isExtraInC`; 0 before Go 1.21, which has none.
    pub m_is_extra_in_c: u16,
}

/// Where offsets come from and how far they can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetsSource {
    /// The table has this minor version.
    Table,
    /// A newer or unknown version: the nearest row of the table, tried.
    Nearest,
}

/// What the code of a binary says of the offsets that stitching rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Decoded {
    g_m: Option<i64>,
    m_gsignal: Option<i64>,
    m_curg: Option<i64>,
    g_sched_sp: Option<i64>,
    g_sched_pc: Option<i64>,
    g_sched_bp: Option<i64>,
}

impl Offsets {
    /// The table's row for a version, with where it comes from.
    #[must_use]
    pub fn of_version(version: &GoVersion) -> Option<(Self, OffsetsSource)> {
        let newest = NEWEST;
        let row = row(version.minor.min(newest))?;
        let known = version.minor <= newest && !version.devel;
        Some((
            row,
            if known {
                OffsetsSource::Table
            } else {
                OffsetsSource::Nearest
            },
        ))
    }

    /// Whether the instructions of runtime.systemstack and gosave_systemstack_switch use these
    /// offsets for everything that stitching rests on. What they do not show counts as a mismatch.
    pub fn agree_with_code<'d, R: ReadRef<'d>>(
        &self,
        elf: &Elf<'d, R>,
        module: &GoModule<'d>,
    ) -> bool {
        let decoded = decoded(elf, module);
        let equal = |a: Option<i64>, b: u16| a == Some(i64::from(b));
        equal(decoded.g_m, self.g_m)
            && equal(decoded.m_gsignal, self.m_gsignal)
            && equal(decoded.m_curg, self.m_curg)
            && equal(decoded.g_sched_sp, self.g_sched_sp)
            && equal(decoded.g_sched_pc, self.g_sched_pc)
            && equal(decoded.g_sched_bp, self.g_sched_bp)
    }
}

/// The newest minor version in the table.
const NEWEST: u32 = 27;

fn row(minor: u32) -> Option<Offsets> {
    let newer_bp = if minor >= 25 { 40 } else { 48 };
    let base = Offsets {
        g_m: 48,
        g_sched_sp: 56,
        g_sched_pc: 64,
        g_sched_bp: 56 + newer_bp,
        ..Offsets::default()
    };
    let status = |status, goid, startpc| Offsets {
        g_status: status,
        g_goid: goid,
        g_startpc: startpc,
        ..base
    };
    let m = |g: Offsets, gsignal, curg, p: u16, oldp, id, incgo: u16| Offsets {
        m_gsignal: gsignal,
        m_curg: curg,
        m_p: p,
        m_oldp: oldp,
        m_id: id,
        m_incgo: incgo,
        m_is_extra_in_c: if minor >= 21 { incgo + 2 } else { 0 },
        ..g
    };
    Some(match minor {
        19 | 20 => m(status(144, 152, 312), 80, 192, 208, 224, 232, 280),
        21 | 22 => m(status(144, 152, 296), 80, 192, 208, 224, 232, 280),
        23 | 24 => m(status(152, 160, 304), 80, 192, 208, 224, 232, 280),
        25 => m(status(144, 152, 296), 72, 184, 200, 216, 224, 272),
        26 | 27 => m(status(144, 152, 304), 72, 184, 208, 224, 232, 280),
        _ => return None,
    })
}

fn decoded<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Decoded {
    let names = ["runtime.systemstack", "gosave_systemstack_switch"];
    let functions = module.functions_named(&names);
    let code = |name| {
        functions
            .get(name)
            .map(|f| decode(elf, f))
            .unwrap_or_default()
    };
    let mut decoded = from_systemstack(&code(names[0]));
    let saves: Vec<_> = code(names[1]).iter().filter_map(store).collect();
    // gosave_systemstack_switch stores pc and sp in this order, then bp (after ret, up to 1.24).
    let offset = |n: usize| saves.get(n).map(|(_, offset, _)| *offset);
    decoded.g_sched_pc = offset(0);
    if offset(1) != decoded.g_sched_sp {
        decoded.g_sched_sp = None;
    }
    let bp = saves
        .iter()
        .find(|(_, _, from)| *from == Some(Register::RBP));
    decoded.g_sched_bp = bp.map(|(_, offset, _)| *offset);
    decoded
}

/// systemstack loads g.m, compares g with m.gsignal, loads m.g0, compares with m.curg, and takes
/// sp from g0.sched.sp.
fn from_systemstack(code: &[Instruction]) -> Decoded {
    let mut decoded = Decoded::default();
    let tls = code.iter().position(|i| i.segment_prefix() == Register::FS);
    let Some(tls) = tls.filter(|at| code[*at].op0_kind() == OpKind::Register) else {
        return decoded;
    };
    let g = code[tls].op0_register();
    let mut compared = Vec::new();
    for i in &code[tls + 1..] {
        if let Some((to, base, offset)) = load(i) {
            if base == g && decoded.g_m.is_none() {
                decoded.g_m = Some(offset);
            }
            if to == Register::RSP {
                decoded.g_sched_sp = Some(offset);
                break;
            }
        }
        let memory = [i.op0_kind(), i.op1_kind()].contains(&OpKind::Memory);
        if i.mnemonic() == Mnemonic::Cmp && memory {
            compared.push(i.memory_displacement64() as i64);
        }
    }
    decoded.m_gsignal = compared.first().copied();
    decoded.m_curg = compared.get(1).copied();
    decoded
}
