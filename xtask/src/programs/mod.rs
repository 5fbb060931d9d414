//! Builds the test programs: tests/programs/NAME → target/programs/GOVERSION/NAME.

mod build;
mod check;
mod real;
mod shape;
mod shaping;
mod truth;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::run::step;
use crate::setup::{self, Go};
use crate::{paths, run};

pub(crate) use build::Variant;
pub(crate) use shape::{SHAPES, Shape};
use truth::Truth;

/// What to build.
#[derive(Args)]
pub(crate) struct Options {
    /// Build with this Go version, such as 1.21.13 (repeatable; default: the machine's)
    #[arg(long = "go", value_name = "VERSION")]
    versions: Vec<String>,
    /// Build only this program (repeatable)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Remove all symbols; the folder's name gets -strip
    #[arg(long)]
    strip: bool,
    /// Build position-independent executables; the folder's name gets -pie
    #[arg(long)]
    pie: bool,
    /// Build in another way: see xtask/src/programs/shape.rs; the folder's name gets -as-SHAPE
    #[arg(long, value_name = "SHAPE", value_parser = shape_named, default_value = "default")]
    shape: Shape,
    /// Build the programs of tests/programs/real, or those that --only names
    #[arg(long)]
    real: bool,
    /// Compare the truth file of this program, or of all, with its machine code
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "all")]
    check: Option<String>,
}

/// One program by one Go version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) version: String,
    pub(crate) name: String,
}

/// The task `programs`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let go = setup::build()?;
    if options.real {
        return real::build(&go, &options.only);
    }
    let mut names = match options.only.as_slice() {
        [] => all()?,
        only => only.to_vec(),
    };
    if let Some(name) = options.check.as_ref().filter(|name| *name != "all") {
        names = vec![name.clone()];
    }
    let variant = Variant {
        strip: options.strip,
        pie: options.pie,
        shape: options.shape,
        ..Variant::default()
    };
    for version in versions(&go, &options.versions) {
        for name in &names {
            let wanted = Wanted {
                version: version.clone(),
                name: name.clone(),
            };
            let why = too_new(&wanted)?.filter(|_| options.only.is_empty());
            if let Some(why) = why {
                println!("   {name} by {version}: {why}");
                continue;
            }
            let binary = build(&go, &wanted, variant)?;
            if options.check.is_some() {
                check::check(&source(name)?, &binary)?;
                println!("   {name} does what its truth file says");
            }
        }
    }
    Ok(())
}

/// A way to build, for the command line.
pub(crate) fn shape_named(name: &str) -> Result<Shape, String> {
    let all = || SHAPES.iter().map(|shape| shape.name).collect::<Vec<_>>();
    Shape::by_name(name).ok_or_else(|| format!("known are {}", all().join(", ")))
}

/// Why a program can't be built in a way, if so.
pub(crate) fn impossible(name: &str, shape: Shape) -> Result<Option<&'static str>> {
    let source = source(name)?;
    let kind = match source.join("truth.json").exists() {
        true => Truth::read(&source)?.build.kind,
        false => "cgo".to_owned(),
    };
    Ok(shape.impossible(&kind))
}

/// The file with the names of a nameless program.
pub(crate) fn names_of(binary: &Path) -> PathBuf {
    shaping::beside(binary, "names")
}

/// The versions to use: those asked for, or the machine's own.
pub(crate) fn versions(go: &Go, asked: &[String]) -> Vec<String> {
    if asked.is_empty() {
        return vec![go.version().to_owned()];
    }
    let full = |version: &String| format!("go{}", version.trim_start_matches("go"));
    asked.iter().map(full).collect()
}

/// The programs with a truth file, sorted.
pub(crate) fn all() -> Result<Vec<String>> {
    let home = home();
    let mut names = Vec::new();
    for entry in fs::read_dir(&home).with_context(|| format!("cannot read {}", home.display()))? {
        let path = entry?.path();
        if path.join("truth.json").exists() {
            names.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}

/// Why a program can't be built by a Go version, if so.
pub(crate) fn too_new(wanted: &Wanted) -> Result<Option<String>> {
    let source = source(&wanted.name)?;
    if !source.join("truth.json").exists() {
        return Ok(None);
    }
    Truth::read(&source)?.build.too_new(&wanted.version)
}

/// Whether a program has nothing of Go, and so is the same by every version.
pub(crate) fn is_plain(name: &str) -> Result<bool> {
    let source = source(name)?;
    let truth = source.join("truth.json");
    Ok(truth.exists() && !Truth::read(&source)?.build.kind.contains("go"))
}

/// Builds one program if its sources changed, and returns its path.
pub(crate) fn build(go: &Go, wanted: &Wanted, variant: Variant) -> Result<PathBuf> {
    if run::interrupted() {
        bail!("interrupted");
    }
    let job = build::Job::new(&source(&wanted.name)?, wanted, variant)?;
    if !job.fresh() {
        let title = format!("building {}", paths::shown(&job.binary));
        step(&title, || job.build(go))?;
    }
    Ok(job.binary)
}

/// Removes programs that are built when a test first wants them and that are older than their
/// sources: a test takes what is there.
pub(crate) fn remove_stale() -> Result<()> {
    let folders = fs::read_dir(output()).into_iter().flatten().flatten();
    let folders = folders.filter_map(|entry| entry.file_name().into_string().ok());
    for version in folders.filter(|name| !name.starts_with('.') && !name.contains('-')) {
        let programs = fs::read_dir(output().join(&version)).into_iter().flatten();
        for program in programs.flatten() {
            let name = program.file_name().to_string_lossy().into_owned();
            let version = version.clone();
            let wanted = Wanted { version, name };
            let current = source(&wanted.name)
                .and_then(|source| build::Job::new(&source, &wanted, Variant::default()))
                .is_ok_and(|job| job.fresh());
            if !current {
                let path = program.path();
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
    }
    Ok(())
}

/// Builds one program and compares it with its truth file, if it has one.
pub(crate) fn build_and_check(go: &Go, wanted: &Wanted) -> Result<()> {
    let binary = build(go, wanted, Variant::default())?;
    let source = source(&wanted.name)?;
    match source.join("truth.json").exists() {
        true => check::check(&source, &binary),
        false => Ok(()),
    }
}

fn source(name: &str) -> Result<PathBuf> {
    let dir = home().join(name);
    if !dir.is_dir() {
        bail!("there is no program {name}\nhint: tests/programs has one folder for each");
    }
    Ok(dir)
}

fn home() -> PathBuf {
    paths::root().join("tests/programs")
}

fn harness() -> PathBuf {
    home().join("harness")
}

/// Where the built programs are.
pub(crate) fn output() -> PathBuf {
    paths::target().join("programs")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
