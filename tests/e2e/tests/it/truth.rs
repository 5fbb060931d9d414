//! Every stack of every test program is what it must be by construction.

use std::time::Duration;

use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};
use seam_e2e::truth::{Truth, Verdict};
use seam_e2e::{places, wait};

/// Samples with an application frame that a program is judged by.
const ENOUGH: i64 = 500;
/// How often a recording is made again on a machine too busy for enough samples.
const ROUNDS: usize = 4;
/// Seconds that a program works: its recording, and room before and after.
const WORK: u32 = 7;
/// Wrong stacks that are printed of one program.
const SHOWN: usize = 6;

/// Checks a program by each Go version it is tested with.
fn check(name: &str) {
    let versions = places::versions_of(name);
    assert!(!versions.is_empty(), "SEAM_MATRIX leaves {name} out");
    let results: Vec<String> = versions
        .iter()
        .filter_map(|version| check_version(name, version, None).err())
        .collect();
    assert!(results.is_empty(), "{}", results.join("\n"));
}

/// As older kernels without `bpf_loop` walk stacks.
#[test]
fn a_to_f_by_tail_calls() {
    let results: Vec<String> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .filter_map(|name| check_version(name, places::machine_go(), Some("tail-calls")).err())
        .collect();
    assert!(results.is_empty(), "{}", results.join("\n"));
}

/// `form` of the kernel side; without one seam chooses.
fn check_version(name: &str, version: &str, form: Option<&str>) -> Result<(), String> {
    let mut sum = Verdict::default();
    let mut problems = Vec::new();
    for _ in 0..ROUNDS {
        let Some(verdict) = round(name, version, form, &mut problems) else {
            continue;
        };
        sum.application += verdict.application;
        sum.other += verdict.other;
        sum.half_installed += verdict.half_installed;
        sum.wrong.extend(verdict.wrong);
        for (leaf, count) in verdict.innermost {
            *sum.innermost.entry(leaf).or_default() += count;
        }
        if sum.application >= ENOUGH || !sum.wrong.is_empty() {
            break;
        }
    }
    let (application, other) = (sum.application, sum.other);
    println!("{version}/{name}: {application} application samples, {other} others");
    if application < ENOUGH {
        problems.push(format!("only {application} application samples"));
    }
    // At 4,999 Hz there were 4 in 49,665.
    if sum.half_installed > 1 + application / 1000 {
        problems.push(format!("{} half-installed stacks", sum.half_installed));
    }
    let truth = Truth::of(name);
    let missed = truth.leaves().into_iter().filter(|leaf| !is_brief(leaf));
    for leaf in missed.filter(|leaf| !sum.innermost.contains_key(*leaf)) {
        problems.push(format!("{leaf} was never innermost"));
    }
    if !sum.wrong.is_empty() {
        problems.push(format!("{} wrong stacks", sum.wrong.len()));
        problems.extend(sum.wrong.into_iter().take(SHOWN));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{version}/{name}:\n{}", problems.join("\n")))
}

/// Functions in which a program is for microseconds in all.
fn is_brief(leaf: &str) -> bool {
    const ONCE: [&str; 6] = [
        "seam_e_start",
        "seam_e_begin",
        "seam_e_end",
        "seam_e_join",
        "main.goHelloE",
        "seam_k_open",
    ];
    // Throwing is slow, the function that throws is not.
    ONCE.contains(&leaf) || leaf.starts_with("seam_cpp::refuse")
}

/// Samples a second: `SEAM_TRUTH_RATE` finds what is rare.
fn rate() -> String {
    std::env::var("SEAM_TRUTH_RATE").unwrap_or_else(|_| "499".to_owned())
}

/// One recording; none if it did not lie between the program's marks.
fn round(
    name: &str,
    version: &str,
    form: Option<&str>,
    problems: &mut Vec<String>,
) -> Option<Verdict> {
    let bench = Bench::new();
    let program = Program::start_file(&places::program_by(version, name), WORK);
    let options = format!("-d 4s -r {} -o x.pb.gz -o x.json", rate());
    run_well(
        bench
            .record(program.pid(), &options)
            .envs(form.map(|form| ("SEAM_WALK", form))),
    );
    let over = wait::monotonic_ns();
    let (said, outcome) = program.end(Duration::from_secs(30));
    // The recorded program must not notice.
    if !(said.ok && outcome.code() == Some(0)) {
        problems.push(format!("the program failed: {}", outcome.text()));
    }
    if said.stop_ns.is_none_or(|stop| stop < over) {
        println!("{version}/{name}: a recording outlived the program's work, once more");
        return None;
    }
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    // The summary counts as broken what carries the label, and is told wrong for it.
    let broken = profile.count_where(|s| s.texts.contains_key("end"));
    let whole = &summary["quality"]["whole"];
    if *whole != profile.count() - broken {
        let reasons = not_rooted(&summary);
        problems.push(format!("{whole} whole, {broken} labelled, {reasons:?}"));
    }
    let verdict = Truth::of(name).check(&profile, &said);
    // The code must agree: no frame was called from where it can't have been. In half-installed
    // stacks a few are.
    let edges = &summary["quality"]["edges"];
    let count = |what: &str| edges[what].as_u64().unwrap_or(0);
    let judged = edges["impossible"].is_u64() && count("verified") as i64 > verdict.application;
    if !judged || count("impossible") > 4 * verdict.half_installed as u64 {
        problems.push(format!("edges: {edges}, {}", summary["quality"]["notes"]));
    }
    Some(verdict)
}

macro_rules! programs {
    ($($test:ident $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        /// A new program must be listed here.
        #[test]
        fn every_program_is_checked() {
            let folder = places::repository().join("tests/programs");
            let entries = std::fs::read_dir(folder).expect("the programs are in the repository");
            let paths = entries.map(|entry| entry.expect("readable").path());
            let mut found: Vec<_> = paths
                .filter(|path| path.join("truth.json").is_file())
                .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                .collect();
            found.sort();
            let mut listed = vec![$($name),*];
            listed.sort_unstable();
            assert_eq!(found, listed);
        }
    };
}

programs!(
    a_go "a",
    b_go_c "b",
    c_go_c_go "c",
    d_go_c_go_c "d",
    e_c_thread_go_c "e",
    f_stack_grows_in_callback "f",
    k_kernel "k",
    n_three_calls_two_callbacks "n",
    p_plain_c "p-c",
    p_plain_cpp "p-cpp",
    t_coroutines "t",
    u_callbacks_without_cgo "u",
    v_vdso "v",
);
