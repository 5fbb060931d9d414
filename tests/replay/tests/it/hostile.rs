//! A target may write anything into its memory: recorded cases with words, registers and mappings
//! changed. The walk ends, for a reason that there is, with no more frames than there is room for.

use std::collections::HashMap;
use std::path::Path;

use seam_memory::{Memory, Snapshot, Unreadable};
use seam_replay::cases::{Case, CaseFile};
use seam_unwind::{Start, TableSet, Walked, walk};
use seam_wire::{
    GoRuntime, SEAM_CODE_MADE, SEAM_LABELS_MAP, SEAM_LABELS_MAX, SEAM_LABELS_SLICE,
    SEAM_SAMPLE_LABELS_CUT, SEAM_STEPS, SEAM_USER_FRAMES, ends,
};

/// Changed copies of each case.
const COPIES: u64 = 40;

/// Numbers that are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// A memory in which some words are others.
struct Altered<'a> {
    inner: &'a Snapshot,
    words: HashMap<u64, u64>,
}

impl Memory for Altered<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.inner.read(address, buffer)?;
        for (at, byte) in buffer.iter_mut().enumerate() {
            let place = address + at as u64;
            if let Some(word) = self.words.get(&(place & !7)) {
                *byte = word.to_le_bytes()[(place & 7) as usize];
            }
        }
        Ok(())
    }
}

fn files() -> Vec<CaseFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(folder).expect("the cases are in the tree");
    let read = |e: std::io::Result<std::fs::DirEntry>| CaseFile::read(&e.expect("readable").path());
    entries.map(|e| read(e).expect("a case file")).collect()
}

/// Words by address.
fn words(memory: &Snapshot) -> Vec<(u64, u64)> {
    let mut words = Vec::new();
    for (start, bytes) in memory.pieces() {
        let skip = (start.wrapping_neg() & 7) as usize;
        let aligned = bytes.get(skip..).unwrap_or_default().as_chunks::<8>().0;
        for (n, word) in aligned.iter().enumerate() {
            words.push((
                start + skip as u64 + 8 * n as u64,
                u64::from_le_bytes(*word),
            ));
        }
    }
    words
}

/// A value that does harm: another word of the case, one near it, an address in it, an extreme.
fn harm(numbers: &mut Numbers, words: &[(u64, u64)]) -> u64 {
    let (address, word) = words[numbers.below(words.len() as u64) as usize];
    match numbers.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => numbers.next(),
        3 => 1 << numbers.below(64),
        4 => word.wrapping_add(numbers.below(64)).wrapping_sub(32),
        5 | 6 => address,
        _ => word,
    }
}

fn sound(walked: &Walked, name: &str) {
    let header = &walked.header;
    assert!(walked.user.len() <= SEAM_USER_FRAMES as usize, "{name}");
    let all = walked.user.len() as u32 + header.elided;
    assert!(all <= SEAM_STEPS, "{name}: {all} frames");
    let known = ends()
        .iter()
        .any(|e| e.code == header.end && e.id != "not-walked");
    assert!(known, "{name}: ends by {}", header.end);
}

/// Half of the time some mappings are of code made at run time, which is walked by what lies on the
/// stack alone.
fn altered_set(numbers: &mut Numbers, set: &TableSet) -> TableSet {
    let mut set = set.clone();
    if numbers.below(2) == 0 {
        let (_, mut mappings) = set.parts();
        for mapping in &mut mappings {
            if numbers.below(3) == 0 {
                mapping.table = 0;
                mapping.pages = 0;
                mapping.index_word = SEAM_CODE_MADE;
            }
        }
        set.set_mappings(&mappings);
    }
    set
}

fn attacked(case: &Case, set: &TableSet, seed: u64) -> u64 {
    let mut numbers = Numbers(seed | 1);
    let memory = case.snapshot().expect("a well-formed case");
    let words = words(&memory);
    let mut whole = 0;
    for _ in 0..COPIES {
        let set = altered_set(&mut numbers, set);
        let mut start: Start = case.start().expect("a well-formed case");
        if numbers.below(3) == 0 {
            let register = numbers.below(start.reg.len() as u64) as usize;
            start.reg[register] = harm(&mut numbers, &words);
        }
        let mut altered = Altered {
            inner: &memory,
            words: HashMap::new(),
        };
        for _ in 0..1 + numbers.below(12) {
            let at = words[numbers.below(words.len() as u64) as usize].0;
            let word = harm(&mut numbers, &words);
            altered.words.insert(at, word);
        }
        let walked = walk(&altered, &set, &start);
        sound(&walked, &case.name);
        whole += u64::from(seam_wire::end(walked.header.end).root);
    }
    whole
}

#[test]
fn changed_memory_ends_every_walk() {
    let (mut walks, mut whole) = (0, 0);
    for file in files() {
        let set = file.table_set().expect("tables");
        for (number, case) in file.cases.iter().enumerate() {
            let seed = 0x9e37_79b9_7f4a_7c15 ^ ((number as u64) << 8);
            whole += attacked(case, &set, seed);
            walks += COPIES;
        }
    }
    // Enough were hit for the test to mean something, and enough were not.
    assert!(walks > 5_000, "{walks}");
    assert!(
        whole * 20 > walks && whole * 20 < walks * 19,
        "{whole} of {walks}"
    );
}

/// A stack on which every word is a return address into code made at run time: the walk is bounded.
#[test]
fn a_stack_without_end_is_cut() {
    let start_of_stack = 0x10_0000;
    let code = 0x40_0000;
    let mut memory = Snapshot::default();
    // An indirect call before the address.
    memory.insert(code, &[0xff, 0xd0].repeat(64));
    let words = u64::to_le_bytes(code + 64).repeat(2 * SEAM_STEPS as usize);
    memory.insert(start_of_stack, &words);
    let mut set = TableSet::default();
    set.set_mappings(&[seam_wire::Mapping {
        start: code,
        end: code + 4096,
        index_word: SEAM_CODE_MADE,
        ..seam_wire::Mapping::default()
    }]);
    let mut start = Start {
        syscall: -1,
        pc: code + 64,
        ..Start::default()
    };
    start.reg[seam_wire::SEAM_RSP as usize] = start_of_stack;
    let walked = walk(&memory, &set, &start);
    assert_eq!(seam_wire::end(walked.header.end).id, "too-deep");
    sound(&walked, "endless");
}

/// A goroutine with labels in a memory of its own making.
fn labelled(kind: u32, labels: &[(u64, Vec<u64>)]) -> Walked {
    const AT: u64 = 0x20_0000;
    let (g, m, stack) = (AT, AT + 0x1000, AT + 0x2000);
    let runtime = GoRuntime {
        tls_offset: -8,
        g_m: 48,
        g_sched_sp: 56,
        g_sched_pc: 64,
        g_sched_bp: 72,
        g_goid: 152,
        g_labels: 344,
        m_gsignal: 80,
        m_curg: 192,
        labels_kind: kind as u16,
        verified: 1,
        known: 1,
        ..GoRuntime::default()
    };
    let mut memory = Snapshot::default();
    let mut put = |at: u64, words: &[u64]| {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        memory.insert(at, &bytes);
    };
    put(AT - 0x1000, &[0; 0x400]);
    put(g, &[0; 0x200]);
    put(m, &[0; 0x200]);
    put(stack, &[0; 0x200]);
    put(AT - 8, &[g]);
    put(g + 48, &[m]);
    put(g + 152, &[7]);
    put(g + 344, &[labels[0].0]);
    put(m, &[g]);
    put(m + 192, &[g]);
    for (at, words) in labels {
        put(*at, words);
    }
    let mut set = TableSet::default();
    set.runtimes.push(runtime);
    let mut start = Start {
        syscall: -1,
        pc: 0x1234,
        fsbase: AT,
        ..Start::default()
    };
    start.reg[seam_wire::SEAM_RSP as usize] = stack;
    let walked = walk(&memory, &set, &start);
    assert_eq!(walked.header.goid, 7, "the goroutine is not read");
    walked
}

fn cut(walked: &Walked) -> bool {
    u32::from(walked.header.flags) & SEAM_SAMPLE_LABELS_CUT != 0
}

#[test]
fn labels_without_end_are_cut_and_said() {
    let at = 0x80_0000;
    let text = at + 0x8000;
    let pair = [text, 3, text, 4];
    // A slice: sound, longer than it may be, longer than memory, with strings out of all bounds.
    let slice = |count: u64, words: Vec<u64>| {
        let array = at + 0x100;
        let room = (text, vec![0x6161_6161_6161_6161; 64]);
        labelled(
            SEAM_LABELS_SLICE,
            &[(at, vec![array, count, count]), (array, words), room],
        )
    };
    let many = u64::from(SEAM_LABELS_MAX);
    assert!(!cut(&slice(2, pair.repeat(2))));
    assert!(!cut(&slice(0, vec![0])));
    assert!(cut(&slice(many + 1, pair.repeat(64))));
    assert!(cut(&slice(u64::MAX, pair.repeat(64))));
    assert!(cut(&slice(2, pair.to_vec())));
    assert!(cut(&slice(1, vec![text, u64::MAX, text, 4])));
    assert!(cut(&slice(1, vec![text, 3, u64::MAX - 1, 4])));
    let full = [text, 63, text, 127];
    assert!(cut(&slice(many, full.repeat(many as usize))));

    // A map: its buckets, and buckets that overflow into themselves.
    let map = |log: u64, buckets: u64, overflow: u64, used: u64| {
        let (hmap, bucket) = (at + 0x40, at + 0x400);
        let mut words = vec![used];
        words.extend([text, 3].repeat(8));
        words.extend([text, 4].repeat(8));
        words.push(overflow);
        let room = (text, vec![0x6161_6161_6161_6161; 64]);
        labelled(
            SEAM_LABELS_MAP,
            &[
                (at, vec![hmap]),
                (hmap, vec![1, log << 8, buckets, 0, 0, 0]),
                (bucket, words),
                room,
            ],
        )
    };
    let (bucket, all) = (at + 0x400, 0x0909_0909_0909_0909);
    assert!(!cut(&map(0, bucket, 0, all)));
    assert!(!cut(&map(0, bucket, 0, 0)));
    assert!(cut(&map(0, bucket, bucket, all)));
    assert!(cut(&map(0, bucket, bucket, 0)));
    assert!(cut(&map(31, bucket, 0, all)));
    assert!(cut(&map(255, 8, 0, all)));
    assert!(cut(&map(0, u64::MAX - 8, 0, all)));
}
