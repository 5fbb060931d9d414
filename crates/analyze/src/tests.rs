//! Tests of the analyses, one file per subject; stacks are written as text.

mod classify;
mod edges;
mod fold;
mod hottest;
mod shares;
mod tree;

use seam_profile::fixtures::recording;
use seam_profile::{
    EndReason, FunctionSpec, GoContext, LocationFlags, ModuleKind, ModuleSpec, Profile,
    ProfileBuilder, QualityInput, SampleFlags, SampleRow, StackEnd,
};

use crate::NameOrigin;

/// A profile of stacks written root to leaf, words apart. `go:` means Go's table named the
/// function, `k:` the kernel, `?` no symbol, nothing a C symbol; `@7` is the line; a leading `+`
/// means inlined into the one before; `…` frames not kept.
fn profile(stacks: &[(u32, &str)]) -> Profile {
    let mut builder = ProfileBuilder::new();
    for (weight, text) in stacks {
        let mut stack = None;
        let words: Vec<_> = text.split_whitespace().collect();
        let mut at = 0;
        while at < words.len() {
            let inlined = words[at + 1..]
                .iter()
                .take_while(|word| word.starts_with('+'))
                .count();
            let location = location(&mut builder, &words[at..=at + inlined]);
            stack = Some(builder.intern_child(stack, location));
            at += inlined + 1;
        }
        let thread = builder.intern_thread(1, 1, "t");
        builder.add_sample(SampleRow {
            time_ns: 0,
            weight: *weight,
            stack,
            thread,
            cpu: 0,
            go: GoContext::NONE,
            flags: SampleFlags::NONE,
            end: StackEnd::default(),
        });
    }
    builder.finish(
        recording(),
        &[EndReason::default()],
        QualityInput::default(),
        None,
    )
}

fn location(builder: &mut ProfileBuilder, words: &[&str]) -> seam_profile::LocationId {
    if words[0] == "…" {
        return builder.intern_elision(3);
    }
    let frames: Vec<_> = words
        .iter()
        .rev()
        .map(|word| frame(builder, word))
        .collect();
    let address = frames
        .iter()
        .fold(0u64, |sum, frame| sum * 100 + u64::from(frame.raw()) + 1);
    builder.intern_location(address, None, LocationFlags::NONE, &frames)
}

fn frame(builder: &mut ProfileBuilder, word: &str) -> seam_profile::FrameId {
    let word = word.trim_start_matches('+');
    let (word, line) = word.split_once('@').unwrap_or((word, "0"));
    let (origin, kind, name) = if let Some(name) = word.strip_prefix("go:") {
        (NameOrigin::GoTable, ModuleKind::Executable, name)
    } else if let Some(name) = word.strip_prefix("k:") {
        (NameOrigin::Symbol, ModuleKind::Kernel, name)
    } else if word.starts_with('?') {
        (NameOrigin::Missing, ModuleKind::SharedLibrary, word)
    } else {
        (NameOrigin::Symbol, ModuleKind::Executable, word)
    };
    let module = builder.intern_module(ModuleSpec {
        path: "m",
        name: "m",
        build_id: "",
        kind,
    });
    let (function_kind, role) = crate::classify(name, origin, Some(kind));
    let function = builder.intern_function(FunctionSpec {
        name,
        system_name: if origin == NameOrigin::Missing {
            ""
        } else {
            name
        },
        module: Some(module),
        file: "",
        start_line: 0,
        kind: function_kind,
        role,
    });
    builder.intern_frame(function, line.parse().expect("a line number"))
}
