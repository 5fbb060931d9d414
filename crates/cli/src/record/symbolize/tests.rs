//! Separate debug files: found by build id and by name, and refused when they are another build's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::*;

const SOURCE: &str = "\
static inline __attribute__((always_inline)) int inner(int x)
{
    return x * x + 7;
}
__attribute__((noinline)) int outer(int x)
{
    return inner(x) / 3;
}
int main(int argc, char **argv)
{
    (void)argv;
    return outer(argc);
}
";

/// A stripped program, what was stripped off it, and a folder as `/usr/lib/debug` is one.
struct Built {
    home: TempDir,
    program: PathBuf,
    debug: PathBuf,
    folder: PathBuf,
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

fn built(flags: &[&str]) -> Built {
    let home = TempDir::new().expect("a folder");
    let at = |name: &str| home.path().join(name);
    fs::write(at("program.c"), SOURCE).expect("written");
    let (program, debug, folder) = (at("program"), at("program.debug"), at("debug"));
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-g"]).args(flags).arg("-o").arg(&program);
    run(cc.arg(at("program.c")));
    run(Command::new("objcopy")
        .arg("--only-keep-debug")
        .args([&program, &debug]));
    // Symbols stay in the program: what counts here is DWARF.
    run(Command::new("objcopy").arg("--strip-debug").arg(&program));
    Built {
        home,
        program,
        debug,
        folder,
    }
}

impl Built {
    fn link(&self) {
        let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
        link.push(&self.debug);
        run(Command::new("objcopy").arg(link).arg(&self.program));
    }

    /// Where a debug file must lie to be found by the program's build id.
    fn by_build_id(&self) -> PathBuf {
        let bytes = fs::read(&self.program).expect("the program");
        let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
        let id = elf.build_id().expect("a build id").to_string();
        let path = format!(".build-id/{}/{}.debug", &id[..2], &id[2..]);
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        path
    }

    /// The names at the first byte of `outer`, with lines.
    fn names(&self) -> Vec<(String, u32)> {
        let file = File::open(&self.program).expect("the program");
        let cache = ReadCache::new(&file);
        let elf = Elf::parse(&cache).expect("an ELF file");
        let outer = elf.symbols().find(|s| s.name == b"outer").expect("outer");
        let wanted = (outer.address..outer.address + outer.size).collect();
        let (named, error) = resolve_file(&file, &self.program, &self.folder, &wanted, None);
        assert_eq!(error, None);
        let deepest = named
            .iter()
            .map(|(_, frames)| frames)
            .max_by_key(|f| f.len());
        let deepest = deepest.expect("an address").iter();
        deepest.map(|f| (f.name.to_string(), f.line)).collect()
    }
}

fn found() -> Vec<(String, u32)> {
    vec![("inner".to_owned(), 3), ("outer".to_owned(), 7)]
}

fn not_found() -> Vec<(String, u32)> {
    vec![("outer".to_owned(), 0)]
}

#[test]
fn a_debug_file_is_found_by_build_id() {
    let built = built(&["-Wl,--build-id"]);
    assert_eq!(built.names(), not_found());
    fs::rename(&built.debug, built.by_build_id()).expect("moved");
    assert_eq!(built.names(), found());
}

#[test]
fn a_debug_file_is_found_by_its_name() {
    for flags in ["-Wl,--build-id", "-Wl,--build-id=none"] {
        let built = built(&[flags]);
        built.link();
        assert_eq!(built.names(), found(), "beside, {flags}");
        let hidden = built.home.path().join(".debug");
        fs::create_dir(&hidden).expect("made");
        let hidden = hidden.join("program.debug");
        fs::rename(&built.debug, &hidden).expect("moved");
        assert_eq!(built.names(), found(), "in .debug, {flags}");
        let below = built
            .folder
            .join(built.debug.strip_prefix("/").expect("a whole path"));
        fs::create_dir_all(below.parent().expect("a folder")).expect("made");
        fs::rename(&hidden, &below).expect("moved");
        assert_eq!(built.names(), found(), "below the folder, {flags}");
    }
}

#[test]
fn another_builds_debug_file_is_refused() {
    for (flags, of_other) in [
        ("-Wl,--build-id", "-Wl,--build-id=0xabcdef0123456789"),
        ("-Wl,--build-id=none", "-Wl,--build-id=none"),
    ] {
        let (ours, other) = (built(&[flags]), built(&[of_other, "-O1"]));
        ours.link();
        fs::copy(&other.debug, &ours.debug).expect("copied");
        assert_eq!(ours.names(), not_found(), "{flags}");
        if !flags.ends_with("none") {
            fs::copy(&other.debug, ours.by_build_id()).expect("copied");
            assert_eq!(ours.names(), not_found(), "by build id");
        }
    }
}

#[test]
fn what_is_no_file_does_not_block() {
    let built = built(&["-Wl,--build-id=none"]);
    built.link();
    fs::remove_file(&built.debug).expect("removed");
    run(Command::new("mkfifo").arg(&built.debug));
    assert_eq!(built.names(), not_found());
}

#[test]
fn a_broken_debug_file_is_told() {
    let built = built(&["-Wl,--build-id=none"]);
    let broken = fs::read(&built.debug).expect("the debug file");
    let elf = Elf::parse(broken.as_slice()).expect("an ELF file");
    let info = elf
        .section_data(".debug_info")
        .expect("readable")
        .expect("DWARF");
    let from = info.as_ptr() as usize - broken.as_ptr() as usize;
    let mut bytes = broken.clone();
    // The version of the first unit.
    bytes[from + 4] = 99;
    fs::write(&built.debug, bytes).expect("written");
    built.link();
    let file = File::open(&built.program).expect("the program");
    let path: &Path = &built.program;
    let (_, error) = resolve_file(&file, path, &built.folder, &BTreeSet::from([1]), None);
    let error = error.expect("an error").to_string();
    assert!(error.starts_with("malformed DWARF: "), "{error}");
}
