//! Derived rows against unwind information that compilers wrote.

use std::collections::BTreeMap;

use gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian, UnwindSection};
use iced_x86::FlowControl;
use seam_wire::{
    Rule, SEAM_RBP, SEAM_RSP, SEAM_RULE_CFA, SEAM_RULE_DEREF, SEAM_RULE_IN_REGISTER,
    SEAM_RULE_RETURN_APART,
};

use super::*;
use crate::build::cfi_list;
use crate::range_list::RangeList;

/// What comparing one file gave.
#[derive(Debug, Default)]
struct Compared {
    functions: u64,
    given_up: BTreeMap<String, u64>,
    places: u64,
    /// Those where the function has aligned the stack and saved the CFA.
    realigned: u64,
    /// Where unwind information contradicts the very function it describes.
    contradictory: u64,
    wrong: Vec<u64>,
}

/// Derives every function that `.eh_frame` describes and compares the place of the caller's frame
/// at every instruction.
fn compare(path: &std::path::Path) -> Compared {
    let bytes = std::fs::read(path).expect("a file");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let mut rules = RuleSet::default();
    let (base, list) = cfi_list(&elf, &mut rules);
    let mut result = Compared::default();
    let mut info = InstructionInfoFactory::new();
    for (start, end) in functions(&elf) {
        let rule_at = |address: u64| {
            let offset = (address - base) as u32;
            let all = list.ranges();
            let range = all[..all.partition_point(|r| r.start <= offset)].last()?;
            (offset < range.end).then(|| rules.all()[range.rule as usize])
        };
        let Some(bytes) = elf.bytes_at(start, end - start) else {
            continue;
        };
        // Parts moved out of line begin with their function's frame.
        let first = rule_at(start);
        if first.is_none_or(|r| r.base != SEAM_RSP as u8 || r.cfa_offset != 8) {
            continue;
        }
        result.functions += 1;
        let code = Code {
            bytes,
            address: start,
        };
        let region = Region {
            range: start..end,
            entry: Some(Frame::ENTRY),
            open: false,
        };
        let flow = match follow(&code, &region, &NoReturns::new(), &mut info) {
            Ok(flow) => flow,
            Err(why) => {
                *result.given_up.entry(format!("{why:?}")).or_default() += 1;
                continue;
            }
        };
        // Functions that align the stack: the place of the CFA, and those of what is saved.
        for (at, place) in &flow.places {
            let cfi = rule_at(*at).filter(|r| u32::from(r.kind) == SEAM_RULE_DEREF);
            let derived = place
                .frame
                .rule()
                .filter(|r| u32::from(r.kind) == SEAM_RULE_DEREF);
            let Some((cfi, derived)) = cfi.zip(derived) else {
                continue;
            };
            result.realigned += 1;
            let place = |r: &Rule| (r.base, r.deref_offset, r.cfa_offset);
            // A push is known at once here, and there some instructions later.
            let saved = |r: &Rule| {
                [
                    u16::from(r.saved_rbx),
                    r.saved_rbp,
                    u16::from(r.saved_r12),
                    u16::from(r.saved_r13),
                    u16::from(r.saved_r14),
                    u16::from(r.saved_r15),
                ]
            };
            let both = saved(&cfi).into_iter().zip(saved(&derived));
            let differ = |(a, b): (u16, u16)| a != 0 && b != 0 && a != b;
            if place(&cfi) != place(&derived) || both.into_iter().any(differ) {
                result.wrong.push(*at);
            }
        }
        let cfi = |at: &u64| rule_at(*at).filter(|r| u32::from(r.kind) == SEAM_RULE_CFA);
        let compared = flow.places.iter().filter_map(|(at, place)| {
            let cfi = cfi(at)?;
            let derived = match u32::from(cfi.base) {
                SEAM_RSP => place.frame.depth,
                SEAM_RBP => place.frame.rbp,
                _ => None,
            };
            Some((*at, derived?, cfi.cfa_offset))
        });
        let compared: Vec<(u64, i32, i32)> = compared.collect();
        result.places += compared.len() as u64;
        let wrong = compared.iter().filter(|(_, derived, cfi)| derived != cfi);
        let rules: std::collections::BTreeSet<i32> = compared.iter().map(|c| c.2).collect();
        let returns = flow.places.keys().filter(|at| {
            let i = code.decode(**at).expect("an instruction");
            i.flow_control() == FlowControl::Return
        });
        // Assembly whose author forgot to say so: a return that does not find the return address,
        // or pushes that change nothing.
        let contradicts_itself = returns.filter_map(cfi).any(|r| r.cfa_offset != 8)
            || (rules.len() == 1 && compared.iter().any(|c| c.1 > 8));
        if contradicts_itself {
            result.contradictory += wrong.count() as u64;
        } else {
            result.wrong.extend(wrong.map(|(at, ..)| *at));
        }
    }
    result
}

fn functions<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Vec<(u64, u64)> {
    let data = elf.section_data(".eh_frame").expect("sound").expect("one");
    let address = elf.section(".eh_frame").expect("one").address;
    let bases = BaseAddresses::default().set_eh_frame(address);
    let frames = EhFrame::new(&data, LittleEndian);
    let mut entries = frames.entries(&bases);
    let mut found = Vec::new();
    while let Ok(Some(entry)) = entries.next() {
        if let CieOrFde::Fde(partial) = entry {
            let fde = partial.parse(|_, bases, offset| frames.cie_from_offset(bases, offset));
            let fde = fde.expect("a description");
            // The unwinder jumps to landing pads: no instruction leads there.
            if fde.lsda().is_none() {
                found.push((fde.initial_address(), fde.initial_address() + fde.len()));
            }
        }
    }
    found
}

#[test]
fn derived_rows_agree_with_what_compilers_wrote() {
    let places = ["/lib", "/usr/lib"].map(|p| format!("{p}/x86_64-linux-gnu"));
    let names = ["libc.so.6", "libm.so.6", "libstdc++.so.6", "libcrypto.so.3"];
    let mut seen = 0;
    for name in names {
        let mut files = places.iter().map(|p| std::path::Path::new(p).join(name));
        let Some(path) = files.find(|p| p.exists()) else {
            continue;
        };
        seen += 1;
        let got = compare(&path);
        let given_up: u64 = got.given_up.values().sum();
        println!(
            "{name}: {} functions, {given_up} given up {:?}, {} places, {} described wrongly",
            got.functions, got.given_up, got.places, got.contradictory,
        );
        assert!(
            got.functions > 100 && got.places > 10_000,
            "{name}: {got:?}"
        );
        assert!(got.wrong.is_empty(), "{name}: {:x?}", got.wrong);
        assert!(given_up * 20 < got.functions, "{name}: {:?}", got.given_up);
        assert!(got.contradictory * 1000 < got.places, "{name}: {got:?}");
    }
    assert!(seen > 0, "no library to compare with");
}

/// Bytes of a file's code: described by unwind information, derived as if there were none, and of
/// those at the same distance from the caller's frame, and at another.
#[derive(Debug, Default)]
struct Shares {
    described: u64,
    derived: u64,
    wrong: u64,
}

fn shares(path: &std::path::Path) -> Shares {
    let bytes = std::fs::read(path).expect("a file");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let mut rules = RuleSet::default();
    let (base, cfi) = cfi_list(&elf, &mut rules);
    let all = gaps(&elf, base, &RangeList::default());
    let start = crate::program_start::program_start(&elf, seam_wire::Arch::X86_64);
    let rows = derived_rows(&elf, base, all, start, &mut rules).rows;
    let mut shares = Shares {
        described: cfi
            .ranges()
            .iter()
            .map(|r| u64::from(r.end - r.start))
            .sum(),
        ..Shares::default()
    };
    for range in RangeList::from_unsorted(rows).ranges() {
        let mine = rules.all()[range.rule as usize];
        let from = cfi.ranges().partition_point(|r| r.end <= range.start);
        let here = cfi.ranges()[from..].iter();
        for described in here.take_while(|r| r.start < range.end) {
            let theirs = rules.all()[described.rule as usize];
            let bytes = described.end.min(range.end) - described.start.max(range.start);
            shares.derived += u64::from(bytes);
            let comparable = u32::from(theirs.kind) == SEAM_RULE_CFA && theirs.base == mine.base;
            if comparable && theirs.cfa_offset != mine.cfa_offset {
                shares.wrong += u64::from(bytes);
            }
        }
    }
    shares
}

/// Nothing is known here but the dynamic symbols, as in a stripped musl. What differs is assembly
/// that describes itself wrongly, and in C++ landing pads and parts moved out of line to which only
/// the unwinder jumps.
#[test]
fn a_whole_file_without_unwind_information_is_derived() {
    for (name, derived, wrong) in [("libc.so.6", 80, 0.3), ("libm.so.6", 80, 0.01)] {
        let got = shares(&std::path::Path::new("/lib/x86_64-linux-gnu").join(name));
        println!("{name}: {got:?}");
        assert!(
            got.derived * 100 > got.described * derived,
            "{name}: {got:?}"
        );
        assert!(
            got.wrong as f64 <= got.derived as f64 * wrong / 100.0,
            "{name}: {got:?}"
        );
    }
}

/// Aligned locals in functions whose frame has no fixed size, or that take arguments on the stack.
const ALIGNED: &str = "
#include <alloca.h>
typedef float wide __attribute__((vector_size(64)));
void use(void *, void *);
long first(long n) {
    _Alignas(64) char fixed[128];
    char *more = alloca(n);
    use(fixed, more);
    return more[n / 2] + fixed[n % 128];
}
long second(long a, long b, long c, long d, long e, long f, long g, long h) {
    _Alignas(128) long fixed[8] = { a, b, c, d, e, f, g, h };
    use(fixed, alloca(a));
    use(alloca(b), fixed);
    return fixed[h & 7] + a * b + c * d + e * f + g * h;
}
long third(wide *of, long n) {
    wide sum = of[0];
    char *more = alloca(n);
    for (long i = 1; i < n; i++) {
        sum += of[i];
        use(&sum, more);
    }
    return sum[n & 15] > 0 ? n : more[0];
}
";

#[test]
fn stacks_that_functions_align_are_derived_as_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("aligned.c");
    std::fs::write(&source, ALIGNED).expect("written");
    for flags in [
        "-O0",
        "-O1",
        "-O2",
        "-O3",
        "-Os",
        "-O2 -mavx512f",
        "-O2 -fno-omit-frame-pointer",
    ] {
        let library = folder.path().join("aligned.so");
        let mut gcc = std::process::Command::new("gcc");
        gcc.args([
            "-shared",
            "-fPIC",
            "-w",
            "-fasynchronous-unwind-tables",
            "-o",
        ]);
        gcc.arg(&library).arg(&source).args(flags.split(' '));
        assert!(gcc.status().expect("gcc runs").success(), "{flags}");
        let got = compare(&library);
        println!("{flags}: {got:?}");
        assert!(got.realigned > 100, "{flags}: {got:?}");
        assert!(
            got.wrong.is_empty() && got.given_up.is_empty(),
            "{flags}: {got:x?}"
        );
    }
}

/// Threads that never return: an event loop behind what sets it up, in several shapes.
const LOOPS: &str = "
#include <pthread.h>
#define NI __attribute__((noinline, noclone))
volatile unsigned long sink;
typedef struct { void (*callback)(int); void *queue[ROOM]; } job;
NI void work(int n) { for (int i = 0; i < n; i++) sink = sink * 7 + i; }
NI void set_up(job *j, int a, int b) { j->callback = work; j->queue[0] = j; sink += a * b; }
NI void one_step(job *j) { j->callback(10); sink++; }
NI void two_steps(job *j, int n) { j->callback(n); sink--; }
NI void *plain(void *a) { job j; set_up(&j, 7, 9); for (;;) one_step(&j); return a; }
NI void *counted(void *a) {
    job j;
    set_up(&j, 3, 4);
    for (int n = 0;; n++) two_steps(&j, n);
    return a;
}
NI void *nested(void *a) {
    job j;
    set_up(&j, 1, 2);
    for (;;) {
        for (int i = 0; i < 9; i++) one_step(&j);
        if (sink & 1) set_up(&j, 5, 6);
    }
    return a;
}
NI void outer(void *a) { sink++; plain(a); sink++; }
static void *thread(void *a) { outer(a); return a; }
int main(void) {
    pthread_t t;
    pthread_create(&t, 0, thread, 0);
    pthread_create(&t, 0, counted, 0);
    pthread_create(&t, 0, nested, 0);
    pthread_join(t, 0);
    return 0;
}
";

/// The head of such a loop, aligned behind padding, is no function, and what stands behind a call
/// that does not return may be one, without padding.
#[test]
fn loops_that_never_end_are_derived_as_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("loops.c");
    std::fs::write(&source, LOOPS).expect("written");
    let flags = [
        "gcc -O2",
        "gcc -O3 -falign-loops=16",
        "gcc -Os",
        "gcc -O2 -fcf-protection=full",
        "gcc -O1 -falign-labels=32",
        "clang-19 -O2",
    ];
    for (flags, room) in flags.iter().flat_map(|f| (1..5).map(move |room| (f, room))) {
        let program = folder.path().join("loops");
        let mut words = flags.split(' ');
        let mut cc = std::process::Command::new(words.next().expect("a compiler"));
        cc.args(words).arg(format!("-DROOM={room}")).args([
            "-w",
            "-s",
            "-pthread",
            "-fomit-frame-pointer",
            "-fasynchronous-unwind-tables",
            "-o",
        ]);
        cc.arg(&program).arg(&source);
        assert!(cc.status().expect("it runs").success(), "{flags}");
        let got = shares(&program);
        println!("{flags}, {room}: {got:?}");
        assert_eq!(got.wrong, 0, "{flags}, {room}: {got:?}");
        assert!(
            got.derived * 100 > got.described * 40,
            "{flags}, {room}: {got:?}"
        );
    }
}

/// How VMs and thunks put an argument below the return address: nobody tells where that is then.
#[test]
fn functions_that_move_their_return_address_have_no_rows() {
    // With the first address at which the return address is elsewhere.
    let all: [(&str, u64, &[u8]); 3] = [
        (
            "pop %r11; push %rdi; push %r11; call *%rdi; pop %r11; add $8,%rsp; push %r11; ret",
            0x1003,
            &[
                0x41, 0x5b, 0x57, 0x41, 0x53, 0xff, 0xd7, 0x41, 0x5b, 0x48, 0x83, 0xc4, 0x08, 0x41,
                0x53, 0xc3,
            ],
        ),
        (
            "push (%rsp); mov %rdi,8(%rsp); ret",
            0x1008,
            &[0xff, 0x34, 0x24, 0x48, 0x89, 0x7c, 0x24, 0x08, 0xc3],
        ),
        (
            "mov %rax,(%rsp); ret",
            0x1004,
            &[0x48, 0x89, 0x04, 0x24, 0xc3],
        ),
    ];
    for (text, moved, bytes) in all {
        let flow = followed(bytes);
        let places = flow.iter().flat_map(|flow| &flow.places);
        let mut known = places.filter(|(_, place)| place.frame.rule().is_some());
        assert!(known.all(|(at, _)| *at < moved), "{text}");
    }
    // To take it off and jump there, or to put it back, is to return.
    for (text, bytes) in [
        ("pop %rcx; jmp *%rcx", &[0x59, 0xff, 0xe1]),
        ("pop %rcx; push %rcx; ret", &[0x59, 0x51, 0xc3]),
    ] {
        assert_eq!(followed(bytes).err(), None, "{text}");
    }
}

/// Go's `syscall.rawVforkSyscall` keeps its return address in a register that C's callees keep: the
/// child has the same stack and writes over it.
#[test]
fn a_return_address_may_be_in_any_register() {
    // pop %r12; syscall; push %r12; ret
    let flow = followed(&[0x41, 0x5c, 0x0f, 0x05, 0x41, 0x54, 0xc3]).expect("it is derived");
    let rule = |at: u64| flow.places[&at].frame.rule().expect("a rule");
    for at in [0x1002, 0x1004] {
        assert_eq!(u32::from(rule(at).kind), SEAM_RULE_RETURN_APART);
        assert_ne!(u32::from(rule(at).flags) & SEAM_RULE_IN_REGISTER, 0);
        assert_eq!(rule(at).deref_offset, 12);
    }
    for at in [0x1000, 0x1006] {
        assert_eq!(u32::from(rule(at).kind), SEAM_RULE_CFA);
        assert_eq!(rule(at).cfa_offset, 8);
    }
}

/// A function of these bytes alone.
fn followed(bytes: &[u8]) -> Result<Flow, flow::Underivable> {
    let start = 0x1000;
    let code = Code {
        bytes,
        address: start,
    };
    let region = Region {
        range: start..start + bytes.len() as u64,
        entry: Some(Frame::ENTRY),
        open: false,
    };
    let mut info = InstructionInfoFactory::new();
    follow(&code, &region, &NoReturns::new(), &mut info)
}
