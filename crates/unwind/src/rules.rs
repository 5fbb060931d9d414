//! Rules, each kept once; rows name them by number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use seam_wire::{
    Rule, SEAM_RSP, SEAM_RULE_CFA, SEAM_RULE_NONE, SEAM_RULE_UNSUPPORTED, SEAM_SAVED_LOST,
    SEAM_SAVED_WIDE_LOST, bytes_of,
};

/// A set of rules. Number 0 is "no unwind information".
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<Rule>,
    numbers: HashMap<u128, u32, BuildHasherDefault<RuleHasher>>,
    /// The rule asked for last: neighbouring rows often share one.
    last: (u128, u32),
}

/// Rules are 16 bytes that differ in a few; a multiplication spreads them well enough, and a file
/// with a million rows asks a million times.
#[derive(Debug, Clone, Copy, Default)]
struct RuleHasher(u64);

impl Hasher for RuleHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn write_u128(&mut self, key: u128) {
        let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl Default for RuleSet {
    fn default() -> Self {
        let mut set = Self {
            rules: Vec::new(),
            numbers: HashMap::default(),
            last: (u128::MAX, 0),
        };
        set.number(plain(SEAM_RULE_NONE));
        set
    }
}

impl RuleSet {
    /// The number of a rule; the same rule always gets the same.
    pub fn number(&mut self, rule: Rule) -> u32 {
        let key = u128::from_le_bytes(bytes_of(&rule).try_into().expect("a rule has 16 bytes"));
        if self.last.0 == key {
            return self.last.1;
        }
        let next = self.rules.len() as u32;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            self.rules.push(rule);
            next
        });
        self.last = (key, number);
        number
    }

    /// All rules by number.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }
}

/// A rule of a kind with everything else zero.
pub(crate) fn plain(kind: u32) -> Rule {
    Rule {
        kind: kind as u8,
        ..Rule::default()
    }
}

/// CFA = rsp + offset.
pub(crate) fn stack(offset: i32) -> Rule {
    Rule {
        base: SEAM_RSP as u8,
        cfa_offset: offset,
        ..plain(SEAM_RULE_CFA)
    }
}

pub(crate) fn unsupported() -> Rule {
    plain(SEAM_RULE_UNSUPPORTED)
}

/// How the narrow and the wide fields of rules say that a register lies at this distance from their
/// base: in words below it, or that it is lost.
pub(crate) fn words_below(offset: i64) -> (u8, u16) {
    let words = (offset < 0 && offset % 8 == 0).then(|| offset.unsigned_abs() / 8);
    let within = |lost: u32| words.filter(|n| *n < u64::from(lost));
    (
        within(SEAM_SAVED_LOST).unwrap_or(u64::from(SEAM_SAVED_LOST)) as u8,
        within(SEAM_SAVED_WIDE_LOST).unwrap_or(u64::from(SEAM_SAVED_WIDE_LOST)) as u16,
    )
}

/// Notes that a callee-saved register lies at `-8 * n` from the rule's base for saved registers;
/// a place that the format cannot express loses the register.
pub(crate) fn save(rule: &mut Rule, register: u16, offset: i64) {
    let (small, wide) = words_below(offset);
    match register {
        3 => rule.saved_rbx = small,
        6 => rule.saved_rbp = wide,
        12 => rule.saved_r12 = small,
        13 => rule.saved_r13 = small,
        14 => rule.saved_r14 = small,
        15 => rule.saved_r15 = small,
        _ => {}
    }
}
