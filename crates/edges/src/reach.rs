//! Where control can be after a call, without another call: in the function called, and in those
//! that it jumps to.

use std::collections::HashSet;

use seam_object::{ReadRef, SlotValue};

use crate::{Callee, Claim, Doubt, Evidence, Fault, Module, Verdict};

/// Functions that one call is followed through. Chains of tail calls are short; more functions than
/// that mean a tangle of assembly, where the answer is worth little.
const FUNCTIONS_MAX: usize = 256;

/// What following one call found.
#[derive(Default)]
struct Found {
    imports: Vec<Vec<u8>>,
    /// A jump through a register, or one whose target the file does not give.
    escapes: bool,
    /// Code whose function is not known.
    unknown: bool,
}

impl<'d, R: ReadRef<'d>> Module<'d, '_, R> {
    /// Follows a call to `target`.
    pub(crate) fn follow(&mut self, target: u64, callee: Callee) -> Claim {
        let mut found = Found::default();
        let mut seen = HashSet::from([target]);
        let mut work = vec![target];
        while let Some(at) = work.pop() {
            if let Callee::Here(callee) = callee
                && self.same_function(at, callee)
            {
                let evidence = if at == target {
                    Evidence::Direct
                } else {
                    Evidence::TailCall
                };
                return Claim::Judged(Verdict::Verified(evidence));
            }
            if seen.len() > FUNCTIONS_MAX {
                found.escapes = true;
                break;
            }
            let next = self.leads_to(at, &mut found);
            work.extend(next.into_iter().filter(|to| seen.insert(*to)));
        }
        self.conclude(found, callee)
    }

    /// Where the function at `at` jumps to.
    fn leads_to(&mut self, at: u64, found: &mut Found) -> Vec<u64> {
        if self.slots().stubs_around(at).is_some() {
            let slot = self.slots().of_stub(self.elf, at);
            return self.through(slot, found).into_iter().collect();
        }
        let extents = self.extents(at);
        if extents.is_empty() {
            found.unknown = true;
            return Vec::new();
        }
        let mut next = Vec::new();
        for extent in extents {
            let scan = self.scan(&extent);
            found.escapes |= scan.escapes;
            next.extend(&scan.jumps);
            if scan.falls_through {
                next.push(extent.end);
            }
            for slot in &scan.slots {
                next.extend(self.through(Some(*slot), found));
            }
        }
        next
    }

    /// What a jump through a word leads to, as far as the file says.
    fn through(&mut self, slot: Option<u64>, found: &mut Found) -> Option<u64> {
        match slot.and_then(|slot| self.slots().value(slot)) {
            Some(SlotValue::Symbol(name)) => found.imports.push(name.to_vec()),
            Some(SlotValue::Address(address)) => return Some(address),
            None => found.escapes = true,
        }
        None
    }

    fn conclude(&mut self, found: Found, callee: Callee) -> Claim {
        if !found.imports.is_empty() {
            return Claim::Imports(found.imports);
        }
        let known = match callee {
            Callee::Here(callee) => !self.extents(callee).is_empty(),
            Callee::Elsewhere => true,
        };
        Claim::Judged(if found.escapes {
            Verdict::Plausible(Doubt::IndirectJump)
        } else if found.unknown || !known {
            Verdict::Plausible(Doubt::UnknownCode)
        } else {
            Verdict::Impossible(Fault::OtherTarget)
        })
    }

    /// Whether `callee` lies in the function that `at` belongs to.
    fn same_function(&mut self, at: u64, callee: u64) -> bool {
        if at == callee {
            return true;
        }
        let stubs = self.slots().stubs_around(at);
        if stubs.is_some_and(|stubs| stubs.contains(&callee)) {
            return true;
        }
        self.extents(at).iter().any(|e| e.contains(&callee))
    }
}
