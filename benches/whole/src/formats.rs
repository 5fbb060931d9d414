//! What profilers write, as stacks in one form, and as times of samples where they are written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use seam_e2e::page::Page;
use seam_e2e::pprof::{Frame, Pprof, Stack};

use crate::{folded, perf, samply};

/// Marks a stack whose C part the format leaves out.
pub(crate) const LACKS_C: &str = "lacks C";

/// A sample's thread and time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    pub(crate) thread: String,
    pub(crate) ns: f64,
}

/// A file format, by the profiler that writes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Format {
    /// pprof by seam; a page by seam for times.
    Seam,
    /// What `perf script` prints.
    Perf,
    /// Firefox's profile format with samply's file of symbols beside it.
    Samply,
    /// pprof by Go's runtime.
    Go,
    /// Folded stacks.
    Folded,
}

impl Format {
    pub(crate) fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "seam" => Format::Seam,
            "perf" => Format::Perf,
            "samply" => Format::Samply,
            "go" => Format::Go,
            "folded" => Format::Folded,
            other => bail!("{other} is no format"),
        })
    }

    pub(crate) fn stacks(self, path: &Path) -> Result<Vec<Stack>> {
        Ok(match self {
            Format::Seam => Pprof::read(path).stacks,
            Format::Perf => perf::stacks(&fs::read(path)?),
            Format::Samply => samply::Recording::open(path)?.stacks()?,
            Format::Go => Pprof::read(path).stacks.into_iter().map(by_go).collect(),
            Format::Folded => folded::stacks(&fs::read_to_string(path)?)?,
        })
    }

    pub(crate) fn times(self, path: &Path) -> Result<Vec<Moment>> {
        Ok(match self {
            Format::Seam => of_page(&Page::of(&fs::read_to_string(path)?)),
            Format::Perf => perf::times(&fs::read(path)?),
            Format::Samply => samply::Recording::open(path)?.times(),
            Format::Go | Format::Folded => bail!("there are no times in it"),
        })
    }
}

/// A stack of names and modules, outermost first.
pub(crate) fn stack(frames: Vec<(String, String)>, count: i64) -> Stack {
    let frame = |(name, module): (String, String)| Frame {
        system_name: name.clone(),
        name,
        file: String::new(),
        line: 0,
        module,
        inlined: false,
    };
    Stack {
        frames: frames.into_iter().map(frame).collect(),
        count,
        nanoseconds: 0,
        numbers: BTreeMap::new(),
        texts: BTreeMap::new(),
    }
}

/// Go's profiles leave `runtime.goexit` out of every stack, so it is taken as there. They show time
/// in C as time in the function that calls it.
fn by_go(mut found: Stack) -> Stack {
    let last = found.frames.last();
    if last.is_some_and(|leaf| leaf.name == "runtime.cgocall") {
        found.texts.insert(LACKS_C.to_owned(), String::new());
    }
    let root = stack(vec![("runtime.goexit".to_owned(), String::new())], 0).frames;
    found.frames.splice(0..0, root);
    found
}

fn of_page(page: &Page) -> Vec<Moment> {
    let step = page.header["time_step_ns"].as_f64().unwrap_or(1.0);
    let mut now = 0;
    let steps = page.varints("sm_time").into_iter().map(|step| {
        now += step;
        now
    });
    let threads = page.varints("sm_thread");
    let row = |(thread, now): (u64, u64)| Moment {
        thread: thread.to_string(),
        ns: now as f64 * step,
    };
    threads.into_iter().zip(steps).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_shows_no_c() {
        let names = |names: &[&str]| {
            let frames = names.iter().map(|name| ((*name).to_owned(), String::new()));
            by_go(stack(frames.collect(), 1))
        };
        let inside = names(&["main.f", "main._Cfunc_g", "runtime.cgocall"]);
        assert_eq!(inside.frames[0].name, "runtime.goexit");
        assert!(inside.texts.contains_key(LACKS_C));
        let outside = names(&["main.f", "runtime.cgocall", "runtime.exitsyscall"]);
        assert!(!outside.texts.contains_key(LACKS_C));
    }

    #[test]
    fn unknown_formats_are_refused() {
        assert!(Format::parse("svg").is_err());
        assert!(Format::Go.times(Path::new("x")).is_err());
    }
}
