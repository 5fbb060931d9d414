//! The bugs of Go's own test data: taken from a toolchain that has them, built by any.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::dumped::{self, Key, Waiting};
use super::{Row, seam};
use crate::run::{Run, Running};
use crate::setup::Go;
use crate::{paths, toolchains};

/// Where they are in a toolchain.
const FOLDER: &str = "src/runtime/testdata/testgoroutineleakprofile/goker";
/// Programs that run at once.
const AT_ONCE: usize = 8;
/// In place of their own main function: runs a bug, then prints a dump each second. What they ask
/// the runtime's leak profile is left out.
const MAIN: &str = include_str!("goker_main.go");

/// The sources, ready to be built.
pub(super) struct Bugs {
    folder: PathBuf,
    version: String,
}

impl Bugs {
    /// Takes them from a toolchain.
    pub(super) fn take(go: &Go, version: &str) -> Result<Self> {
        let root = toolchains::go(go, version)?
            .args(["env", "GOROOT"])
            .dir("/")
            .text()?;
        let from = Path::new(root.trim()).join(FOLDER);
        let folder = paths::target().join("leaks");
        fs::create_dir_all(&folder)?;
        let entries = fs::read_dir(&from).with_context(|| format!("reading {}", from.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.extension().is_some_and(|e| e == "go") && name != "main.go" {
                let text = fs::read_to_string(&path)?;
                let mut text = text.replace("pprof.Lookup(\"goroutineleak\")", "leakProfile{}");
                if text.contains("\"runtime/pprof\"") {
                    text.push_str("\n\nvar _ = pprof.Lookup\n");
                }
                fs::write(folder.join(name), text)?;
            }
        }
        fs::write(folder.join("main.go"), MAIN)?;
        fs::write(folder.join("go.mod"), "module seam.test/goker\n\ngo 1.19\n")?;
        let version = version.to_owned();
        Ok(Self { folder, version })
    }

    /// The toolchain that they were taken from.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Builds them; `hard` is position-independent and without symbols.
    pub(super) fn build(&self, go: &Go, version: &str, hard: bool) -> Result<PathBuf> {
        let kind = if hard { "hard" } else { "plain" };
        let binary = self.folder.join(format!("goker-{version}-{kind}"));
        let options: &[&str] = if hard {
            &["-buildmode=pie", "-ldflags=-s -w"]
        } else {
            &[]
        };
        toolchains::go(go, version)?
            .args(["build", "-buildvcs=false"])
            .args(options)
            .arg("-o")
            .arg(&binary)
            .dir(&self.folder)
            .env("GOFLAGS", "")
            .seconds(900)
            .ok()?;
        Ok(binary)
    }
}

/// Runs every bug and looks at each.
pub(super) fn measure(seam: &Path, binary: &Path, build: &str) -> Result<Row> {
    let names = Run::new(binary).text()?;
    let names: Vec<&str> = names.lines().collect();
    if names.len() < 50 {
        bail!("{} has only {} bugs", binary.display(), names.len());
    }
    let mut row = Row {
        build: build.to_owned(),
        ..Row::default()
    };
    for some in names.chunks(AT_ONCE) {
        let mut started = Vec::new();
        for name in some {
            started.push((*name, Run::new(binary).arg(name).quiet().start_piped()?));
        }
        let looked = super::at_once(started, |mut running| look(seam, &mut running));
        for (name, looked) in looked {
            let (waiting, leaks) = looked.with_context(|| format!("looking at {name}"))?;
            count(&mut row, name, &waiting, &leaks);
        }
    }
    Ok(row)
}

/// How groups were put into clusters, where every bug hangs in one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Clusters {
    pub(super) build: String,
    /// Groups with a frame of a bug.
    pub(super) groups: u64,
    /// Pairs of them that are in one cluster, and of these the pairs of one bug.
    pub(super) pairs: u64,
    pub(super) right: u64,
}

/// Lets all bugs hang in one process.
pub(super) fn clusters(seam: &Path, binary: &Path, build: &str) -> Result<Clusters> {
    let names = Run::new(binary).text()?;
    let run = Run::new(binary).args(names.lines()).quiet();
    let mut running = run.start_piped()?;
    let lines = running.lines();
    running.wait_for(&lines, "dumped", Duration::from_secs(180))?;
    let groups = seam::groups(seam, running.pid(), &[])?;
    // Each bug is a file of its own.
    let bug = |group: &seam::Group| {
        let mut files = group.stack.iter().map(|place| place.file.as_str());
        let own = files.rfind(|file| file.contains("/leaks/") && !file.ends_with("/main.go"));
        own.map(str::to_owned)
    };
    let bugs = groups.iter().filter_map(|g| Some((&g.cluster, bug(g)?)));
    let bugs: Vec<(&String, String)> = bugs.collect();
    let mut found = Clusters {
        build: build.to_owned(),
        groups: bugs.len() as u64,
        ..Clusters::default()
    };
    for (at, (cluster, bug)) in bugs.iter().enumerate() {
        let same = bugs[at + 1..].iter().filter(|(other, _)| other == cluster);
        for (_, other) in same {
            found.pairs += 1;
            found.right += u64::from(other == bug);
        }
    }
    Ok(found)
}

/// What seam says of a program, and what its runtime says afterwards.
fn look(seam: &Path, running: &mut Running) -> Result<(BTreeMap<Key, Waiting>, Vec<seam::Leak>)> {
    let lines = running.lines();
    let wait = Duration::from_secs(60);
    running.wait_for(&lines, "dumped", wait)?;
    let leaks = seam::leaks(seam::groups(seam, running.pid(), &[])?);
    // Dumps that were printed meanwhile, and then one that was begun afterwards.
    while lines.try_recv().is_ok() {}
    running.wait_for(&lines, "dumped", wait)?;
    let mut dump = String::new();
    loop {
        let line = lines.recv_timeout(wait).context("the program's dump")?;
        if line == "dumped" {
            break;
        }
        dump += &line;
        dump.push('\n');
    }
    Ok((dumped::waiting(&dump), leaks))
}

fn count(row: &mut Row, name: &str, truth: &BTreeMap<Key, Waiting>, leaks: &[seam::Leak]) {
    let leaked: u64 = truth.values().map(|w| w.count).sum();
    let mut right = 0;
    for (key, waiting) in truth {
        let of_key: u64 = leaks
            .iter()
            .filter(|l| l.key == *key)
            .map(|l| l.count)
            .sum();
        right += of_key.min(waiting.count);
    }
    let called: u64 = leaks.iter().map(|l| l.count).sum();
    for leak in leaks {
        let Some(waiting) = truth.get(&leak.key) else {
            continue;
        };
        row.groups += 1;
        row.classed += u64::from(fits(&waiting.state, &leak.cause));
    }
    row.leaked += leaked;
    row.right += right;
    row.wrong += called.saturating_sub(right);
    if leaked == 0 {
        row.sound += 1;
        row.flagged += u64::from(called > 0);
    } else {
        row.shown += 1;
        row.found += u64::from(right > 0);
    }
    if right == 0 && leaked > 0 {
        row.misses.push(format!("{name}: not found"));
    } else if called > right {
        row.misses
            .push(format!("{name}: {} too many", called - right));
    }
}

/// Whether a cause class is one of those that a wait reason allows.
fn fits(state: &str, cause: &str) -> bool {
    let allowed: &[&str] = match state {
        "chan send" => &["send-no-partner"],
        "chan receive" => &["receive-no-partner", "context-never-cancelled"],
        "select" => &[
            "receive-no-partner",
            "send-no-partner",
            "context-never-cancelled",
        ],
        "chan receive (nil chan)" | "chan send (nil chan)" | "select (no cases)" => {
            &["nil-channel"]
        }
        "sync.Mutex.Lock" | "sync.RWMutex.Lock" | "sync.RWMutex.RLock" => &["lock-never-released"],
        "sync.WaitGroup.Wait" => &["waitgroup-never-done"],
        "semacquire" => &["waitgroup-never-done", "lock-never-released"],
        "sync.Cond.Wait" => &["cond-never-signalled"],
        _ => &[],
    };
    allowed.contains(&cause)
}
