//! Any bytes give a verdict: a real file cut off and with bytes changed.

use proptest::prelude::*;
use seam_edges::{Callee, Edge, Module};
use seam_object::Elf;
use seam_symbolize::ModuleSymbols;

/// A small real program that every Debian system has.
fn real() -> Vec<u8> {
    std::fs::read("/bin/true").expect("coreutils are essential")
}

fn judge(bytes: &[u8], at: u64) {
    let Ok(elf) = Elf::parse(bytes) else { return };
    let symbols = ModuleSymbols::new(&elf, None);
    let mut module = Module::new(&elf, &symbols);
    for n in 0..64u64 {
        let return_address = at.wrapping_add(n * 5);
        for callee in [Callee::Elsewhere, Callee::Here(at.wrapping_mul(n))] {
            let _ = module.judge(&Edge {
                return_address,
                callee,
                outermost: n % 2 == 0,
            });
        }
        let _ = module.entry_names(return_address);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn cut_and_changed(
        len in prop_oneof![3 => Just(1usize << 20), 1 => 0usize..60_000],
        at in prop_oneof![0x1000u64..0x8000, any::<u64>(), (u64::MAX - 300)..],
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..200),
        headers in prop::collection::vec((0usize..1024, any::<u8>()), 0..10),
    ) {
        let mut bytes = real();
        bytes.truncate(len);
        if !bytes.is_empty() {
            for (index, value) in changes {
                let index = index.index(bytes.len());
                bytes[index] = value;
            }
            for (index, value) in headers {
                if let Some(byte) = bytes.get_mut(index) {
                    *byte = value;
                }
            }
        }
        judge(&bytes, at);
    }
}
