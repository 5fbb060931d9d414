//! What goes wrong while recording: a disk that fills up, a library that is garbage.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, not_rooted, parse_json, run, run_well};

/// Code behind a page that only looks like ELF: `mov rax, rdi; mov ecx, 40000;
/// again: lea rax, [rax+rax*4+1]; dec ecx; jnz again; ret`.
const LOOP: [u8; 18] = [
    0x48, 0x89, 0xf8, 0xb9, 0x40, 0x9c, 0, 0, 0x48, 0x8d, 0x44, 0x80, 0x01, 0xff, 0xc9, 0x75, 0xf7,
    0xc3,
];

#[test]
fn a_full_disk() {
    let (bench, elsewhere) = (Bench::new(), Bench::new());
    let program = Program::start("d", 60);
    std::fs::create_dir(bench.file("disk")).expect("the folder is ours");
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-ec"]);
    shell.arg("mount -t tmpfs -o size=16k none disk; \"$@\"; ls -A disk");
    shell.arg("sh").arg(places::seam());
    shell.args([
        "record",
        "-d",
        "1s",
        "-q",
        "-o",
        "disk/x.html",
        "-o",
        "disk/x.folded",
    ]);
    shell.args(["-p", &arg(program.pid())]);
    bench.at_home(&mut shell);
    let outcome = run(shell.env("TMPDIR", elsewhere.path()));
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let told = outcome.stderr.join("\n");
    let place = elsewhere.file("x.html");
    assert!(told.contains("disk/x.html"), "{told}");
    assert!(told.contains(&place.display().to_string()), "{told}");
    assert!(elsewhere.page("x.html").header["title"] == "d");
    // The small one had room; nothing half-written is left.
    assert_eq!(outcome.stdout, ["x.folded"]);
    assert_eq!(elsewhere.names(), ["x.html"]);
}

#[test]
fn a_garbage_library() {
    for (name, head) in [
        ("magic.so", b"\x7fELF".to_vec()),
        ("truncated.so", truncated()),
        ("mad.so", mad()),
    ] {
        garbage(name, &head);
    }
}

/// The first 40 bytes of a true library.
fn truncated() -> Vec<u8> {
    let library = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").expect("libc is there");
    library[..40].to_vec()
}

/// A true header whose tables lie anywhere.
fn mad() -> Vec<u8> {
    let library = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").expect("libc is there");
    let mut head = library[..64].to_vec();
    head[32..48].fill(0xff);
    head[54..64].fill(0xff);
    head
}

fn garbage(name: &str, head: &[u8]) {
    let bench = Bench::new();
    let mut bytes = vec![0xee; 8192];
    bytes[..head.len()].copy_from_slice(head);
    bytes[4096..][..LOOP.len()].copy_from_slice(&LOOP);
    std::fs::write(bench.file(name), bytes).expect("the folder is ours");
    let program = places::c_program("garbage", &[]);
    let mut process = Process::start(Command::new(program).arg(bench.file(name)));
    process.line("ready", |line| (line == "ready").then_some(()));
    let outcome =
        run_well(&mut bench.record(process.pid(), "-d 2s -r 499 --json -o x.pb.gz -o x.json"));
    let summary = parse_json(&outcome.stdout.join("\n"));
    let notes = summary["quality"]["notes"].to_string();
    assert!(notes.contains(name), "{name} is not named: {notes}");
    let profile = bench.pprof("x.pb.gz");
    let own = profile.stacks.iter().filter(|s| s.has("own_work"));
    let own: i64 = own
        .inspect(|s| assert!(s.has("main"), "{}", s.text()))
        .map(|s| s.count)
        .sum();
    assert!(own > 20, "{own} samples outside of it");
    // In it nothing is known: the frame is shown as what it is, and nothing is guessed.
    let frame = format!("[{name}+0x");
    let inside = |s: &seam_e2e::pprof::Stack| s.frames.iter().any(|f| f.name.starts_with(&frame));
    assert!(profile.count_where(inside) > 20, "no {frame}");
    // Stacks that are not whole say why.
    let labelled = profile.count_where(|s| s.texts.contains_key("end"));
    assert_eq!(labelled, profile.count_where(inside));
    let reasons = not_rooted(&bench.json("x.json"));
    let expected = reasons.iter().all(|r| r.starts_with("\"no-unwind"));
    assert!(expected && !reasons.is_empty(), "{name}: {reasons:?}");
}
