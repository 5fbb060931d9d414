//! What users get: one executable that needs no library, with its manual pages and completions, in
//! `target/dist/seam-VERSION-x86_64-linux/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{Run, step};
use crate::{paths, setup};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Where Debian has libelf.a and libz.a.
const STATIC_LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu";
const BYTES_MAX: u64 = 15_000_000;
const SHELLS: [(&str, &str); 3] = [
    ("bash", "seam.bash"),
    ("fish", "seam.fish"),
    ("zsh", "_seam"),
];

/// The task `dist`.
pub(crate) fn run() -> Result<()> {
    setup::build()?;
    let folder = make()?;
    let size = fs::metadata(folder.join("seam"))?.len();
    println!("\n{}: seam has {} kB", paths::shown(&folder), size / 1000);
    Ok(())
}

/// Makes the folder and returns its path.
pub(crate) fn make() -> Result<PathBuf> {
    let built = step(
        "building the static seam (optimised for size and speed)",
        build,
    )?;
    let version = Run::new(&built).arg("--version").text()?;
    let version = version.split_whitespace().last().context("a version")?;
    let folder = paths::target().join(format!("dist/seam-{version}-x86_64-linux"));
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
        let text = Run::new(&seam).args(arguments).text()?;
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

fn build() -> Result<PathBuf> {
    Run::new(env!("CARGO"))
        .args(["build", "--profile", "dist", "--target", TARGET])
        .args(["--package", "seam-cli", "--features", "static"])
        .dir(paths::root())
        // An executable that loads no library, not even the C library of the machine.
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env("LIBBPF_SYS_LIBRARY_PATH", STATIC_LIBRARIES)
        .seconds(1800)
        .ok()?;
    Ok(paths::target().join(TARGET).join("dist/seam"))
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
