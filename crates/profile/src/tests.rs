//! The model's promises: what goes in comes out, once.

use proptest::prelude::*;

use crate::fixtures::{recording, scrambled, sqlite};
use crate::{
    EndReason, FunctionKind, FunctionSpec, GoContext, LocationFlags, LocationId, MappedRange,
    ModuleKind, ModuleSpec, Profile, ProfileBuilder, QualityInput, Role, SampleFlags, SampleRow,
    StackEnd, StackFrame, StateId, StringId,
};

fn function<'a>(name: &'a str, system_name: &'a str) -> FunctionSpec<'a> {
    FunctionSpec {
        name,
        system_name,
        module: None,
        file: "",
        start_line: 0,
        kind: FunctionKind::C,
        role: Role::None,
    }
}

fn location(builder: &mut ProfileBuilder, address: u64) -> LocationId {
    let function = builder.intern_function(function("f", "f"));
    let frame = builder.intern_frame(function, 1);
    builder.intern_location(address, None, LocationFlags::NONE, &[frame])
}

fn finish(builder: ProfileBuilder, told: QualityInput) -> Profile {
    let root = EndReason {
        code: 1,
        name: "go-root".into(),
        root: true,
        ..EndReason::default()
    };
    builder.finish(recording(), &[root], told, None)
}

fn row(builder: &mut ProfileBuilder) -> SampleRow {
    SampleRow {
        time_ns: 5,
        weight: 1,
        stack: None,
        thread: builder.intern_thread(1, 2, "t"),
        cpu: 3,
        go: GoContext::NONE,
        flags: SampleFlags::NONE,
        end: StackEnd {
            reason: 1,
            elided_frames: 0,
        },
    }
}

#[test]
fn the_empty_string_is_row_zero() {
    let mut builder = ProfileBuilder::new();
    assert_eq!(builder.intern_string("a").raw(), 1);
    assert_eq!(builder.intern_string(""), StringId::EMPTY);
    assert_eq!(builder.strings().iter().collect::<Vec<_>>(), ["", "a"]);
}

#[test]
fn equal_rows_are_kept_once() {
    let mut builder = ProfileBuilder::new();
    let spec = ModuleSpec {
        path: "/a",
        name: "a",
        build_id: "00",
        kind: ModuleKind::Executable,
    };
    let module = builder.intern_module(spec);
    assert_eq!(builder.intern_module(spec), module);
    let range = MappedRange {
        start: 1,
        end: 9,
        file_offset: 0,
    };
    builder.add_range(module, range);
    builder.add_range(module, range);
    builder.add_range(
        module,
        MappedRange {
            start: 9,
            end: 9,
            file_offset: 0,
        },
    );
    let one = location(&mut builder, 1);
    assert_eq!(location(&mut builder, 1), one);
    assert_ne!(location(&mut builder, 2), one);
    assert_eq!(
        builder.find_location(1, None, LocationFlags::NONE),
        Some(one)
    );
    assert_eq!(
        builder.find_location(1, None, LocationFlags::EXACT_PC),
        None
    );
    let profile = finish(builder, QualityInput::default());
    assert_eq!(profile.modules().get(module).ranges, [range]);
    assert_eq!((profile.functions().len(), profile.frames().len()), (1, 1));
}

#[test]
fn stacks_share_their_callers() {
    let mut builder = ProfileBuilder::new();
    let [a, b, c] = [1, 2, 3].map(|address| location(&mut builder, address));
    let deep = builder.intern_stack(&[c, b, a]).expect("not empty");
    let side = builder.intern_stack(&[c, a]).expect("not empty");
    assert_eq!(builder.intern_stack(&[]), None);
    let profile = finish(builder, QualityInput::default());
    let stacks = profile.stacks();
    assert_eq!(stacks.len(), 4);
    assert_eq!(stacks.leaf_to_root(deep).collect::<Vec<_>>(), [c, b, a]);
    let mut buffer = vec![a];
    stacks.root_to_leaf(side, &mut buffer);
    assert_eq!(buffer, [a, c]);
    assert_eq!(
        stacks.parent(side),
        stacks.parent(deep).and_then(|caller| stacks.parent(caller))
    );
}

#[test]
fn inlined_frames_follow_what_they_were_inlined_into() {
    let mut builder = ProfileBuilder::new();
    let [inner, outer] = ["inner", "outer"].map(|name| {
        let function = builder.intern_function(function(name, name));
        builder.intern_frame(function, 7)
    });
    let at = builder.intern_location(8, None, LocationFlags::NONE, &[inner, outer]);
    let cut = builder.intern_elision(40);
    let stack = builder.intern_stack(&[at, cut]).expect("not empty");
    let profile = finish(builder, QualityInput::default());
    let expected = [
        StackFrame::Elided { frames: 40 },
        StackFrame::Frame {
            frame: outer,
            location: at,
            inlined: false,
        },
        StackFrame::Frame {
            frame: inner,
            location: at,
            inlined: true,
        },
    ];
    let mut frames = Vec::new();
    profile.frames_root_to_leaf(stack, &mut frames);
    assert_eq!(frames, expected);
    frames.reverse();
    assert_eq!(profile.frames_leaf_to_root(stack), frames);
}

#[test]
fn a_return_address_is_looked_up_inside_the_call() {
    let mut builder = ProfileBuilder::new();
    let call = location(&mut builder, 0x10);
    let frame = builder.intern_function(function("g", "g"));
    let frame = builder.intern_frame(frame, 0);
    let leaf = builder.intern_location(0x10, None, LocationFlags::EXACT_PC, &[frame]);
    let profile = finish(builder, QualityInput::default());
    assert_eq!(profile.locations().get(call).lookup_address(), 0xf);
    assert_eq!(profile.locations().get(leaf).lookup_address(), 0x10);
}

#[test]
fn samples_come_back_as_they_were_added() {
    let mut builder = ProfileBuilder::new();
    let mut first = row(&mut builder);
    first.stack = Some({
        let leaf = location(&mut builder, 9);
        builder.intern_child(None, leaf)
    });
    first.go = GoContext {
        goid: 7,
        m: Some(0),
        p: None,
        state: builder.intern_state("running"),
        start_function: None,
        labels: builder.intern_labels(&[("path", "/"), ("user", "x")]),
    };
    first.weight = 4;
    let second = row(&mut builder);
    builder.add_sample(first);
    builder.add_sample(second);
    let profile = finish(builder, QualityInput::default());
    assert_eq!(
        profile.samples().iter().collect::<Vec<_>>(),
        [first, second]
    );
    assert_eq!(profile.state_name(first.go.state), "running");
    assert_eq!(profile.state_name(StateId::NONE), "");
    assert_eq!(
        profile.stack_weights(),
        [(first.stack.expect("set above"), 4)]
    );
    assert_eq!(
        (profile.samples().weight_sum(), profile.stackless_weight()),
        (5, 1)
    );
}

#[test]
fn a_later_thread_name_replaces_an_earlier_one() {
    let mut builder = ProfileBuilder::new();
    let thread = builder.intern_thread(1, 2, "");
    assert_eq!(builder.intern_thread(1, 2, "pump"), thread);
    builder.intern_thread(1, 2, "");
    let profile = finish(builder, QualityInput::default());
    assert_eq!(profile.text(profile.threads().get(thread).name), "pump");
}

#[test]
fn the_257th_state_is_no_state() {
    let mut builder = ProfileBuilder::new();
    let ids: Vec<_> = (0..300)
        .map(|number| builder.intern_state(&number.to_string()))
        .collect();
    assert_eq!(ids[254].raw(), 255);
    assert_eq!(ids[255], StateId::NONE);
    assert_eq!(builder.intern_state("3"), ids[3]);
}

#[test]
fn unknown_end_codes_count_as_not_whole() {
    let mut builder = ProfileBuilder::new();
    let good = row(&mut builder);
    let bad = SampleRow {
        end: StackEnd {
            reason: 77,
            elided_frames: 0,
        },
        weight: 3,
        ..good
    };
    builder.add_sample(good);
    builder.add_sample(bad);
    let told = QualityInput {
        targets_cpu_ns: Some(1),
        lost_records: 2,
        ..Default::default()
    };
    let profile = finish(builder, told);
    let quality = profile.quality();
    assert_eq!((quality.samples, quality.rooted, quality.lost()), (4, 1, 2));
    assert_eq!(quality.end_reasons[0].reason.name, "code-77");
    assert_eq!(quality.whole_share(), Some(0.25));
    assert!(quality.cpu_time.gap_ns().is_some_and(|gap| gap < 0));
}

#[test]
fn frames_without_a_symbol_are_counted_by_module() {
    let quality = sqlite().quality().clone();
    assert_eq!(
        (quality.samples, quality.rooted, quality.elided),
        (1874, 1870, 3)
    );
    let missed = &quality.unsymbolized;
    assert_eq!(
        (missed.frames, missed.samples, missed.modules.len()),
        (4, 4, 1)
    );
    assert_eq!(missed.modules[0].module, "libicui18n.so.72");
}

proptest! {
    #[test]
    fn interning_gives_back_every_string(texts in prop::collection::vec(".{0,12}", 0..200)) {
        let mut builder = ProfileBuilder::new();
        let ids: Vec<_> = texts.iter().map(|text| builder.intern_string(text)).collect();
        for (id, text) in ids.iter().zip(&texts) {
            prop_assert_eq!(builder.strings().get(*id), text);
            prop_assert_eq!(builder.intern_string(text), *id);
        }
        let distinct: std::collections::HashSet<&str> = builder.strings().iter().collect();
        prop_assert_eq!(distinct.len(), builder.strings().len());
    }

    #[test]
    fn interning_gives_back_every_stack(
        stacks in prop::collection::vec(prop::collection::vec(0u64..6, 0..12), 0..60)
    ) {
        let mut builder = ProfileBuilder::new();
        let locations: Vec<_> = (0..6).map(|at| location(&mut builder, at)).collect();
        let at = |stack: &Vec<u64>| -> Vec<LocationId> {
            stack.iter().map(|address| locations[*address as usize]).collect()
        };
        let ids: Vec<_> = stacks.iter().map(|stack| builder.intern_stack(&at(stack))).collect();
        let profile = finish(builder, QualityInput::default());
        for (id, stack) in ids.iter().zip(&stacks) {
            let back = id.map_or(Vec::new(), |id| profile.stacks().leaf_to_root(id).collect());
            prop_assert_eq!(back, at(stack));
        }
    }

    #[test]
    fn weights_add_up(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let profile = scrambled(&bytes);
        let on_stacks: u64 = profile.stack_weights().iter().map(|(_, weight)| weight).sum();
        let samples = profile.samples().weight_sum();
        prop_assert_eq!(on_stacks + profile.stackless_weight(), samples);
        let quality = profile.quality();
        prop_assert_eq!(quality.samples, samples);
        let ended: u64 = quality.end_reasons.iter().map(|row| row.samples).sum();
        prop_assert_eq!(ended, samples);
        prop_assert!(quality.unsymbolized.samples <= samples);
    }
}
