//! Words for what a recording says about its targets.

use seam_capture::{Module, Recording, TargetInfo};
use seam_wire::{SEAM_SAMPLE_GO_TORN, SEAM_SAMPLE_KERNEL_CUT};

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
    let version = go.and_then(|go| go.version.as_deref());
    (
        version.map(|v| v.trim_start_matches("go").to_owned()),
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

/// Sentences about everything that limits the recording.
pub(crate) fn notes(recording: &Recording, kernel_hidden: bool) -> Vec<String> {
    let mut notes = Vec::new();
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

fn go_note(name: &str, go: &seam_capture::GoRuntimeFacts) -> Option<String> {
    let version = go.version.as_deref().unwrap_or("an unknown version");
    if go.offsets.is_none() {
        return Some(format!(
            "{name}: the structures of {version} are not known; stacks end where the runtime \
             changes stacks"
        ));
    }
    (!go.verified).then(|| {
        format!("{name}: the offsets of {version} do not match its code (go-offsets-unverified)")
    })
}
