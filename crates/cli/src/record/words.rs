//! Words for what a recording says about its targets.

use seam_capture::{Grade, Module, Recording, TargetInfo};
use seam_edges::Fault;
use seam_go::{Field, GoVersion, OffsetsSource, Release, Row};
use seam_profile::EndReason;
use seam_wire::{
    SEAM_END_NOT_PROVEN, SEAM_SAMPLE_GO_TORN, SEAM_SAMPLE_IN_C, SEAM_SAMPLE_KERNEL_CUT,
    SEAM_SAMPLE_LABELS_CUT,
};

use super::edges::{Impossible, Spot};
use super::symbolize::Names;

/// Short facts about a target's executable: cgo, PIE, stripped.
pub(crate) fn build_facts(
    recording: &Recording,
    target: &TargetInfo,
) -> (Option<String>, Vec<String>) {
    let executable = target
        .executable
        .and_then(|n| recording.modules.get(n as usize));
    let Some(executable) = executable else {
        return (None, Vec::new());
    };
    let go = go_of(executable).or_else(|| {
        // Go may be in a library instead (c-shared).
        recording.modules.iter().find_map(|m| go_of(m))
    });
    let mut facts = Vec::new();
    if go.is_some_and(|go| !go.crosscall2.is_empty()) {
        facts.push("cgo".to_owned());
    }
    if executable.position_independent {
        facts.push("PIE".to_owned());
    }
    if !executable.has_symtab {
        facts.push("stripped".to_owned());
    }
    let version = go.and_then(|go| go.version.as_ref());
    (
        version.map(|v| v.text.trim_start_matches("go").to_owned()),
        facts,
    )
}

fn go_of(module: &Module) -> Option<&seam_capture::GoRuntimeFacts> {
    module.table.as_ref().ok()?.go.as_ref()
}

/// The runtime's name for a goroutine's status (runtime/runtime2.go, `_Gidle` and on).
pub(crate) fn go_state(status: u32) -> &'static str {
    match status {
        0 => "idle",
        1 => "runnable",
        2 => "running",
        3 => "syscall",
        4 => "waiting",
        6 => "dead",
        8 => "copystack",
        9 => "preempted",
        // From Go 1.26 on.
        10 => "leaked",
        11 => "deadextra",
        _ => "unknown",
    }
}

/// Every reason for which a walk ends, for the profile.
pub(crate) fn end_reasons() -> Vec<EndReason> {
    let reason = |end: &seam_wire::End| EndReason {
        code: end.code,
        name: end.id.to_owned(),
        sentence: end.sentence.to_owned(),
        root: end.root,
    };
    seam_wire::ends().iter().map(reason).collect()
}

/// The code of a reason by its stable name.
pub(crate) fn end_code(id: &str) -> u8 {
    let ends = seam_wire::ends().iter();
    ends.filter(|end| end.id == id)
        .map(|end| end.code)
        .next()
        .unwrap_or(0)
}

/// Sentences about everything that limits the recording.
pub(crate) fn notes(recording: &Recording, kernel_hidden: bool) -> Vec<String> {
    let mut notes = grade_notes(recording);
    for target in &recording.targets {
        if let Some(why) = &target.packed {
            notes.push(format!("{}: {why}", target.target.name));
        }
    }
    for module in &recording.modules {
        let name = module.name();
        match &module.table {
            Err(why) if module.kind == seam_capture::ModuleKind::File => {
                notes.push(format!("{name}: no unwind table: {why}"));
            }
            Err(_) => {}
            Ok(table) => {
                if let Some(why) = &table.facts.go_error {
                    notes.push(format!("{name}: Go's tables can't be used: {why}"));
                }
                if let Some(why) = &table.facts.cfi_error {
                    notes.push(format!("{name}: unwind information can't be used: {why}"));
                }
                if let Some(go) = &table.go {
                    notes.extend(go_note(name, go));
                }
            }
        }
    }
    let forgotten = recording
        .samples
        .iter()
        .filter(|s| s.header.callbacks_lost > 0)
        .count();
    if forgotten > 0 {
        notes.push(format!(
            "{forgotten} samples are without the C side of a callback: a panic had passed it, and \
             the runtime had forgotten it"
        ));
    }
    let flagged = |flag: u32| {
        let has = |s: &&seam_capture::RawSample| u32::from(s.header.flags) & flag != 0;
        recording.samples.iter().filter(has).count()
    };
    let (torn, cut) = (
        flagged(SEAM_SAMPLE_GO_TORN),
        flagged(SEAM_SAMPLE_KERNEL_CUT),
    );
    let short = flagged(SEAM_SAMPLE_LABELS_CUT);
    if short > 0 {
        notes.push(format!(
            "labels of {short} samples are cut: at most 16, with 63 bytes of key and 127 of value"
        ));
    }
    if torn > 0 {
        notes.push(format!(
            "{torn} samples have no goroutine: the runtime's structures did not fit"
        ));
    }
    if cut > 0 {
        notes.push(format!(
            "{cut} samples have more kernel frames than the 127 that are kept"
        ));
    }
    if kernel_hidden {
        notes.push(
            "kernel functions have no names: /proc/kallsyms hides addresses (kptr_restrict)"
                .to_owned(),
        );
    }
    let lost = recording.counters.sideband_lost;
    if lost > 0 {
        notes.push(format!(
            "{lost} mapping records were lost; mappings were read anew"
        ));
    }
    notes
}

/// What is missing without BPF.
fn grade_notes(recording: &Recording) -> Vec<String> {
    let Grade::Copied {
        why,
        unseen_kernel_ns,
    } = &recording.grade
    else {
        return Vec::new();
    };
    let ends = |end: u32| {
        let so = |s: &&seam_capture::RawSample| u32::from(s.header.end) == end;
        recording.samples.iter().filter(so).count()
    };
    let in_c = |s: &&seam_capture::RawSample| {
        u32::from(s.header.flags) & SEAM_SAMPLE_IN_C != 0 && seam_wire::end(s.header.end).root
    };
    let proven = recording.samples.iter().filter(in_c).count();
    let open = ends(SEAM_END_NOT_PROVEN);
    let mut notes = vec![format!("without BPF: {why}")];
    notes.push(format!(
        "{proven} samples in C are proven to be of the Go call that was found a moment later, \
         {open} samples are not and end there (not-proven); labels and Ps are not known"
    ));
    if let Some(unseen) = unseen_kernel_ns {
        let all: u64 = recording.targets.iter().map(|t| t.cpu_time_ns).sum();
        let seconds = |ns: u64| ns as f64 / 1e9;
        notes.push(format!(
            "time in the kernel is not seen: {:.2} s of {:.2} s of CPU time",
            seconds(*unseen),
            seconds(all)
        ));
    }
    notes
}

/// The commonest edge that the code contradicts.
pub(crate) fn impossible_note(
    recording: &Recording,
    names: &Names,
    impossible: &[Impossible],
) -> Option<String> {
    let worst = impossible.first()?;
    let name = |spot: Spot| {
        let frames = names.frames(spot.module, spot.lookup);
        let module = recording.modules.get(spot.module as usize);
        let file = module.map_or("?", |m| m.name());
        match frames.last() {
            Some(frame) => format!("{} ({file}+{:#x})", frame.name, spot.lookup),
            None => format!("{file}+{:#x}", spot.lookup),
        }
    };
    let callee = worst
        .callee
        .map_or_else(|| "code without a file".to_owned(), name);
    let why = match worst.fault {
        Fault::NoCall => "there is no call",
        Fault::OtherTarget => "the call leads elsewhere",
    };
    let all: u64 = impossible.iter().map(|edge| edge.weight).sum();
    Some(format!(
        "{all} calls in stacks can't be, {} of them from {} to {callee}: {why}",
        worst.weight,
        name(worst.caller),
    ))
}

/// What to know of a Go runtime whose release is not one that seam has a table for.
fn go_note(name: &str, go: &seam_capture::GoRuntimeFacts) -> Option<String> {
    let found = &go.offsets;
    let version = go
        .version
        .as_ref()
        .map_or("an unknown version of Go", |v| &v.text);
    if go.tls.is_none() {
        return Some(format!(
            "{name}: the code of {version} does not show where threads keep their goroutine; \
             stacks end where the runtime changes stacks (go-build-unknown)"
        ));
    }
    if !found.verified {
        return Some(format!(
            "{name}: the code of {version} does not show the runtime's structures; stacks end \
             where the runtime changes stacks (go-offsets-unverified)"
        ));
    }
    let moved: Vec<_> = found.moved.iter().map(Field::to_string).collect();
    let moved = moved.join(", ");
    let how = match found.source {
        OffsetsSource::Table => return None,
        OffsetsSource::Dwarf if moved.is_empty() => {
            "runtime offsets were taken from its DWARF".to_owned()
        }
        OffsetsSource::Dwarf => {
            format!(
                "runtime offsets were taken from its DWARF; its code may use others for {moved}"
            )
        }
        OffsetsSource::Nearest(release) if moved.is_empty() => {
            format!("tried with the offsets of Go {release}, which its code confirms")
        }
        OffsetsSource::Nearest(release) => {
            format!("tried with the offsets of Go {release}; taken from its code: {moved}")
        }
    };
    let version_of =
        |number: fn(&GoVersion) -> Option<Release>| go.version.as_ref().and_then(number);
    let why = if version_of(GoVersion::release).and_then(Row::of).is_some() {
        "which its code contradicts"
    } else if version_of(GoVersion::number) > Some(Row::newest().newest) {
        "newer than this seam knows"
    } else {
        "not a release that this seam knows"
    };
    Some(format!("{name} is built by {version}, {why}: {how}"))
}

#[cfg(test)]
mod tests {
    use seam_go::{Offsets, RuntimeOffsets, TlsOffset};

    use super::*;

    fn note(version: &str, source: OffsetsSource, moved: &[Field], verified: bool) -> String {
        let go = seam_capture::GoRuntimeFacts {
            version: GoVersion::parse(version),
            offsets: RuntimeOffsets {
                offsets: Offsets::default(),
                source,
                moved: moved.to_vec(),
                unconfirmed: Vec::new(),
                verified,
            },
            tls: Some(TlsOffset::Fixed(-8)),
            crosscall2: 0..0,
            settings: Vec::new(),
        };
        go_note("app", &go).unwrap_or_default()
    }

    #[test]
    fn unknown_versions_are_told_with_what_was_done() {
        let nearest = OffsetsSource::Nearest(Release {
            minor: 27,
            patch: 4,
        });
        assert_eq!(note("go1.26.8", OffsetsSource::Table, &[], true), "");
        assert_eq!(
            note("go1.99.1", OffsetsSource::Dwarf, &[], true),
            "app is built by go1.99.1, newer than this seam knows: runtime offsets were taken from \
             its DWARF"
        );
        assert_eq!(
            note("go1.22.9 (Red Hat 1.22.9-1.el9)", nearest, &[], true),
            "app is built by go1.22.9 (Red Hat 1.22.9-1.el9), not a release that this seam knows: \
             tried with the offsets of Go 1.27.4, which its code confirms"
        );
        let moved = [Field::GGoid, Field::GSchedBp];
        let text = note("devel +abcdef", nearest, &moved, true);
        assert!(
            text.ends_with("taken from its code: g.goid, g.sched.bp"),
            "{text}"
        );
        let text = note("go1.24.3", nearest, &moved, true);
        assert!(text.contains("which its code contradicts: tried"), "{text}");
        let text = note("go1.99.1", nearest, &[], false);
        assert!(text.contains("go-offsets-unverified"), "{text}");
    }
}
