//! Files whose section headers are gone, cut off or nonsense: the loader never reads them, and what
//! describes the stacks is loaded with the code.

use std::time::Duration;

use seam_e2e::elf::{Headers, without_section_headers};
use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};

#[test]
fn stacks_need_no_section_headers() {
    for name in ["d", "p-cpp", "e"] {
        for how in [Headers::Gone, Headers::CutOff, Headers::Mad] {
            let bench = Bench::new();
            let file = bench.file(name);
            without_section_headers(&places::program(name), &file, how);
            let program = Program::start_file(&file, 4);
            let options = "-d 1500ms -r 499 -o x.pb.gz -o x.json";
            run_well(&mut bench.record(program.pid(), options));
            let (said, _) = program.end(Duration::from_secs(30));
            let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
            assert_eq!(not_rooted(&summary), [""; 0], "{name} {how:?}");
            let edges = &summary["quality"]["edges"];
            assert_eq!(edges["impossible"], 0, "{name} {how:?}: {edges}");
            assert!(profile.count() > 50, "{name} {how:?}: {}", profile.count());
            if name == "d" {
                // C has lost its names with the headers; Go has its own table.
                let worker = |s: &seam_e2e::pprof::Stack| {
                    let known = s.numbers.get("goid").copied();
                    s.has("main.workerD")
                        && known.is_some_and(|g| said.goroutines["main.workerD"].contains(&g))
                };
                let samples = profile.count_where(worker);
                assert!(samples > 20, "{how:?}: {samples}");
            }
        }
    }
}
