//! The progress line on stderr; nothing when stderr is no terminal or -q was given.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seam_capture::Status;

/// The line.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn start(quiet: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message("reading the target");
        bar.tick();
        Self { bar }
    }

    /// Shows how the recording stands.
    pub(crate) fn recording(&self, elapsed: Duration, of: Option<Duration>, status: Status) {
        let of = match of {
            Some(of) => format!(" of {:.0} s", of.as_secs_f64()),
            None => " (Ctrl-C finishes)".to_owned(),
        };
        let seconds = elapsed.as_secs_f64();
        self.bar.set_message(format!(
            "recording {seconds:.0} s{of}   {} samples",
            status.samples
        ));
        self.bar.tick();
    }

    /// Shows what is done after the recording.
    pub(crate) fn stage(&self, what: &'static str) {
        self.bar.set_message(what);
        self.bar.tick();
    }

    pub(crate) fn done(self) {
        self.bar.finish_and_clear();
    }
}
