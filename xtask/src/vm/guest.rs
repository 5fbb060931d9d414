//! One guest: an initramfs with a shell, seam and the programs; what it prints on its console.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::machine::{GUEST, Machine};
use crate::paths;
use crate::run::{Run, step};

/// Software emulation is some ten times slower than the processor, which may have other work.
const BOOT_SECONDS: u64 = 1500;
/// A guest may die before it runs anything, for reasons of the emulator: then it is booted again.
const BOOTS: usize = 3;
/// seam chooses the form of the walk.
pub(super) const OWN_CHOICE: &str = "own";
/// Before each line that is for us, so that the kernel's own messages do not matter.
const MARK: &str = "@seam ";

/// What the guest does. Files leave it as text.
const INIT: &str = r#"#!/bin/sh
busybox() { /bin/busybox "$@"; }
for folder in proc sys dev tmp out; do busybox mkdir -p /$folder; done
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mount -t tmpfs tmpfs /tmp
export HOME=/out PATH=/
echo "@seam release $(busybox uname -r)"
while read -r name form; do
  export SEAM_WALK=$form
  if [ $name = doctor ]; then
    echo "@seam walk $form $(/seam doctor | busybox sed -n 's/.*, walk by //p')"
    continue
  fi
  program=/programs/$name
  name=$form/$name
  busybox mkdir -p /out/$form
  $program 600 >/out/$name.log 2>&1 &
  pid=$!
  waited=0
  until busybox grep -q '^start' /out/$name.log || [ $waited = 60 ]; do
    busybox sleep 1
    waited=$((waited + 1))
  done
  /seam record -q -p $pid -d 5s -r 99 -o /out/$name.pb.gz 2>&1 |
    while read -r line; do echo "@seam told $name $line"; done
  if [ -e /out/$name.pb.gz ]; then
    busybox base64 -w 200 /out/$name.pb.gz |
      while read -r line; do echo "@seam file $name $line"; done
  fi
  busybox kill $pid
done </plan
echo "@seam end"
busybox poweroff -f
"#;

/// What a guest left.
#[derive(Default)]
pub(super) struct Report {
    pub(super) release: String,
    /// How the kernel side walks, by what was asked for.
    pub(super) walks: BTreeMap<String, String>,
    /// pprof files by `FORM/PROGRAM`.
    pub(super) profiles: BTreeMap<String, PathBuf>,
    told: BTreeMap<String, String>,
}

impl Report {
    /// What seam said while it made a recording.
    pub(super) fn told(&self, name: &str) -> &str {
        self.told.get(name).map_or("nothing", String::as_str)
    }
}

/// Programs that are recorded by one form of the walk.
#[derive(Clone, Copy)]
pub(super) struct Round {
    /// [`OWN_CHOICE`] or what `SEAM_WALK` takes.
    pub(super) form: &'static str,
    pub(super) programs: &'static [&'static str],
}

/// Boots a kernel, makes the recordings, and waits until the guest has switched itself off.
pub(super) fn boot(
    machine: &Machine,
    kernel: &Path,
    seam: &Path,
    programs: &[PathBuf],
    rounds: &[Round],
) -> Result<Report> {
    let home = paths::target().join("vm/guest");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    let archive = initramfs(machine, &home, seam, programs, &plan(rounds))?;
    let mut console = String::new();
    for _ in 0..BOOTS {
        console = step("booting it (software emulation takes minutes)", || {
            Run::new(machine.emulator)
                .args(machine.arguments)
                .args(GUEST)
                .args(["-append", machine.kernel])
                .arg("-kernel")
                .arg(kernel)
                .arg("-initrd")
                .arg(&archive)
                .seconds(BOOT_SECONDS)
                .text()
        })?;
        if console.contains(MARK) {
            break;
        }
    }
    read(&console, &home)
}

/// A line for everything to do: `doctor FORM` or `PROGRAM FORM`.
fn plan(rounds: &[Round]) -> String {
    let lines = rounds.iter().flat_map(|round| {
        let names = ["doctor"].iter().chain(round.programs);
        names.map(|name| format!("{name} {}\n", round.form))
    });
    lines.collect()
}

fn initramfs(
    machine: &Machine,
    home: &Path,
    seam: &Path,
    programs: &[PathBuf],
    plan: &str,
) -> Result<PathBuf> {
    let root = home.join("root");
    for folder in ["bin", "programs"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let copy = |from: &Path, to: PathBuf| -> Result<()> {
        fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    };
    copy(&machine.busybox()?, root.join("bin/busybox"))?;
    symlink("busybox", root.join("bin/sh"))?;
    copy(seam, root.join("seam"))?;
    for program in programs {
        let name = program.file_name().context("a program has a name")?;
        copy(program, root.join("programs").join(name))?;
    }
    for program in programs.iter().map(PathBuf::as_path).chain([seam]) {
        for (library, to) in machine.libraries(program)? {
            let to = root.join(to.strip_prefix("/").unwrap_or(&to));
            fs::create_dir_all(to.parent().context("a library lies in a folder")?)?;
            copy(&library, to)?;
        }
    }
    fs::write(root.join("plan"), plan)?;
    fs::write(root.join("init"), INIT)?;
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755))?;
    let archive = home.join("initramfs.gz");
    let script = "cd \"$1\" && find . | cpio -o -H newc --quiet | gzip -1 > \"$2\"";
    Run::new("sh")
        .args(["-c", script, "sh"])
        .arg(&root)
        .arg(&archive)
        .ok()?;
    Ok(archive)
}

/// Takes the lines that are for us out of the console.
fn read(console: &str, home: &Path) -> Result<Report> {
    let mut report = Report::default();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut ended = false;
    for line in console.lines() {
        let Some((_, line)) = line.trim_end().split_once(MARK) else {
            continue;
        };
        let mut words = line.splitn(3, ' ');
        let (kind, name) = (words.next(), words.next().unwrap_or_default());
        let rest = words.next().unwrap_or_default();
        match kind {
            Some("release") => name.clone_into(&mut report.release),
            Some("walk") => {
                report.walks.insert(name.to_owned(), rest.to_owned());
            }
            Some("told") => *report.told.entry(name.to_owned()).or_default() += &format!("{rest} "),
            Some("file") => files.entry(name.to_owned()).or_default().push_str(rest),
            Some("end") => ended = true,
            _ => {}
        }
    }
    if !ended {
        let last: Vec<&str> = console.lines().rev().take(20).collect();
        bail!("the guest did not come to its end:\n{}", last.join("\n"));
    }
    for (name, text) in files {
        let file = name.replace('/', "-");
        let encoded = home.join(format!("{file}.base64"));
        let profile = home.join(format!("{file}.pb.gz"));
        fs::write(&encoded, text)?;
        let decode = Run::new("sh").args(["-c", "base64 -d \"$1\" > \"$2\"", "sh"]);
        decode.arg(&encoded).arg(&profile).ok()?;
        report.profiles.insert(name, profile);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_read() {
        let home = tempfile::tempdir().unwrap();
        let console = "boot\r\n@seam release 6.1.0\r\n[ 1.2] noise @seam told a error: no\r\n\
                       @seam file x/a aGVs\r\n@seam walk x tail calls\r\n\
                       @seam file x/a bG8=\r\n@seam end\r\n";
        let report = read(console, home.path()).unwrap();
        assert_eq!(
            (report.release.as_str(), report.told("a")),
            ("6.1.0", "error: no ")
        );
        assert_eq!(fs::read(&report.profiles["x/a"]).unwrap(), b"hello");
        assert_eq!(report.walks["x"], "tail calls");
        assert_eq!(report.told("b"), "nothing");
    }

    #[test]
    fn a_line_for_everything_to_do() {
        let round = |form, programs| Round { form, programs };
        let plan = plan(&[round(OWN_CHOICE, &["a", "b"]), round("x", &["b"])]);
        assert_eq!(plan, "doctor own\na own\nb own\ndoctor x\nb x\n");
    }

    #[test]
    fn a_guest_that_dies_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        assert!(read("@seam release 6.1.0\nKernel panic", home.path()).is_err());
    }
}
