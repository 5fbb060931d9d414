//! The profilers, the commands that they are run by, and what they leave.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::peer::Peer;
use super::place::Place;
use crate::bench::tools::{Target, perf_script};
use crate::run::Run;

/// Samples a second, for all but Go's own profiler.
pub(super) const RATE: u32 = 499;
/// Room for a profiler that is slow to start, seconds.
const SLACK: u64 = 60;

/// Who records.
#[derive(Clone, PartialEq)]
pub(super) enum Profiler {
    Seam,
    PerfFp,
    PerfDwarf,
    Go,
    Samply,
    Peer(Peer),
}

/// How a program is started.
pub(super) struct Program<'p> {
    pub(super) file: &'p Path,
    /// The same with Go's profiler in it; none has no Go.
    pub(super) profiled: Option<&'p Path>,
    /// Behind the seconds.
    pub(super) arguments: &'p [&'p str],
}

impl Profiler {
    pub(super) fn name(&self) -> String {
        match self {
            Profiler::Seam => "seam".to_owned(),
            Profiler::PerfFp => "`perf record -g`".to_owned(),
            Profiler::PerfDwarf => "`perf record --call-graph dwarf`".to_owned(),
            Profiler::Go => "Go's `runtime/pprof`".to_owned(),
            Profiler::Samply => "samply".to_owned(),
            Profiler::Peer(peer) => peer.name.clone(),
        }
    }

    /// The judge's word for what it leaves.
    pub(super) fn format(&self) -> &'static str {
        match self {
            Profiler::Seam => "seam",
            Profiler::PerfFp | Profiler::PerfDwarf => "perf",
            Profiler::Go => "go",
            Profiler::Samply => "samply",
            Profiler::Peer(_) => "folded",
        }
    }

    /// The file that holds the times of samples, if it leaves any.
    pub(super) fn times(&self, place: &Place) -> Option<PathBuf> {
        match self {
            Profiler::Seam => Some(place.file("x.html")),
            Profiler::PerfFp | Profiler::PerfDwarf | Profiler::Samply => Some(self.output(place)),
            Profiler::Go | Profiler::Peer(_) => None,
        }
    }

    /// The file that holds the stacks.
    pub(super) fn output(&self, place: &Place) -> PathBuf {
        place.file(match self {
            Profiler::Seam => "x.pb.gz",
            Profiler::PerfFp => "fp.script",
            Profiler::PerfDwarf => "dwarf.script",
            Profiler::Go => "go.pprof",
            Profiler::Samply => "x.json.gz",
            Profiler::Peer(_) => "peer/stacks.folded",
        })
    }

    /// The command that attaches to a process; none where the program profiles itself.
    pub(super) fn command(&self, place: &Place, pid: &str, seconds: u64) -> Result<Vec<String>> {
        let (rate, time) = (RATE.to_string(), seconds.to_string());
        let path = |file: &str| place.file(file).display().to_string();
        let mut words: Vec<String> = match self {
            Profiler::Seam => vec![place.seam.display().to_string()],
            Profiler::PerfFp | Profiler::PerfDwarf => vec!["perf".to_owned()],
            Profiler::Samply => samply_words(place, &time)?,
            Profiler::Go => Vec::new(),
            Profiler::Peer(peer) => vec![peer.path.display().to_string()],
        };
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        let perf = ["record", "-q", "-e", "cpu-clock", "-F", &rate];
        match self {
            Profiler::Seam => {
                add(&["record", "-q", "-p", pid, "-r", &rate, "-d"]);
                add(&[&format!("{time}s"), "-o", &path("x.pb.gz")]);
                add(&["-o", &path("x.html"), "-o", &path("x.json")]);
            }
            Profiler::PerfFp => {
                add(&perf);
                add(&[
                    "-g",
                    "-o",
                    &path("fp.data"),
                    "-p",
                    pid,
                    "--",
                    "sleep",
                    &time,
                ]);
            }
            Profiler::PerfDwarf => {
                add(&perf);
                add(&["--call-graph", "dwarf", "-o", &path("dwarf.data"), "-p"]);
                add(&[pid, "--", "sleep", &time]);
            }
            Profiler::Samply => {
                add(&["record", "--save-only", "--unstable-presymbolicate", "-r"]);
                add(&[&rate, "-o", &path("x.json.gz"), "-p", pid]);
            }
            Profiler::Go => {}
            Profiler::Peer(_) => add(&[pid, &time, &path("peer"), &rate]),
        }
        Ok(words)
    }

    /// Records a program, leaving the file of stacks.
    pub(super) fn record(&self, place: &Place, program: &Program<'_>, seconds: u64) -> Result<()> {
        let output = self.output(place);
        // What an earlier recording has left must not be taken for this one's.
        let _ = std::fs::remove_file(&output);
        if *self == Profiler::Go {
            return by_go(program, seconds, &output);
        }
        if let Profiler::Peer(_) = self {
            std::fs::create_dir_all(place.file("peer"))?;
        }
        let life = (seconds + SLACK).to_string();
        let run = Run::new(program.file).arg(life).args(program.arguments);
        let target = Target::start(run, "start ns=")?;
        let words = self.command(place, &target.pid, seconds)?;
        let run = Run::new(&words[0]).args(&words[1..]);
        let errors = place.file("errors");
        let run = run.seconds(seconds + SLACK).errors_to(&errors)?;
        run.text().with_context(|| last_line(&errors))?;
        drop(target);
        match self {
            Profiler::PerfFp => perf_script(&place.file("fp.data"), &output),
            Profiler::PerfDwarf => perf_script(&place.file("dwarf.data"), &output),
            _ => Ok(()),
        }
    }
}

/// What a profiler said last before it failed.
fn last_line(errors: &Path) -> String {
    let bytes = std::fs::read(errors).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let said = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    said.unwrap_or("it said nothing").to_owned()
}

/// samply has no end when it is given a process. In virtual machines without the processor's
/// counters it takes a missing event for a missing permission and gives up where
/// `perf_event_paranoid` is 2, also as root: it gets to read a 1 in a mount namespace of its own.
fn samply_words(place: &Place, time: &str) -> Result<Vec<String>> {
    let samply = place.samply.as_ref().map_err(|why| anyhow!(why.clone()))?;
    let script = "mount --bind \"$0\" /proc/sys/kernel/perf_event_paranoid && exec \"$@\"";
    let one = place.file("one");
    std::fs::write(&one, "1\n")?;
    // A second signal, as timeout sends it to a group, would end samply before it has written.
    let once = ["--foreground", "--preserve-status"];
    let timeout = ["timeout", once[0], once[1], "-s", "INT", time];
    let inside = ["unshare", "--mount", "sh", "-c", script];
    let mut words: Vec<String> = timeout
        .iter()
        .chain(&inside)
        .map(|&w| w.to_owned())
        .collect();
    words.extend([one.display().to_string(), samply.display().to_string()]);
    Ok(words)
}

/// Go profiles itself, so the program is built and run for it.
fn by_go(program: &Program<'_>, seconds: u64, profile: &Path) -> Result<()> {
    let Some(file) = program.profiled else {
        bail!("the program has no Go");
    };
    let text = Run::new(file)
        .arg(seconds.to_string())
        .args(program.arguments)
        .env("SEAM_CPUPROFILE", profile)
        .seconds(seconds + SLACK)
        .text()?;
    if !text.trim_end().ends_with("ok") {
        bail!("the program failed");
    }
    Ok(())
}
