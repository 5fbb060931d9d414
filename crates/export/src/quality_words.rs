//! Quality in words, for the page and the text summary alike.
//!
//! Owns which figures are shown and when one is cause for doubt. Figures as such are the model's.

use seam_profile::Profile;

use crate::names::{library_name, printable};
use crate::numbers::{percent, thousands};

/// Label of the share of whole stacks.
pub(crate) const WHOLE_LABEL: &str = "whole stacks";
/// Shares of whole stacks, in tenths of a percent, below which a recording is doubtful or bad.
const WHOLE_GOOD: u64 = 995;
const WHOLE_FAIR: u64 = 950;
/// Share of CPU time, in percent, that samples may fail to account for before it is a warning.
const GAP_WARN_PERCENT: u64 = 5;

/// How good a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Plain,
    Good,
    Warn,
    Bad,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    /// What it is, for the page.
    pub(crate) label: &'static str,
    /// Its value.
    pub(crate) value: String,
    /// Its value in a phrase of its own, for text.
    pub(crate) phrase: String,
    /// What to know about it, may be empty.
    pub(crate) note: String,
    pub(crate) level: Level,
}

/// The figures in the order they are shown.
pub(crate) fn figures(profile: &Profile) -> Vec<Figure> {
    let mut figures = vec![samples(profile), whole(profile), lost(profile)];
    figures.extend(guessed(profile));
    figures.extend(impossible(profile));
    figures.extend(unnamed(profile));
    figures.extend(gap(profile));
    figures
}

fn samples(profile: &Profile) -> Figure {
    let value = thousands(profile.quality().samples);
    let phrase = format!("{value} samples");
    Figure {
        label: "samples",
        value,
        phrase,
        note: String::new(),
        level: Level::Plain,
    }
}

fn whole(profile: &Profile) -> Figure {
    let quality = profile.quality();
    let tenths = (quality.rooted * 1000).checked_div(quality.samples);
    let level = match tenths {
        Some(WHOLE_GOOD..) => Level::Good,
        Some(WHOLE_FAIR..) => Level::Warn,
        Some(_) => Level::Bad,
        None => Level::Plain,
    };
    let broken = quality.end_reasons.iter().find(|row| !row.reason.root);
    let note = broken.map_or(String::new(), |row| {
        format!(
            "{}: {}",
            thousands(row.samples),
            printable(&row.reason.sentence)
        )
    });
    let value = percent(quality.rooted, quality.samples);
    Figure {
        label: WHOLE_LABEL,
        phrase: format!("{value} whole"),
        value,
        note,
        level,
    }
}

/// Stacks that rest on less than unwind information, whole or not.
fn guessed(profile: &Profile) -> Option<Figure> {
    let quality = profile.quality();
    let (guessed, chained) = (quality.guessed, quality.frame_pointers);
    if guessed + chained == 0 {
        return None;
    }
    let value = percent(guessed, quality.samples);
    let note = match chained {
        0 => String::new(),
        n => format!("{} by frame pointers", percent(n, quality.samples)),
    };
    let level = match guessed * 200 > quality.samples {
        true => Level::Warn,
        false => Level::Plain,
    };
    Some(Figure {
        label: "guessed return addresses",
        phrase: format!("{value} guessed"),
        value,
        note,
        level,
    })
}

fn lost(profile: &Profile) -> Figure {
    let told = &profile.quality().told;
    let lost = profile.quality().lost();
    let mut notes = Vec::new();
    if told.table_not_ready > 0 {
        notes.push(format!(
            "{} before tables were ready",
            thousands(told.table_not_ready)
        ));
    }
    if told.lost_elsewhere > 0 {
        notes.push(format!(
            "{} before they reached seam",
            thousands(told.lost_elsewhere)
        ));
    }
    let value = thousands(lost);
    let level = if lost == 0 { Level::Plain } else { Level::Warn };
    Figure {
        label: "lost",
        phrase: format!("{value} lost"),
        value,
        note: notes.join(", "),
        level,
    }
}

fn unnamed(profile: &Profile) -> Option<Figure> {
    let missed = &profile.quality().unsymbolized;
    let first = missed.modules.first()?;
    let name = printable(library_name(&first.module));
    let note = match (name.is_empty(), has_symbols(profile, &first.module)) {
        (true, _) => "code outside any file".to_owned(),
        (_, true) => format!("most in {name}"),
        (_, false) => format!("{name}: no symbols"),
    };
    // Of frames, not of samples: one unnamed libc frame under every thread's root would make all
    // samples look lost.
    let value = percent(missed.frames, missed.frames_all);
    let phrase = format!("{value} of frames without a name");
    let level = if missed.frames * 50 > missed.frames_all {
        Level::Warn
    } else {
        Level::Plain
    };
    Some(Figure {
        label: "frames without a name",
        value,
        phrase,
        note,
        level,
    })
}

/// Whether any function of the module has a name.
fn has_symbols(profile: &Profile, module: &str) -> bool {
    profile.functions().iter().any(|(_, function)| {
        let home = function
            .module
            .map(|module| profile.modules().get(module).name);
        function.is_named() && home.is_some_and(|name| profile.text(name) == module)
    })
}

/// CPU time that no sample stands for: samples lost where no counter sees it.
fn gap(profile: &Profile) -> Option<Figure> {
    let time = profile.quality().cpu_time;
    let targets_ns = time.targets_ns.filter(|ns| *ns > 0)?;
    let gap = time.gap_ns()?;
    let doubtful =
        gap.unsigned_abs().saturating_mul(100) >= targets_ns.saturating_mul(GAP_WARN_PERCENT);
    let value = percent(gap.unsigned_abs(), targets_ns);
    let (label, phrase) = if gap > 0 {
        (
            "CPU time not sampled",
            format!("{value} of CPU time not sampled"),
        )
    } else {
        (
            "sampled beyond CPU time",
            format!("{value} sampled beyond CPU time"),
        )
    };
    Some(Figure {
        label,
        value,
        phrase,
        note: String::new(),
        level: if doubtful { Level::Warn } else { Level::Plain },
    })
}

/// Calls in stacks that the code contradicts: the stacks that hold them are wrong.
fn impossible(profile: &Profile) -> Option<Figure> {
    let edges = profile.quality().told.edges?;
    let checked = edges.checked();
    if checked == 0 {
        return None;
    }
    let value = thousands(edges.impossible);
    let (level, note) = match edges.impossible {
        0 => (Level::Plain, String::new()),
        n => (Level::Bad, format!("{} of calls", percent(n, checked))),
    };
    Some(Figure {
        label: "impossible calls",
        phrase: match edges.impossible {
            1 => "1 impossible call".to_owned(),
            _ => format!("{value} impossible calls"),
        },
        value,
        note,
        level,
    })
}
