//! `record --compare`: what seam says of other profilers is what they do.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use linux_perf_data::linux_perf_event_reader::{EventRecord, SampleRecord};
use linux_perf_data::{PerfFileReader, PerfFileRecord};
use seam_e2e::places;
use seam_e2e::pprof::{Frame, Pprof, Stack};
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, run_well};
use seam_e2e::strangers::{as_nobody, open_bench, program_of_nobody};
use seam_object::{Elf, SegmentKind};
use seam_unwind::{CopiedStack, EhFrames, walk_copied};
use serde_json::Value;

/// perf's numbers of registers (arch/x86/include/uapi/asm/perf_regs.h), by DWARF number.
const PERF_REGISTERS: [u64; 16] = [0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const PERF_IP: u64 = 8;
const KERNEL: u64 = 1 << 63;
/// Samples that a comparison needs.
const ENOUGH: usize = 100;

/// perf's own walk of a copy and seam's walk of the same bytes are the same.
#[test]
fn copies_are_walked_as_perf_does() {
    for name in ["b", "c", "e", "k", "s", "p-cpp", "v"] {
        let bench = Bench::new();
        let program = Program::start(name, 30);
        perf(&bench, program.pid(), &["--call-graph", "dwarf"]);
        let files = Files::of(program.pid());
        drop(program);
        let shown = by_perf(&bench);
        let walked = by_seam(&bench.file("perf.data"), &files);
        let pairs = walked
            .iter()
            .map(|(time, walked)| (shown.get(time), walked));
        // perf shows nothing of threads that are just ending.
        let all: Vec<_> = pairs
            .filter_map(|(shown, walked)| Some((shown?, walked)))
            .collect();
        assert!(
            all.len() * 10 >= walked.len() * 9,
            "{name}: {} of {}",
            all.len(),
            walked.len()
        );
        let mut different = all.iter().filter(|(shown, walked)| shown != walked);
        let first = different.next();
        let count = different.count() + usize::from(first.is_some());
        println!("{name}: {count} of {} differ", all.len());
        assert!(all.len() >= ENOUGH, "{name}: only {} samples", all.len());
        assert!(
            count * 50 <= all.len(),
            "{name}: {count} of {} differ: perf and seam: {first:x?}",
            all.len()
        );
    }
}

/// What seam says would be whole is nothing but whole where it is known: Go's own profiler sees
/// all of Go and none of C, frame pointers are lost in C that has none.
#[test]
fn calls_of_c_are_whole_for_nobody_else() {
    let bench = Bench::new();
    let program = Program::start("c", 30);
    let summary = compared(&bench, program.pid());
    let kind = kind(&summary, "Go → C → Go");
    let samples = kind["samples"].as_u64().expect("a number");
    assert!(samples >= ENOUGH as u64, "{samples} samples: {summary}");
    for method in ["frame_pointers", "dwarf_copy", "go_profiler"] {
        let tally = &kind["methods"][method];
        let of = |key: &str| tally[key].as_u64().expect("a number");
        assert_eq!(of("whole") + of("cut") + of("wrong"), samples, "{method}");
        assert!(of("whole") * 20 <= samples, "{method}: {tally}");
        assert!(
            of("lost") > 0 && of("lost") < of("frames"),
            "{method}: {tally}"
        );
    }
    // C lies between Go and Go: what Go's profiler keeps is never cut, and lacks that.
    assert_eq!(kind["methods"]["go_profiler"]["cut"], 0);
}

/// Go alone: all frames for Go's profiler; no `.eh_frame`, so one frame for perf's copies.
#[test]
fn go_alone_is_whole_for_gos_profiler() {
    let bench = Bench::new();
    let program = Program::start("a", 30);
    let summary = compared(&bench, program.pid());
    let kind = kind(&summary, "Go");
    let samples = kind["samples"].as_u64().expect("a number");
    assert!(samples >= ENOUGH as u64, "{samples} samples: {summary}");
    assert_eq!(kind["methods"]["go_profiler"]["whole"], samples);
    assert_eq!(kind["methods"]["go_profiler"]["lost"], 0);
    assert_eq!(kind["methods"]["dwarf_copy"]["cut"], samples);
    // A leaf without a frame loses its caller, other leaves lose nothing.
    let by_pointers = &kind["methods"]["frame_pointers"];
    let of = |key: &str| by_pointers[key].as_u64().expect("a number");
    assert!(of("whole") > 0 && of("wrong") > 0, "{by_pointers}");
    assert!(of("lost") <= samples, "{by_pointers}");
}

/// The page has the table, and only where it was asked for.
#[test]
fn the_page_has_a_sheet() {
    let bench = Bench::new();
    let program = Program::start("b", 30);
    compared(&bench, program.pid());
    assert!(bench.text("x.html").contains("popovertarget=sheet"));
    run_well(&mut bench.record(program.pid(), "-d 500ms -o plain.html"));
    let plain = bench.text("plain.html");
    assert!(!plain.contains("popovertarget") && !plain.contains("@SEAM_"));
}

/// Without BPF there is nothing to compare.
#[test]
fn needs_bpf() {
    let (bench, _tools, seam) = open_bench();
    let (_home, program) = program_of_nobody("a", 30);
    let pid = arg(program.pid());
    let words = ["record", "--compare", "-d", "500ms", "-p", pid.as_str()];
    let refusal = Refusal::of_command(&bench, &mut as_nobody(&bench, "", &seam, &words));
    let _ = refusal.error_has("--compare needs BPF");
}

fn compared(bench: &Bench, pid: i32) -> Value {
    let options = "--compare -r 499 -d 3s -o x.json -o x.html";
    run_well(&mut bench.record(pid, options));
    let summary = bench.json("x.json");
    let comparison = &summary["comparison"];
    let of = |value: &Value| value.as_u64().expect("a number");
    let (all, compared) = (of(&summary["samples"]), of(&comparison["samples"]));
    assert_eq!(compared + of(&comparison["left_out"]), all);
    // A thread that is just ending has no user code.
    let whole = of(&summary["quality"]["whole"]);
    assert!(compared + 2 >= whole, "{compared} of {whole} compared");
    comparison.clone()
}

fn kind<'v>(comparison: &'v Value, name: &str) -> &'v Value {
    let kinds = comparison["kinds"].as_array().expect("kinds");
    let kind = kinds.iter().find(|kind| kind["kind"] == name);
    kind.unwrap_or_else(|| panic!("no kind {name}: {comparison}"))
}

fn perf(bench: &Bench, pid: i32, how: &[&str]) {
    let mut command = Command::new("perf");
    command.args(["record", "-q", "-e", "cpu-clock", "-F", "499", "-o"]);
    command.arg(bench.file("perf.data")).args(how);
    command.args(["-p", &pid.to_string(), "--", "sleep", "2"]);
    run_well(&mut command);
}

/// A frame as perf script shows it: the file's name, and the offset in it.
type Shown = (String, u64);

/// User frames of all samples with a user part, by time in nanoseconds.
fn by_perf(bench: &Bench) -> HashMap<u64, Vec<Shown>> {
    let mut command = Command::new("perf");
    command.args(["script", "--no-inline", "--ns", "-F", "time,ip,dso", "-i"]);
    let outcome = run_well(command.arg(bench.file("perf.data")));
    let text = outcome.text();
    let mut samples: HashMap<u64, Vec<Shown>> = HashMap::new();
    let mut time = 0;
    for line in text.lines() {
        if !line.starts_with('\t') {
            let head = line.trim().trim_end_matches(':').replace('.', "");
            time = head.parse().unwrap_or(time);
            continue;
        }
        let (address, file) = line.trim().split_once(' ').expect("an address and a file");
        let address = u64::from_str_radix(address, 16).expect("hexadecimal");
        let file = file.trim_matches(['(', ')']);
        if !file.starts_with("[kernel") && address & KERNEL == 0 {
            let frame = (file.to_owned(), address);
            samples.entry(time).or_default().push(frame);
        }
    }
    samples
}

/// The same by seam's walk of the same copies.
fn by_seam(data: &Path, files: &Files) -> Vec<(u64, Vec<Shown>)> {
    let file = BufReader::new(File::open(data).expect("perf has written it"));
    let PerfFileReader {
        mut perf_file,
        mut record_iter,
    } = PerfFileReader::parse_file(file).expect("a file of perf's");
    let mut samples = Vec::new();
    while let Some(record) = record_iter.next_record(&mut perf_file).expect("a record") {
        let PerfFileRecord::EventRecord { record, .. } = record else {
            continue;
        };
        if let Ok(EventRecord::Sample(sample)) = record.parse() {
            samples.extend(walked(&sample, files));
        }
    }
    samples
}

fn walked(sample: &SampleRecord<'_>, files: &Files) -> Option<(u64, Vec<Shown>)> {
    let registers = sample.user_regs.as_ref()?;
    let (bytes, len) = sample.user_stack.as_ref()?;
    let bytes = bytes.as_slice();
    let stack = CopiedStack {
        pc: registers.get(PERF_IP)?,
        registers: PERF_REGISTERS.map(|register| registers.get(register).unwrap_or(0)),
        bytes: bytes.get(..*len as usize)?,
    };
    let frames = walk_copied(&stack, |address| {
        let file = files.find(address)?;
        Some((file.frames.as_ref()?, address.wrapping_sub(file.bias)))
    });
    let shown = frames.iter().enumerate().map_while(|(at, frame)| {
        // perf shows calls and not what follows them.
        let address = frame - u64::from(at > 0);
        let file = files.find(address)?;
        Some((file.path.clone(), address - file.start + file.offset))
    });
    Some((sample.timestamp?, shown.collect()))
}

/// Executable mappings of a process.
struct Files {
    mapped: Vec<Mapped>,
}

struct Mapped {
    start: u64,
    end: u64,
    offset: u64,
    bias: u64,
    path: String,
    frames: Option<EhFrames>,
}

impl Files {
    fn of(pid: i32) -> Self {
        let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("it runs");
        let mapped = text.lines().filter_map(|line| Mapped::of(pid, line));
        Self {
            mapped: mapped.collect(),
        }
    }

    fn find(&self, address: u64) -> Option<&Mapped> {
        let mut all = self.mapped.iter();
        all.find(|m| (m.start..m.end).contains(&address))
    }
}

impl Mapped {
    fn of(pid: i32, line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [range, "r-xp", offset, _, _, path] = words[..] else {
            return None;
        };
        let hex = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal");
        let (start, end) = range.split_once('-')?;
        let (start, end, offset) = (hex(start), hex(end), hex(offset));
        let bytes = if path == "[vdso]" {
            let memory = File::open(format!("/proc/{pid}/mem")).expect("root may read it");
            let mut bytes = vec![0; (end - start) as usize];
            memory
                .read_exact_at(&mut bytes, start)
                .expect("the vdso is mapped");
            bytes
        } else {
            std::fs::read(path).ok()?
        };
        let elf = Elf::parse(bytes.as_slice()).ok()?;
        let code = elf
            .segments()
            .iter()
            .find(|s| s.kind == SegmentKind::Load && s.executable)?;
        let linked = code.address.wrapping_add(offset.wrapping_sub(code.offset));
        Some(Self {
            start,
            end,
            offset,
            bias: start.wrapping_sub(linked),
            path: path.to_owned(),
            frames: EhFrames::of(&elf),
        })
    }
}

/// Go's own profiler, run by the program itself, keeps as many frames of a sample as seam says.
#[test]
fn gos_profiler_keeps_what_is_said() {
    for name in ["c", "d"] {
        let bench = Bench::new();
        let profiled = profiled(&bench, name);
        let summary = compared(&bench, Program::start(name, 30).pid());
        let kinds = summary["kinds"].as_array().expect("kinds");
        let of = |kind: &Value, key: &str| kind["methods"]["go_profiler"][key].as_u64().expect(key);
        let kept: u64 = kinds
            .iter()
            .map(|kind| of(kind, "frames") - of(kind, "lost"))
            .sum();
        let said = kept as f64 / summary["samples"].as_u64().expect("samples") as f64;
        let stacks = profiled.stacks.iter().filter(|stack| asked_for(stack) > 0);
        let (frames, samples) = stacks.fold((0, 0), |(frames, samples), stack| {
            (
                frames + stack.count * asked_for(stack),
                samples + stack.count,
            )
        });
        assert!(samples >= ENOUGH as i64, "{name}: {samples}");
        let seen = frames as f64 / samples as f64;
        println!("{name}: {said:.2} frames a sample said, {seen:.2} seen");
        assert!((said / seen - 1.0).abs() < 0.1, "{name}: {said} and {seen}");
    }
}

/// The profile that a program makes of itself.
fn profiled(bench: &Bench, name: &str) -> Pprof {
    let source = places::repository().join("tests/programs").join(name);
    let mut build = places::go();
    build.args(["build", "-buildvcs=false", "-tags", "cpuprofile", "-o"]);
    run_well(build.arg(bench.file(name)).arg(".").current_dir(source));
    let mut command = Command::new(bench.file(name));
    run_well(
        command
            .arg("4")
            .env("SEAM_CPUPROFILE", bench.file("go.pprof")),
    );
    bench.pprof("go.pprof")
}

/// Frames but for where stacks begin and what lies between Go and C.
fn asked_for(stack: &Stack) -> i64 {
    const PLUMBING: [&str; 5] = [
        "runtime.goexit",
        "runtime.cgocall",
        "runtime.asmcgocall",
        "runtime.systemstack_switch",
        "runtime.cgocallback",
    ];
    let own = |frame: &&Frame| {
        let name = frame.name.as_str();
        let made = name.contains("._Cfunc_") || name.starts_with("_cgoexp_");
        !frame.inlined && !made && !PLUMBING.iter().any(|plumbing| name.starts_with(plumbing))
    };
    stack.frames.iter().filter(own).count() as i64
}
