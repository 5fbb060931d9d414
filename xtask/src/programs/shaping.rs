//! Building a Go program in one of the ways of [`super::shape`].

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use seam_object::Elf;

use super::shape::{Compiler, Form, Shape};
use super::{home, output};
use crate::run::Run;
use crate::setup::Go;
use crate::toolchains;

/// Added to a program that becomes a library, without a file of its own in each program's folder.
const LIBRARY_MAIN: &str = "\
package main

import \"seam.test/harness\"

var LibraryRun = harness.Run

func init() { harness.Main = main }
";

/// What is built from what, and to where.
pub(super) struct Shaping<'s> {
    pub(super) go: &'s Go,
    pub(super) shape: Shape,
    pub(super) source: &'s Path,
    pub(super) kind: &'s str,
    pub(super) version: &'s str,
    /// The executable; what it needs beside itself has this name and an extension.
    pub(super) to: &'s Path,
}

impl Shaping<'_> {
    pub(super) fn build(&self) -> Result<()> {
        let host = |name: &str| home().join("hosts").join(name);
        match self.shape.form {
            Form::Executable => self.go(&[], self.to),
            Form::Pie => self.go(&["-buildmode=pie"], self.to),
            Form::Race => self.go(&["-race"], self.to),
            Form::StaticGlibc | Form::StaticMusl => self.go(
                &["-ldflags", "-linkmode external -extldflags -static"],
                self.to,
            ),
            Form::Archive => {
                let archive = self.beside("a");
                self.go(&["-buildmode=c-archive"], &archive)?;
                self.host(&host("linked.c"), &[archive.as_os_str()])
            }
            Form::Linked => {
                let library = self.beside("so");
                self.go(&["-buildmode=c-shared"], &library)?;
                let origin = "-Wl,-rpath,$ORIGIN".as_ref();
                self.host(&host("linked.c"), &[library.as_os_str(), origin])
            }
            Form::Opened => {
                self.go(&["-buildmode=c-shared"], &self.beside("so"))?;
                self.host(&host("opened.c"), &["-ldl".as_ref()])
            }
            Form::Plugin => {
                self.go(&["-buildmode=plugin"], &self.beside("so"))?;
                let host = host("plugin");
                let run = toolchains::go(self.go, self.version)?
                    .args(["build", "-buildvcs=false", "-o"])
                    .arg(self.to);
                run.arg(".")
                    .dir(&host)
                    .env("CGO_ENABLED", "1")
                    .env("CC", "gcc")
                    .seconds(900)
                    .ok()
                    .with_context(|| host.display().to_string())
            }
            Form::Omitted => {
                let named = self.beside("names");
                self.go(&[], &named)?;
                self.go(&["-ldflags", "-s -w"], self.to)?;
                same_code(&named, self.to)
            }
            Form::Stripped | Form::Headless => {
                self.go(&[], self.to)?;
                strip(self.to, &self.beside("names"), self.shape.form)
            }
        }
    }

    fn beside(&self, extension: &str) -> PathBuf {
        beside(self.to, extension)
    }

    fn is_library(&self) -> bool {
        matches!(
            self.shape.form,
            Form::Archive | Form::Linked | Form::Opened | Form::Plugin
        )
    }

    fn go(&self, more: &[&str], to: &Path) -> Result<()> {
        let race = self.shape.form == Form::Race;
        let needs_cgo = self.kind == "cgo" || self.is_library() || race;
        let mut run = toolchains::go(self.go, self.version)?.args(["build", "-buildvcs=false"]);
        if self.is_library() {
            let main = self.beside("library");
            fs::write(&main, LIBRARY_MAIN)?;
            let overlay = self.beside("overlay");
            let added = self.source.join("library_main.go");
            let map = serde_json::json!({ "Replace": { added.display().to_string(): main } });
            fs::write(&overlay, map.to_string())?;
            run = run.args(["-tags", "library", "-overlay"]).arg(&overlay);
        }
        run.args(more)
            .arg("-o")
            .arg(to)
            .arg(".")
            .dir(self.source)
            .env("CGO_ENABLED", if needs_cgo { "1" } else { "0" })
            .env("CC", compiler(&self.shape, false)?)
            .env("CXX", compiler(&self.shape, true)?)
            // A program's own flags are fixed in its source; the wrappers put more behind them.
            .env("CGO_CFLAGS", "-g")
            .env("CGO_LDFLAGS_ALLOW", ".*")
            .seconds(900)
            .ok()
            .with_context(|| {
                let (source, name) = (self.source.display(), self.shape.name);
                format!("{source} as {name} with {}", self.version)
            })
    }

    /// Builds the C program around a library.
    fn host(&self, source: &Path, with: &[&std::ffi::OsStr]) -> Result<()> {
        Run::new("gcc")
            .args(["-O2", "-g", "-fomit-frame-pointer", "-Wall", "-Wextra"])
            .arg("-o")
            .arg(self.to)
            .arg(source)
            .args(with)
            // An archive does not say what its C++ needs.
            .args(["-pthread", "-lstdc++"])
            .ok()
    }
}

/// A file beside another, with one more extension.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// The command for a way's compiler: with flags it is a script, since flags of a cgo directive come
/// behind those of the environment.
pub(super) fn compiler(shape: &Shape, plus: bool) -> Result<PathBuf> {
    let who = shape.flags.map_or(Compiler::Gcc, |(compiler, _)| compiler);
    let command = match (shape.form, who, plus) {
        (Form::StaticMusl, _, false) => "musl-gcc",
        (_, Compiler::Gcc, false) => "gcc",
        (_, Compiler::Gcc, true) => "g++",
        (_, Compiler::Clang, false) => "clang-19",
        (_, Compiler::Clang, true) => "clang++-19",
    };
    let Some((_, flags)) = shape.flags else {
        return Ok(command.into());
    };
    let folder = output().join(".compilers");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}-{command}", shape.name));
    // Only lld links what clang optimises at link time, and cgo takes unused words for errors.
    let linker = match who == Compiler::Clang && flags.contains("-flto") {
        true => "-fuse-ld=lld-19 -Wl,--fat-lto-objects -Wno-unused-command-line-argument",
        false => "",
    };
    let script = format!("#!/bin/sh\nexec {command} \"$@\" {flags} {linker}\n");
    if fs::read_to_string(&path).is_ok_and(|old| old == script) {
        return Ok(path);
    }
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Strips a file, and keeps it as it was under another name.
pub(super) fn strip(path: &Path, named: &Path, form: Form) -> Result<()> {
    fs::copy(path, named)?;
    Run::new("strip").arg("-s").arg(path).ok()?;
    if form == Form::Headless {
        let mut bytes = fs::read(path)?;
        // Elf64_Ehdr: e_shoff at 40; e_shnum and e_shstrndx at 60.
        bytes[40..48].fill(0);
        bytes[60..64].fill(0);
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// The names of one file are those of another only where their functions lie at the same places.
/// Addresses of data may differ, so single bytes of the code may.
fn same_code(one: &Path, other: &Path) -> Result<()> {
    let code = |path: &Path| -> Result<(u64, Vec<u8>)> {
        let bytes = fs::read(path)?;
        let elf = Elf::parse(bytes.as_slice())?;
        let address = elf.section(".text").context("no .text")?.address;
        let text = elf.section_data(".text")?.context("no .text")?;
        Ok((address, text.into_owned()))
    };
    let (mine, theirs) = (code(one)?, code(other)?);
    let pairs = mine.1.iter().zip(&theirs.1);
    let differing = pairs.filter(|(a, b)| a != b).count();
    let alike = mine.0 == theirs.0 && mine.1.len() == theirs.1.len();
    ensure!(
        alike && differing * 10 < mine.1.len(),
        "the code of {} and {} differs in {differing} of {} bytes",
        one.display(),
        other.display(),
        mine.1.len()
    );
    Ok(())
}
