//! `seam doctor`: the machine, and what a process will show.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, parse_json, path_arg, run};
use seam_e2e::strangers::{as_nobody, open_bench};
use serde_json::Value;

/// The JSON report on a process, and the exit code.
fn report(pid: i32) -> (Value, Option<i32>) {
    let outcome = Bench::new().run(&["doctor", "--json", &arg(pid)]);
    assert!(outcome.stderr.is_empty(), "{}", outcome.text());
    (parse_json(&outcome.stdout.join("\n")), outcome.code())
}

fn module<'a>(report: &'a Value, name: &str) -> &'a Value {
    let modules = report["processes"][0]["modules"].as_array();
    let mut modules = modules.expect("a list").iter();
    modules.find(|m| m["name"] == name).expect("it is mapped")
}

/// Names of the problems of the first process.
fn problems(report: &Value) -> Vec<&str> {
    let problems = report["processes"][0]["problems"].as_array();
    let names = problems.expect("a list").iter().map(|p| p["name"].as_str());
    names.map(|name| name.expect("a name")).collect()
}

#[test]
fn this_machine_is_fine() {
    let bench = Bench::new();
    let outcome = bench.run(&["doctor"]);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert_eq!(outcome.stdout[0], "machine   ready: seam can record here");
    let last = outcome.stdout.last().expect("lines");
    assert!(
        last.starts_with("ok ") && last.contains("seam's programs"),
        "{last}"
    );
    let wide = outcome.stdout.iter().find(|l| l.chars().count() > 80);
    assert_eq!(wide, None);
    assert_eq!(bench.names(), [""; 0]);

    let outcome = bench.run(&["doctor", "--json"]);
    let report = parse_json(&outcome.stdout.join("\n"));
    assert_eq!(
        (&report["schema"], &report["problems"]),
        (&1.into(), &0.into())
    );
    let host = report["host"].as_array().expect("a list");
    assert!(host.len() > 15 && host.iter().all(|row| row["state"] == "ok"));
}

#[test]
fn a_go_program_with_c() {
    let program = Program::start("d", 60);
    let (all, code) = report(program.pid());
    assert_eq!(code, Some(0), "{all:#}");
    let (process, go) = (&all["processes"][0], &all["processes"][0]["go"][0]);
    assert_eq!((&go["cgo"], &go["verified"]), (&true.into(), &true.into()));
    assert!(
        go["version"]
            .as_str()
            .is_some_and(|v| v.starts_with("go1.")),
        "{go}"
    );
    assert_eq!(process["libc"]["kind"], "glibc");
    assert!(
        process["stacks"]
            .as_str()
            .is_some_and(|s| s.starts_with("whole, through Go, C"))
    );
    let own = module(&all, "d");
    assert_eq!(
        (&own["symtab"], &own["debug"]),
        (&true.into(), &true.into())
    );
    assert!(own["pclntab_functions"].as_u64() > Some(1000), "{own}");
    let libc = module(&all, "libc.so.6");
    assert!(libc["eh_frame_functions"].as_u64() > Some(1000), "{libc}");
    assert_eq!(libc["pclntab_functions"], 0);

    let text = Bench::new().run(&["doctor", &arg(program.pid())]).stdout;
    let title = format!("d (pid {})   Go 1.", program.pid());
    assert!(text.iter().any(|l| l.starts_with(&title)), "{text:#?}");
    let wide = text.iter().find(|l| l.chars().count() > 100);
    assert_eq!(wide, None);
}

#[test]
fn by_name_and_by_number_agree() {
    let bench = Bench::new();
    let file = bench.file("doctor-by-name");
    std::fs::copy(places::program("b"), &file).expect("the folder is ours");
    let program = Program::start_file(&file, 60);
    let outcome = bench.run(&["doctor", "--json", "--name", "doctor-by-[n]ame"]);
    let named = parse_json(&outcome.stdout.join("\n"));
    assert_eq!(named["processes"][0]["pid"], program.pid());
    assert_eq!(named["processes"][0]["name"], "doctor-by-name");
}

#[test]
fn a_stripped_program() {
    let bench = Bench::new();
    let file = bench.file("stripped");
    std::fs::copy(places::program("d"), &file).expect("the folder is ours");
    let stripped = Command::new("strip").arg("-s").arg(&file).status();
    assert!(stripped.expect("binutils are installed").success());
    let program = Program::start_file(&file, 60);
    let (all, code) = report(program.pid());
    assert_eq!(code, Some(1), "{all:#}");
    assert_eq!(problems(&all), ["stripped"]);
    let problem = &all["processes"][0]["problems"][0];
    assert!(
        problem["meaning"]
            .as_str()
            .is_some_and(|m| m.contains("pclntab")),
        "{problem}"
    );
    let own = module(&all, "stripped");
    assert_eq!(
        (&own["symtab"], &own["debug"]),
        (&false.into(), &false.into())
    );
    assert_eq!(all["processes"][0]["go"][0]["verified"], true);
}

#[test]
fn a_program_without_go_and_glibc() {
    let bench = Bench::new();
    let file = bench.file("plain");
    let source = bench.file("plain.c");
    std::fs::write(&source, "int main(void) { for (;;) ; }\n").expect("the folder is ours");
    // musl-gcc is no part of the set-up; a static program by gcc stands in for it.
    let built = ["musl-gcc", "gcc"].into_iter().find(|compiler| {
        let mut command = Command::new(compiler);
        command.args(["-static", "-o", path_arg(&file), path_arg(&source)]);
        command.status().is_ok_and(|status| status.success())
    });
    let compiler = built.expect("gcc is installed");
    let process = Process::start(&mut Command::new(&file));
    let (all, code) = report(process.pid());
    assert_eq!(code, Some(0), "{all:#}");
    let libc = &all["processes"][0]["libc"];
    let kind = if compiler == "gcc" { "glibc" } else { "musl" };
    assert_eq!(
        (&libc["kind"], &libc["linked_in"]),
        (&kind.into(), &true.into())
    );
    assert_eq!(all["processes"][0]["go"], Value::Array(Vec::new()));
    process.signal(nix::sys::signal::Signal::SIGKILL as i32);
}

#[test]
fn code_made_at_run_time() {
    let bench = Bench::new();
    let file = bench.file("jit");
    let source = bench.file("jit.c");
    let code = "#include <sys/mman.h>\n#include <unistd.h>\nint main(void) { \
                mmap(0, 8192, 5, 34, -1, 0); for (;;) pause(); }\n";
    std::fs::write(&source, code).expect("the folder is ours");
    let mut gcc = Command::new("gcc");
    gcc.args(["-o", path_arg(&file), path_arg(&source)]);
    assert!(gcc.status().expect("gcc is installed").success());
    let process = Process::start(&mut Command::new(&file));
    let all = seam_e2e::wait::until("the mapping", || {
        let (all, code) = report(process.pid());
        (code == Some(1)).then_some(all)
    });
    assert_eq!(problems(&all), ["code without a file"]);
    assert_eq!(all["processes"][0]["anonymous_code_bytes"], 8192);
    process.signal(nix::sys::signal::Signal::SIGKILL as i32);
}

#[test]
fn without_privileges() {
    let (bench, _tools, seam) = open_bench();
    let program = Program::start("b", 60);
    let words = ["doctor", &arg(program.pid())];
    let mut command = as_nobody(&bench, "", &seam, &words);
    let outcome = run(&mut command);
    assert_eq!(outcome.code(), Some(1), "{}", outcome.text());
    let text = outcome.stdout.join("\n");
    assert!(text.starts_with("machine   ready, but some"), "{text}");
    for told in [
        "degraded  grade                     without BPF: stacks are copied",
        "degraded  capabilities",
        "CAP_BPF",
        "CAP_PERFMON",
        "CAP_SYS_PTRACE",
    ] {
        assert!(text.contains(told), "no {told:?} in {text}");
    }
    assert!(text.contains("sudo setcap cap_bpf,cap_perfmon,"), "{text}");
    assert!(text.contains("degraded  bpf"), "{text}");
}

#[test]
fn what_can_not_be_looked_at() {
    let _ = Refusal::of(&["doctor", "999999999"])
        .error_has("999999999")
        .hint_has("--name");
    let _ = Refusal::of(&["doctor", "x"]).hint_has("seam doctor --help");
    let _ = Refusal::of(&["doctor", "--name", "^no such [p]rogram$"]).error_has("no such [p]");
    let _ = Refusal::of(&["doctor", "1", "--name", "x"]).error_has("more than one");
}
