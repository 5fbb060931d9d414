//! What users get: one executable that needs no library, with its manual pages and completions, in
//! `target/dist/seam-VERSION-PROCESSOR-linux/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use clap::Args;

use crate::processor::Processor;
use crate::run::{Run, step};
use crate::{paths, setup};

/// What to build for.
#[derive(Args)]
pub(crate) struct Options {
    /// The processor
    #[arg(long, value_enum, default_value_t)]
    arch: Processor,
}

const BYTES_MAX: u64 = 15_000_000;
const SHELLS: [(&str, &str); 3] = [
    ("bash", "seam.bash"),
    ("fish", "seam.fish"),
    ("zsh", "_seam"),
];

/// The task `dist`.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::build()?;
    let folder = make(options.arch)?;
    let size = fs::metadata(folder.join("seam"))?.len();
    println!("\n{}: seam has {} kB", paths::shown(&folder), size / 1000);
    Ok(())
}

/// Makes the folder and returns its path.
pub(crate) fn make(processor: Processor) -> Result<PathBuf> {
    setup::cross(processor)?;
    let built = step(
        "building the static seam (optimised for size and speed)",
        || build(processor),
    )?;
    let version = processor.run(&built).arg("--version").text()?;
    let version = version.split_whitespace().last().context("a version")?;
    let folder = paths::target().join(format!("dist/seam-{version}-{}-linux", processor.uname()));
    if fs::exists(&folder)? {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("man"))?;
    fs::create_dir_all(folder.join("completions"))?;
    let seam = folder.join("seam");
    fs::copy(&built, &seam).with_context(|| format!("cannot write {}", seam.display()))?;
    fs::copy(paths::root().join("LICENSE"), folder.join("LICENSE"))?;
    check(&seam)?;
    let print = |arguments: &[&str], file: PathBuf| -> Result<()> {
        let text = processor.run(&seam).args(arguments).text()?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    print(&["man"], folder.join("man/seam.1"))?;
    for verb in ["record", "dump", "goroutines", "doctor"] {
        print(&["man", verb], folder.join(format!("man/seam-{verb}.1")))?;
    }
    for (shell, file) in SHELLS {
        print(
            &["completions", shell],
            folder.join("completions").join(file),
        )?;
    }
    Ok(folder)
}

fn build(processor: Processor) -> Result<PathBuf> {
    // An executable that loads no library, not even the C library of the machine.
    let cargo = Run::new(env!("CARGO")).args(["build", "--profile", "dist"]);
    processor
        .static_cargo(cargo)?
        .args(["--package", "seam-cli", "--features", "static"])
        .dir(paths::root())
        .seconds(1800)
        .ok()?;
    let target = paths::target().join(processor.target());
    Ok(target.join("dist/seam"))
}

/// It must be what was promised: small, and without an interpreter or libraries.
fn check(seam: &Path) -> Result<()> {
    let size = fs::metadata(seam)?.len();
    if size > BYTES_MAX {
        bail!("{} has {size} bytes, more than {BYTES_MAX}", seam.display());
    }
    let headers = Run::new("readelf").args(["-lW"]).arg(seam).text()?;
    let dynamic = Run::new("readelf").args(["-dW"]).arg(seam).text()?;
    if headers.contains("INTERP") || dynamic.contains("(NEEDED)") {
        bail!("{} is not static", seam.display());
    }
    Ok(())
}
