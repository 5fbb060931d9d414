//! Folding of plumbing, one stack at a time.

use proptest::prelude::*;
use seam_profile::fixtures::scrambled;
use seam_profile::{Profile, StackFrame};

use super::profile;
use crate::{Direction, FoldedFrame, FoldedStack, Folder};

const CALL: &str =
    "go:main._Cfunc_f go:runtime.cgocall go:runtime.asmcgocall.abi0 _cgo_0123abcd_Cfunc_f";
const BACK: &str = "F crosscall2 go:runtime.cgocallback go:runtime.cgocallbackg \
    go:runtime.cgocallbackg1 go:_cgoexp_0123abcd_F";

/// The folded stack as words: names, and edges as `call→f` with their depth.
fn folded(profile: &Profile, stack: usize) -> String {
    let folder = Folder::new(profile);
    let (id, _) = profile.stack_weights()[stack];
    let mut frames = Vec::new();
    profile.frames_root_to_leaf(id, &mut frames);
    let mut into = FoldedStack::default();
    folder.fold(&frames, &mut into);
    let words = into.folded.iter().map(|(frame, depth)| match frame {
        FoldedFrame::Plain(StackFrame::Frame { frame, .. }) => profile
            .text(profile.frame_function(*frame).1.name)
            .to_owned(),
        FoldedFrame::Plain(StackFrame::Elided { .. }) => "…".to_owned(),
        FoldedFrame::Edge(edge) => {
            let word = if edge.direction == Direction::Call {
                "call"
            } else {
                "back"
            };
            format!("{word}{depth}→{}", folder.label(edge.callee))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn check(stack: &str, expected: &str) {
    assert_eq!(folded(&profile(&[(1, stack)]), 0), expected);
}

#[test]
fn a_call_becomes_one_edge() {
    check(&format!("go:main.main {CALL} f g"), "main.main call1→f f g");
}

#[test]
fn a_callback_becomes_one_edge() {
    check(
        &format!("go:main.main {CALL} f {BACK} go:main.F go:main.g"),
        "main.main call1→f f back2→main.F main.F main.g",
    );
}

#[test]
fn an_abi_wrapper_is_part_of_its_edge() {
    let wrapped = BACK.replace(
        "go:runtime.cgocallbackg ",
        "go:runtime.cgocallbackg go:runtime.cgocallbackg ",
    );
    check(
        &format!("go:main.main {CALL} f {wrapped} go:main.F"),
        "main.main call1→f f back2→main.F main.F",
    );
}

#[test]
fn nested_crossings_count_their_depth() {
    check(
        &format!("go:main.main {CALL} f {BACK} go:main.F {CALL} f k:entry k:read"),
        "main.main call1→f f back2→main.F main.F call3→f f entry read",
    );
}

#[test]
fn a_sample_inside_the_plumbing_keeps_the_edge() {
    check(
        "go:main.main go:main._Cfunc_f go:runtime.cgocall",
        "main.main call1→f",
    );
    check("go:main.main go:runtime.cgocall", "main.main call1→");
    check("pump F crosscall2 go:runtime.cgocallback", "pump back1→F");
}

#[test]
fn samples_of_one_callback_agree_wherever_they_were_taken() {
    let whole = format!("pump {BACK} go:main.F");
    let profile = profile(&[
        (1, &whole),
        (1, "pump F crosscall2"),
        (1, "pump F crosscall2 k:irq"),
    ]);
    assert_eq!(folded(&profile, 0), "pump back1→main.F");
    assert_eq!(folded(&profile, 1), "pump back1→main.F main.F");
    assert_eq!(folded(&profile, 2), "pump back1→main.F irq");
}

#[test]
fn names_of_c_may_be_missing() {
    check(
        "go:main.main go:main._Cfunc_f go:runtime.cgocall go:runtime.asmcgocall ?a ?b",
        "main.main call1→f ?a ?b",
    );
    check(
        "?pump ?stub crosscall2 go:runtime.cgocallback go:runtime.cgocallbackg \
         go:runtime.cgocallbackg1 go:_cgoexp_0123abcd_F go:main.F",
        "?pump back1→main.F main.F",
    );
}

#[test]
fn an_inlined_stub_does_not_take_its_caller_along() {
    check(
        "pump crosscall2 go:runtime.cgocallback go:_cgoexp_0123abcd_F go:main.F",
        "pump back1→main.F main.F",
    );
}

#[test]
fn stack_switches_inside_a_run_are_part_of_it() {
    check(
        "go:main.main go:main._Cfunc_f go:runtime.cgocall go:runtime.systemstack \
         go:runtime.asmcgocall f",
        "main.main call1→f f",
    );
    check(
        "F crosscall2 go:runtime.cgocallback go:runtime.cgocallbackg go:runtime.cgocallbackg1 \
         go:runtime.deferreturn go:_cgoexp_0123abcd_F go:main.F",
        "back1→main.F main.F",
    );
}

#[test]
fn work_of_the_runtime_after_the_call_stays_visible() {
    check(
        "go:main.main go:main._Cfunc_f go:runtime.cgocall go:runtime.exitsyscall go:runtime.lock",
        "main.main call1→f runtime.exitsyscall runtime.lock",
    );
    check(
        "go:main.main go:main._Cfunc_f go:runtime.cgocall go:runtime.exitsyscall go:runtime.startm \
         go:runtime.newm go:runtime.newm1 go:runtime.asmcgocall x_cgo_thread_start",
        "main.main call1→f runtime.exitsyscall runtime.startm runtime.newm runtime.newm1 \
         call2→x_cgo_thread_start x_cgo_thread_start",
    );
}

#[test]
fn two_calls_in_a_row_are_two_edges() {
    check(
        "go:main._Cfunc_f go:runtime.cgocall go:main._Cfunc_f go:runtime.cgocall",
        "call1→f call2→f",
    );
}

#[test]
fn inlined_plumbing_folds_too() {
    check(
        "go:main.main +go:main._Cfunc_f go:runtime.cgocall go:runtime.asmcgocall f",
        "main.main call1→f f",
    );
}

#[test]
fn c_malloc_reads_as_malloc() {
    check(
        "go:main.main go:main._Cfunc_CString go:main._Cfunc__CMalloc go:runtime.cgocall \
         go:runtime.asmcgocall _cgo_0123abcd_Cfunc__Cmalloc malloc",
        "main.main main._Cfunc_CString call1→malloc malloc",
    );
}

#[test]
fn a_cut_ends_a_run() {
    check(
        "go:main._Cfunc_f … go:runtime.asmcgocall f",
        "call1→f … call2→f f",
    );
}

proptest! {
    #[test]
    fn nothing_is_lost(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
        let profile = scrambled(&bytes);
        let folder = Folder::new(&profile);
        let (mut frames, mut into) = (Vec::new(), FoldedStack::default());
        for (id, _) in profile.stack_weights() {
            profile.frames_root_to_leaf(id, &mut frames);
            folder.fold(&frames, &mut into);
            let full: Vec<_> = into.full.iter().map(|full| full.frame).collect();
            prop_assert_eq!(&full, &frames);
            let plain = into.folded.iter().filter_map(|(frame, _)| match frame {
                FoldedFrame::Plain(frame) => Some(*frame),
                FoldedFrame::Edge(_) => None,
            });
            let kept = into.full.iter().filter(|full| full.plumbing.is_none());
            prop_assert_eq!(plain.collect::<Vec<_>>(), kept.map(|f| f.frame).collect::<Vec<_>>());
            let depths: Vec<_> = into.folded.iter().map(|(_, depth)| *depth).collect();
            prop_assert!(depths.is_sorted());
        }
    }
}
