//! One module's code: what is known of its functions, kept from one edge to the next.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use seam_object::arm64::SIGRETURN as ARM64_SIGRETURN;
use seam_object::{Elf, ReadRef, SymbolSource};
use seam_symbolize::ModuleSymbols;
use seam_wire::Arch;

use crate::extent::FrameIndex;
use crate::scan::Scan;
use crate::site::{Site, Through};
use crate::slots::Slots;
use crate::{Callee, Claim, Doubt, Edge, Evidence, Fault, Verdict};

/// Functions of Go's runtime that call on another stack, always through a register
/// (runtime/asm_amd64.s, Go 1.19 to 1.27). What they call is Go's, but for asmcgocall.
const SWITCHES: [&str; 3] = [
    "runtime.systemstack",
    "runtime.mcall",
    "runtime.cgocallback",
];
const SWITCH_TO_C: &str = "runtime.asmcgocall";
/// What newproc1 puts below a goroutine's first function: goexit's address plus one
/// (runtime/proc.go, Go 1.19 to 1.27).
const GOROUTINE_END: &str = "runtime.goexit";
/// How the trampoline behind a signal handler begins: `mov $15, %rax` (or `%eax`), `syscall`.
const SIGRETURN: [&[u8]; 2] = [
    &[0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05],
    &[0xb8, 15, 0, 0, 0, 0x0f, 0x05],
];

/// What judges edges whose caller lies in one module.
pub struct Module<'d, 'e, R: ReadRef<'d>> {
    pub(crate) elf: &'e Elf<'d, R>,
    symbols: &'e ModuleSymbols<'d, 'e, R>,
    frames: Option<FrameIndex<'d>>,
    slots: OnceCell<Slots<'d>>,
    scans: HashMap<Range<u64>, Rc<Scan>>,
    exports: OnceCell<HashMap<u64, Vec<Vec<u8>>>>,
}

impl<'d, 'e, R: ReadRef<'d>> Module<'d, 'e, R> {
    /// Tables are read when an edge asks for them.
    #[must_use]
    pub fn new(elf: &'e Elf<'d, R>, symbols: &'e ModuleSymbols<'d, 'e, R>) -> Self {
        Self {
            elf,
            symbols,
            frames: FrameIndex::read(elf),
            slots: OnceCell::new(),
            scans: HashMap::new(),
            exports: OnceCell::new(),
        }
    }

    /// Judges an edge whose caller lies in this module.
    pub fn judge(&mut self, edge: &Edge) -> Claim {
        let Some(site) = Site::before(self.elf, edge.return_address) else {
            return Claim::Judged(Verdict::Plausible(Doubt::UnknownCode));
        };
        let site = self.told_apart(site, edge.return_address);
        match (site.direct, site.indirect) {
            (Some(target), _) => self.follow(target, edge.callee),
            (None, Some(through)) => self.indirect(edge, through),
            (None, None) => Claim::Judged(self.without_call(edge)),
        }
    }

    /// The names under which other modules find the function at an address.
    #[must_use]
    pub fn entry_names(&self, address: u64) -> Vec<Vec<u8>> {
        let starts = self.extents(address).into_iter().map(|e| e.start);
        let exports = self.exports.get_or_init(|| exports(self.elf));
        let mut names: Vec<Vec<u8>> = starts
            .filter_map(|start| exports.get(&start))
            .flatten()
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Where bytes read as two calls, the function's instructions decide.
    fn told_apart(&mut self, site: Site, end: u64) -> Site {
        if site.direct.is_none() || site.indirect.is_none() {
            return site;
        }
        for extent in self.extents(end.wrapping_sub(1)) {
            match self.scan(&extent).call_ending_at(end) {
                Some(true) => {
                    return Site {
                        indirect: None,
                        ..site
                    };
                }
                Some(false) => {
                    return Site {
                        direct: None,
                        ..site
                    };
                }
                None => {}
            }
        }
        // The one that is never impossible.
        Site {
            direct: None,
            ..site
        }
    }

    fn indirect(&mut self, edge: &Edge, through: Through) -> Claim {
        let function = self
            .symbols
            .go_function(edge.return_address.wrapping_sub(1));
        let in_go = |address| self.symbols.go_function(address).is_some();
        let calls_go = matches!(edge.callee, Callee::Here(address) if in_go(address));
        match function {
            // A plugin has the runtime's switches once more, for functions of either module.
            Some(name) if SWITCHES.contains(&name) && matches!(edge.callee, Callee::Elsewhere) => {
                return Claim::Judged(Verdict::Plausible(Doubt::IndirectCall));
            }
            Some(name) if SWITCHES.contains(&name) => {
                return Claim::Judged(if calls_go {
                    Verdict::Verified(Evidence::Switch)
                } else {
                    Verdict::Impossible(Fault::OtherTarget)
                });
            }
            Some(SWITCH_TO_C) if !calls_go => {
                return Claim::Judged(Verdict::Verified(Evidence::Switch));
            }
            _ => {}
        }
        let plausible = Claim::Judged(Verdict::Plausible(Doubt::IndirectCall));
        let Through::Slot(slot) = through else {
            return plausible;
        };
        match self.slots().value(slot) {
            Some(seam_object::SlotValue::Symbol(name)) => Claim::Imports(vec![name.to_vec()]),
            Some(seam_object::SlotValue::Address(target)) => {
                match self.follow(target, edge.callee) {
                    // The program may have written the word since.
                    Claim::Judged(Verdict::Impossible(_)) => plausible,
                    claim => claim,
                }
            }
            None => plausible,
        }
    }

    /// Return addresses that no call has put there.
    fn without_call(&self, edge: &Edge) -> Verdict {
        let at = edge.return_address;
        let goroutine_end = self.symbols.go_function(at) == Some(GOROUTINE_END);
        let sigreturn = SIGRETURN
            .iter()
            .any(|code| self.elf.bytes_at(at, code.len() as u64) == Some(code));
        let arm64 = Arch::of_machine(self.elf.machine()) == Some(Arch::Arm64)
            && self.elf.bytes_at(at, ARM64_SIGRETURN.len() as u64) == Some(&ARM64_SIGRETURN);
        if goroutine_end || sigreturn || arm64 {
            return Verdict::Verified(Evidence::Planted);
        }
        // makecontext lets a new stack return into the first byte of a function.
        let at_start = || self.extents(at).iter().any(|e| at - e.start <= 1);
        if edge.outermost && at_start() {
            return Verdict::Plausible(Doubt::IndirectJump);
        }
        Verdict::Impossible(Fault::NoCall)
    }

    /// The functions that cover an address: what names say, and what unwind information says.
    pub(crate) fn extents(&self, address: u64) -> Vec<Range<u64>> {
        let named = self.symbols.extent(address);
        let described = self.frames.as_ref().and_then(|f| f.find(address));
        let mut extents: Vec<Range<u64>> = named.into_iter().collect();
        extents.extend(described.filter(|d| extents.first() != Some(d)));
        extents
    }

    pub(crate) fn scan(&mut self, extent: &Range<u64>) -> Rc<Scan> {
        let scan = self.scans.entry(extent.clone());
        Rc::clone(scan.or_insert_with(|| Rc::new(Scan::of(self.elf, extent))))
    }

    pub(crate) fn slots(&self) -> &Slots<'d> {
        self.slots.get_or_init(|| Slots::read(self.elf))
    }
}

fn exports<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> HashMap<u64, Vec<Vec<u8>>> {
    let mut names: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
    for symbol in elf.symbols().filter(|s| s.source == SymbolSource::Dynsym) {
        names
            .entry(symbol.address)
            .or_default()
            .push(symbol.name.to_vec());
    }
    names
}
