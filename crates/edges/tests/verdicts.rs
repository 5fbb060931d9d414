//! Verdicts on code whose calls are known: assembly in this very test, which reads its own file.

use seam_edges::{Callee, Claim, Doubt, Edge, Evidence, Fault, Module, Verdict};
use seam_object::Elf;
use seam_symbolize::ModuleSymbols;

std::arch::global_asm!(
    r"
    .macro function name
    .p2align 4
    .type \name, @function
    \name:
    .endm
    .macro finish name
    .size \name, . - \name
    .endm

    .text
    function seam_edges_leaf
        ret
    finish seam_edges_leaf

    function seam_edges_other
        ret
    finish seam_edges_other

    function seam_edges_tail
        test %edi, %edi
        jz seam_edges_leaf
        ret
    finish seam_edges_tail

    function seam_edges_chain
        jmp seam_edges_tail
    finish seam_edges_chain

    function seam_edges_anywhere
        jmp *%rax
    finish seam_edges_anywhere

    function seam_edges_pushes
        push %rax
        ret
    finish seam_edges_pushes

    function seam_edges_falls
        nop
        xor %eax, %eax
    finish seam_edges_falls
    .type seam_edges_fallen, @function
    seam_edges_fallen:
        ret
    finish seam_edges_fallen

    function seam_edges_imports
        jmp getppid@PLT
    finish seam_edges_imports

    function seam_edges_caller
        call seam_edges_leaf
    seam_edges_after_leaf:
        call seam_edges_chain
    seam_edges_after_chain:
        call *%rdx
    seam_edges_after_register:
        call seam_edges_anywhere
    seam_edges_after_anywhere:
        call seam_edges_pushes
    seam_edges_after_pushes:
        call seam_edges_falls
    seam_edges_after_falls:
        call *getpid@GOTPCREL(%rip)
    seam_edges_after_import:
        call seam_edges_imports
    seam_edges_after_imports:
        call 1f
    seam_edges_after_local:
        nop
    seam_edges_after_nothing:
        ret
    1:  ret
    finish seam_edges_caller

    function seam_edges_sigreturn
        mov $15, %rax
        syscall
    finish seam_edges_sigreturn
    ",
    options(att_syntax)
);

unsafe extern "C" {
    fn seam_edges_caller();
}

fn own_file() -> Vec<u8> {
    // The assembly would not be linked if nothing named it.
    std::hint::black_box(seam_edges_caller as *const ());
    std::fs::read(std::env::current_exe().expect("it runs")).expect("it is a file")
}

/// The verdict on a call that returns to one label, with a callee in the function of another.
fn verdict(bytes: &[u8], after: &str, callee: Option<&str>, outermost: bool) -> Claim {
    let elf = Elf::parse(bytes).expect("this test's file");
    let symbols = ModuleSymbols::new(&elf, None);
    let address = |name: &str| {
        elf.symbol_address(&format!("seam_edges_{name}"))
            .expect("a label of the assembly")
    };
    Module::new(&elf, &symbols).judge(&Edge {
        return_address: address(after),
        callee: callee.map_or(Callee::Elsewhere, |name| Callee::Here(address(name))),
        outermost,
    })
}

#[test]
fn calls_are_told_apart() {
    let bytes = own_file();
    let direct = Verdict::Verified(Evidence::Direct);
    let tail = Verdict::Verified(Evidence::TailCall);
    let other = Verdict::Impossible(Fault::OtherTarget);
    let none = Verdict::Impossible(Fault::NoCall);
    let (call, jump) = (Doubt::IndirectCall, Doubt::IndirectJump);
    for (after, callee, expected) in [
        ("after_leaf", Some("leaf"), direct),
        ("after_leaf", Some("other"), other),
        ("after_leaf", None, other),
        ("after_chain", Some("chain"), direct),
        ("after_chain", Some("tail"), tail),
        ("after_chain", Some("leaf"), tail),
        ("after_chain", Some("other"), other),
        ("after_register", Some("other"), Verdict::Plausible(call)),
        ("after_register", None, Verdict::Plausible(call)),
        ("after_anywhere", Some("other"), Verdict::Plausible(jump)),
        ("after_pushes", Some("other"), Verdict::Plausible(jump)),
        ("after_falls", Some("fallen"), tail),
        ("after_falls", Some("other"), other),
        ("after_local", Some("after_nothing"), direct),
        ("after_nothing", Some("leaf"), none),
        ("leaf", Some("other"), none),
        (
            "sigreturn",
            Some("leaf"),
            Verdict::Verified(Evidence::Planted),
        ),
    ] {
        let claim = verdict(&bytes, after, callee, false);
        assert_eq!(claim, Claim::Judged(expected), "{callee:?} < {after}");
    }
}

#[test]
fn a_new_stack_may_return_into_a_function() {
    let bytes = own_file();
    let claim = verdict(&bytes, "leaf", Some("other"), true);
    assert!(matches!(claim, Claim::Judged(Verdict::Plausible(_))));
}

#[test]
fn imports_are_verified_by_name() {
    let bytes = own_file();
    for (after, name) in [("after_import", "getpid"), ("after_imports", "getppid")] {
        let name = name.as_bytes().to_vec();
        let claim = verdict(&bytes, after, None, false);
        assert_eq!(claim, Claim::Imports(vec![name.clone()]), "{after}");
        let verified = Verdict::Verified(Evidence::Import);
        assert_eq!(claim.settle(&[b"x".to_vec(), name]), verified);
        assert!(matches!(claim.settle(&[]), Verdict::Plausible(_)));
    }
}

#[test]
fn a_library_knows_its_functions_names() {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("it is there");
    let libc = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .find(|path| path.contains("/libc.so") || path.contains("/libc-"))
        .expect("tests link the C library");
    let bytes = std::fs::read(libc).expect("a file");
    let elf = Elf::parse(bytes.as_slice()).expect("a library");
    let symbols = ModuleSymbols::new(&elf, None);
    let module = Module::new(&elf, &symbols);
    let getpid = elf.symbol_address("getpid").expect("exported");
    assert!(module.entry_names(getpid + 1).contains(&b"getpid".to_vec()));
}
