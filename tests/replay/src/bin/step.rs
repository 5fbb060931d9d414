//! `step PROGRAM STEPS`: single-steps a program's main thread and prints every place where the walk
//! failed or contradicted the instruction that was executed.
//! `step PROGRAM STEPS OUT`: records one case for every combination of rules met, too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use seam_replay::cases::{Case, CaseFile};
use seam_replay::check::contradiction;
use seam_replay::names::Namer;
use seam_replay::program::Running;
use seam_replay::registers::{pc, start};
use seam_replay::stepper::{Stepper, Stop};
use seam_wire::{Arch, end, frame_address};

/// Steps without a goroutine after which the thread is let run.
const IDLE_STEPS: u32 = 500;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let program = args.next().context("step PROGRAM STEPS [OUT]")?;
    let steps: u64 = args.next().context("STEPS")?.parse()?;
    let running = Running::start(Path::new(&program))?;
    let mut stepper = Stepper::attach(running.pid(), running.pid())?;
    let mut cases = CaseFile::new(program.clone(), stepper.tables());
    let namer = Namer::default();
    let mut before = stepper.now()?;
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut faults: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    let mut idle = 0;
    for step in 0..steps {
        let code = stepper.bytes(pc(&before.regs))?;
        let leaf = namer.name(&stepper.map, pc(&before.regs));
        let after = stepper.step(before.deliver(step))?;
        *ends.entry(end(after.walked.header.end).id).or_default() += 1;
        if let Some(what) = contradiction(&before, &after, &code, &leaf) {
            let entry = faults
                .entry(format!("{what} in {leaf}"))
                .or_insert_with(|| {
                    (
                        0,
                        format!(
                            "{}\n   then\n{}",
                            text(&stepper, &namer, &before),
                            text(&stepper, &namer, &after)
                        ),
                    )
                });
            entry.0 += 1;
        }
        let name = case_name(&stepper, &namer, &after);
        if kinds.insert(name.clone()) {
            let named = |a| namer.name(&stepper.map, a);
            let case = Case::record(
                name,
                &start(&after.regs),
                stepper.memory(),
                stepper.tables(),
                named,
            );
            cases.cases.push(case);
        }
        let scheduler = end(after.walked.header.end).id == "root-scheduler";
        idle = if scheduler { idle + 1 } else { 0 };
        before = if idle > IDLE_STEPS {
            idle = 0;
            stepper.run(after.deliver(step), Duration::from_millis(1))?
        } else {
            after
        };
    }
    println!("ends {ends:?}");
    for (what, (count, first)) in &faults {
        println!("{count} × {what}\n{first}");
    }
    println!(
        "{} kinds of faults, {} cases",
        faults.len(),
        cases.cases.len()
    );
    if let Some(out) = args.next() {
        cases.write(Path::new(&out))?;
    }
    Ok(())
}

/// What makes a walk worth a case of its own: its rules, and the function where they meet.
fn case_name(stepper: &Stepper, namer: &Namer, stop: &Stop) -> String {
    let rules = stepper.rules(stop);
    let leaf = namer.name(&stepper.map, pc(&stop.regs));
    let switch = SWITCHES.contains(&leaf.as_str());
    if switch {
        format!("{rules} in {leaf}")
    } else {
        rules
    }
}

/// Functions in which every rule met is worth a case.
const SWITCHES: [&str; 19] = [
    "runtime.asmcgocall",
    "runtime.systemstack",
    "runtime.cgocallback",
    "runtime.mcall",
    "runtime.morestack",
    "gogo",
    "runtime.gogo",
    "crosscall2",
    "runtime.sigtramp",
    "runtime.cgoSigtramp",
    "runtime.asyncPreempt",
    "runtime.sigpanic",
    "runtime.nanotime1",
    "time.now",
    "runtime.doSigPreempt",
    "gosave_systemstack_switch",
    "runtime.morestack_noctxt",
    "runtime.save_g",
    "runtime.walltime",
];

fn text(stepper: &Stepper, namer: &Namer, stop: &Stop) -> String {
    let name = |f: &u64| format!("      {}\n", namer.name(&stepper.map, frame_address(*f)));
    let frames: String = stop.walked.user.iter().map(name).collect();
    let header = &stop.walked.header;
    format!(
        "   {} at {:#x}, sp {:#x}\n{frames}",
        end(header.end).id,
        header.end_pc,
        start(&stop.regs).reg[Arch::HOST.sp() as usize]
    )
}
