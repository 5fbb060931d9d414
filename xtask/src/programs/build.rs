//! One program, one Go version, one variant: is it fresh, and if not, build it.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::shape::{Form, Shape};
use super::shaping::{self, Shaping};
use super::truth::{Build, Truth};
use super::{Wanted, harness, home, output, read};
use crate::processor::Processor;
use crate::run::Run;
use crate::setup::Go;
use crate::toolchains;

/// How the executable differs from a plain build.
#[derive(Clone, Copy, Default, Hash)]
pub(crate) struct Variant {
    pub(crate) strip: bool,
    pub(crate) pie: bool,
    /// With Go's own profiler, for comparing.
    pub(crate) profiled: bool,
    /// Another way to build; strip and pie are for the plain one.
    pub(crate) shape: Shape,
    /// For another processor than the machine's.
    pub(crate) processor: Processor,
}

impl Variant {
    fn suffix(self) -> String {
        let pie = if self.pie { "-pie" } else { "" };
        let strip = if self.strip { "-strip" } else { "" };
        let profiled = if self.profiled { "-profiled" } else { "" };
        let shape = match self.shape == Shape::default() {
            true => String::new(),
            false => format!("-as-{}", self.shape.name),
        };
        let processor = match self.processor {
            Processor::X86_64 => "",
            Processor::Arm64 => "-arm64",
        };
        format!("{pie}{strip}{profiled}{shape}{processor}")
    }
}

pub(super) struct Job {
    source: PathBuf,
    build: Build,
    version: String,
    variant: Variant,
    stamp: PathBuf,
    hash: String,
    pub(super) binary: PathBuf,
}

impl Job {
    pub(super) fn new(source: &Path, wanted: &Wanted, variant: Variant) -> Result<Self> {
        let build = match source.join("truth.json").exists() {
            true => Truth::read(source)?.build,
            false => Build {
                kind: "cgo".into(),
                ..Build::default()
            },
        };
        let folder = format!("{}{}", wanted.version, variant.suffix());
        Ok(Job {
            source: source.to_owned(),
            build,
            version: wanted.version.clone(),
            variant,
            // Beside the programs, so that their folders hold nothing but them.
            stamp: output().join(".stamps").join(&folder).join(&wanted.name),
            hash: hash(source, variant)?,
            binary: output().join(folder).join(&wanted.name),
        })
    }

    /// Built before, from the very same sources.
    pub(super) fn fresh(&self) -> bool {
        self.binary.exists() && fs::read_to_string(&self.stamp).is_ok_and(|old| old == self.hash)
    }

    pub(super) fn build(&self, go: &Go) -> Result<()> {
        for path in [&self.binary, &self.stamp] {
            let dir = path.parent().context("a program needs a folder")?;
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        if self.variant.processor != Processor::default() && !self.build.kind.ends_with("go") {
            bail!("{} is built for this machine only", self.source.display());
        }
        if let Some(why) = self.build.too_new(&self.version)? {
            bail!("{} {why}", self.source.display());
        }
        if let Some(why) = self.variant.shape.impossible(&self.build.kind) {
            let (source, name) = (self.source.display(), self.variant.shape.name);
            bail!("{source} as {name}: {why}");
        }
        if self.variant.shape != Shape::default() && self.build.kind.ends_with("go") {
            return self.shaped(go);
        }
        // Moved to its place when done: a copy that still runs keeps its file.
        let fresh = self.stamp.with_extension("new");
        match self.build.kind.as_str() {
            "go" | "cgo" => self.go(go, &fresh)?,
            "c" => self.plain(&shaping::compiler(&self.variant.shape, false)?, &fresh)?,
            "c++" => self.plain(&shaping::compiler(&self.variant.shape, true)?, &fresh)?,
            kind => bail!("{}: unknown kind {kind:?}", self.source.display()),
        }
        if self.variant.strip {
            Run::new("strip").arg("-s").arg(&fresh).ok()?;
        }
        let form = self.variant.shape.form;
        if matches!(form, Form::Stripped | Form::Headless) {
            shaping::strip(&fresh, &shaping::beside(&self.binary, "names"), form)?;
        }
        fs::rename(&fresh, &self.binary)
            .with_context(|| format!("cannot write {}", self.binary.display()))?;
        self.built()
    }

    /// Built in its place: some ways leave more than one file, which find each other there.
    fn shaped(&self, go: &Go) -> Result<()> {
        let shaping = Shaping {
            go,
            shape: self.variant.shape,
            source: &self.source,
            kind: &self.build.kind,
            version: &self.version,
            to: &self.binary,
        };
        shaping.build()?;
        self.built()
    }

    fn built(&self) -> Result<()> {
        fs::write(&self.stamp, &self.hash)
            .with_context(|| format!("cannot write {}", self.stamp.display()))
    }

    fn go(&self, go: &Go, fresh: &Path) -> Result<()> {
        let cgo = if self.build.kind == "cgo" { "1" } else { "0" };
        let mode = if self.variant.pie { "pie" } else { "exe" };
        let tags = if self.variant.profiled {
            "cpuprofile"
        } else {
            ""
        };
        let run = toolchains::go(go, &self.version)?;
        let processor = self.variant.processor;
        processor
            .go(run)
            .args(["build", "-buildvcs=false", "-buildmode", mode])
            .args(["-tags", tags, "-o"])
            .arg(fresh)
            .arg(".")
            .dir(&self.source)
            .env("CGO_ENABLED", cgo)
            .seconds(900)
            .ok()
            .with_context(|| format!("{} with {}", self.source.display(), self.version))
    }

    fn plain(&self, compiler: &Path, fresh: &Path) -> Result<()> {
        let linked: &[&str] = match self.variant.shape.form {
            _ if self.variant.pie => &["-fPIE", "-pie"],
            Form::Pie => &["-fPIE", "-pie"],
            Form::StaticGlibc | Form::StaticMusl => &["-static"],
            _ => &[],
        };
        Run::new(compiler)
            .args(["-g", "-Wall", "-Wextra", "-pthread", "-I"])
            .arg(harness())
            .args(self.build.cflags.split_whitespace())
            .args(linked)
            .args(&self.build.sources)
            .arg("-o")
            .arg(fresh)
            .dir(&self.source)
            .ok()
            .with_context(|| self.source.display().to_string())
    }
}

/// A hash of all that goes into a program, the shared harness included.
fn hash(source: &Path, variant: Variant) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    variant.hash(&mut hasher);
    for dir in [source, &harness(), &home().join("hosts")] {
        hash_dir(dir, &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash_dir(dir: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        path.file_name().hash(hasher);
        if path.is_dir() {
            hash_dir(&path, hasher)?;
        } else {
            read(&path)?.hash(hasher);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_the_variant() {
        let variant = Variant {
            strip: true,
            pie: true,
            ..Variant::default()
        };
        assert_eq!(variant.suffix(), "-pie-strip");
        assert_eq!(Variant::default().suffix(), "");
    }

    #[test]
    fn any_change_changes_the_hash() {
        let dir = tempfile::tempdir().unwrap();
        let plain = || hash(dir.path(), Variant::default()).unwrap();
        fs::write(dir.path().join("a.c"), "1").unwrap();
        let first = plain();
        assert_eq!(first, plain());
        fs::write(dir.path().join("a.c"), "2").unwrap();
        let second = plain();
        fs::rename(dir.path().join("a.c"), dir.path().join("b.c")).unwrap();
        assert!(first != second && second != plain());
    }
}
