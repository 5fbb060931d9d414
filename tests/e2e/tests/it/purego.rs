//! Program u: the C between two Go parts of a stack when there is no cgo.

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};

/// libc's part, which program u's truth file can't name, stands where it belongs.
#[test]
fn libc_stands_between_caller_and_callback() {
    for go in places::versions_of("u") {
        let program = Program::start_file(&places::program_by(&go, "u"), 60);
        let bench = Bench::new();
        run_well(&mut bench.record(program.pid(), "-d 2s -r 499 -o x.pb.gz -o x.json"));
        assert_eq!(not_rooted(&bench.json("x.json")), [""; 0], "{go}");
        let profile = bench.pprof("x.pb.gz");
        let called_back: Vec<_> = profile
            .stacks
            .iter()
            .filter(|s| s.has("main.compareU"))
            .collect();
        let samples: i64 = called_back.iter().map(|s| s.count).sum();
        assert!(samples > 50, "{go}: {samples}");
        for stack in called_back {
            let at = |name: &str| stack.frames.iter().position(|f| f.name == name);
            let path = ["main.sortU", "qsort_r", "main.compareU"].map(at);
            let whole = path.iter().all(Option::is_some) && path.is_sorted();
            assert!(whole, "{go}: {}", stack.text());
        }
    }
}
