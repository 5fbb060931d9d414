//! What binutils' addr2line says of addresses.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Name as linked, file and line; empty and 0 where unknown.
pub(crate) type Line = (String, String, u32);

/// The frames of each address, innermost first. Where DWARF has no name as linked (lambdas,
/// anonymous namespaces, clones that gcc makes), addr2line puts the ELF symbol's name there, also
/// for inlined calls, which is wrong.
pub(crate) fn addr2line(file: &Path, addresses: &[u64]) -> Vec<Vec<Line>> {
    let mut child = Command::new("addr2line")
        .args(["-a", "-i", "-f", "-e"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("addr2line of binutils");
    let text: String = addresses.iter().map(|a| format!("{a:#x}\n")).collect();
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("its end");
    writer.join().expect("no panic").expect("all is read");
    let output = String::from_utf8(output.stdout).expect("text");
    let mut found = Vec::new();
    let mut lines = output.lines().peekable();
    while let Some(line) = lines.next() {
        assert!(line.starts_with("0x"), "an address: {line}");
        let mut frames = Vec::new();
        while lines.peek().is_some_and(|l| !l.starts_with("0x")) {
            let name = lines.next().expect("a name");
            let place = lines.next().expect("a place");
            frames.push(frame(name, place));
        }
        found.push(frames);
    }
    assert_eq!(found.len(), addresses.len());
    found
}

fn frame(name: &str, place: &str) -> Line {
    let known = |text: &str| {
        if text == "??" {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let place = place.split(" (discriminator").next().expect("a part");
    let (file, line) = place.rsplit_once(':').expect("a line");
    (known(name), known(file), line.parse().unwrap_or(0))
}
