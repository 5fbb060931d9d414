//! Program s: malloc, qsort with Go callbacks, exceptions, panics through C, deep recursion, GC and
//! stack growth in callbacks, setjmp, timers, locked threads, thread churn, signals on foreign
//! stacks and the runtime's own profiler, all at once.

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};

#[test]
fn nearly_every_stack_has_a_root() {
    for go in places::versions_of_unlisted("s") {
        let program = Program::start_file(&places::program_by(&go, "s"), 60);
        let bench = Bench::new();
        run_well(&mut bench.record(program.pid(), "-d 5s -r 999 -o x.pb.gz -o x.json"));
        let summary = bench.json("x.json");
        let samples = summary["samples"].as_u64().expect("a count");
        assert!(samples > 1000, "{go}: {samples}");
        let reasons = summary["quality"]["end_reasons"]
            .as_array()
            .expect("a list");
        let broken = reasons.iter().filter(|r| r["root"] != true);
        let broken: u64 = broken.filter_map(|r| r["samples"].as_u64()).sum();
        println!(
            "{go}: {broken} of {samples} not rooted: {:?}",
            not_rooted(&summary)
        );
        // 99.97 % or more by hand (docs/benchmarks.md says when).
        assert!(
            broken * 1000 <= samples * 3,
            "{go}: {:?}",
            not_rooted(&summary)
        );
        // It all took part.
        let profile = bench.pprof("x.pb.gz");
        let parts = [
            "seam_s_sort",
            "seam_s_heap",
            "seam_s_deep",
            "seam_s_alloca",
            "main.goPanicS",
            "seam_s_setjmp",
            "main.goFromThreadS",
            "seam_s_throw",
            "main.grow",
            "seam_s_handler",
            "main.goCompareS",
        ];
        for part in parts {
            assert!(
                profile.count_where(|s| s.has(part)) > 0,
                "{go}: {part} was not seen"
            );
        }
    }
}
