//! `step PROGRAM STEPS [THREAD]`: starts PROGRAM, single-steps a thread, and prints every place
//! where the walk failed or contradicted the instruction that was executed.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::{Context, Result};
use seam_replay::stepper::{Stepper, Stop};
use seam_wire::{end, frame_address};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let program = args.next().context("step PROGRAM STEPS")?;
    let steps: u64 = args.next().context("STEPS")?.parse()?;
    let mut child = std::process::Command::new(&program)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .context("starting the program")?;
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line)?;
    let result = run(child.id() as i32, steps);
    child.kill().ok();
    child.wait().ok();
    result
}

fn run(pid: i32, steps: u64) -> Result<()> {
    let mut stepper = Stepper::attach(pid, pid)?;
    let names = Namer::default();
    let mut before = stepper.now()?;
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut faults: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut deliver = None;
    for _ in 0..steps {
        let code = stepper.bytes(before.regs.rip)?;
        let after = stepper.step(deliver)?;
        let signalled = deliver.is_some();
        deliver = after.signal;
        *ends.entry(end(after.walked.header.end).id).or_default() += 1;
        let gogo = names.name(&stepper, before.regs.rip).starts_with("gogo ");
        if let Some(what) = fault(&before, &after, &code, signalled || gogo) {
            let function = names.name(&stepper, after.regs.rip);
            let function = function.split(' ').next().unwrap_or_default().to_owned();
            let key = format!("{what} at {function}");
            let entry = faults.entry(key).or_insert_with(|| {
                let text = |s: &Stop| {
                    s.walked.user.iter().map(|f| names.name(&stepper, frame_address(*f))).collect::<Vec<_>>().join("\n      ")
                };
                (0, format!("   before ({:x?})\n      {}\n   after ({} endpc {:x} rsp {:x} goid {} flags {:x})\n      {}", code, text(&before), end(after.walked.header.end).id, after.walked.header.end_pc, after.regs.rsp, after.walked.header.goid, after.walked.header.flags, text(&after)))
            });
            entry.0 += 1;
        }
        before = after;
    }
    println!("ends {ends:?}");
    for (what, (count, first)) in &faults {
        println!("{count} × {what}\n{first}");
    }
    println!("{} kinds of faults", faults.len());
    Ok(())
}

/// What a single instruction may change.
fn fault(before: &Stop, after: &Stop, code: &[u8], signalled: bool) -> Option<String> {
    if !end(after.walked.header.end).root {
        return Some(format!("not rooted: {}", end(after.walked.header.end).id));
    }
    // A stop for a signal executes nothing; the scheduler lets go of goroutines.
    let scheduler = end(after.walked.header.end).id == "root-scheduler";
    let before_root = end(before.walked.header.end).root;
    if signalled || after.signal.is_some() || scheduler || !before_root {
        return None;
    }
    let (old, new) = (callers(before), callers(after));
    let ok = match kind(code) {
        Kind::Call => new.len() == old.len() + 1 && new[1..] == old[..],
        Kind::Return => !old.is_empty() && new[..] == old[1..],
        Kind::Other => new == old,
        Kind::Unknown => true,
    };
    (!ok).then(|| "frames changed".to_owned())
}

fn callers(stop: &Stop) -> Vec<u64> {
    stop.walked
        .user
        .iter()
        .skip(1)
        .map(|f| frame_address(*f))
        .collect()
}

enum Kind {
    Call,
    Return,
    Other,
    Unknown,
}

fn kind(code: &[u8]) -> Kind {
    let code = match code[0] {
        0x40..=0x4f | 0xf2 | 0xf3 | 0x3e | 0x66 => &code[1..],
        _ => code,
    };
    match code[0] {
        0xe8 => Kind::Call,
        0xff if (code[1] >> 3) & 7 == 2 => Kind::Call,
        0xc3 | 0xc2 => Kind::Return,
        0x0f if code[1] == 5 => Kind::Unknown,
        _ => Kind::Other,
    }
}

#[derive(Default)]
struct Namer {
    cache: std::cell::RefCell<BTreeMap<u64, String>>,
}

impl Namer {
    fn name(&self, stepper: &Stepper, address: u64) -> String {
        if let Some(name) = self.cache.borrow().get(&address) {
            return name.clone();
        }
        let name = self
            .find(stepper, address)
            .unwrap_or_else(|| format!("{address:#x}"));
        self.cache.borrow_mut().insert(address, name.clone());
        name
    }

    fn find(&self, stepper: &Stepper, address: u64) -> Option<String> {
        let mapping = stepper.map.find(address)?;
        let vaddr = address.wrapping_sub(mapping.load_bias);
        let plain = format!("{}+{vaddr:#x}", mapping.module.name());
        let Some(file) = &mapping.module.file else {
            return Some(plain);
        };
        let cache = seam_object::ReadCache::new(file);
        let elf = seam_object::Elf::parse(&cache).ok()?;
        let symbols = seam_symbolize::ModuleSymbols::new(&elf);
        let found = symbols.resolve(vaddr).pop().map(|f| f.name);
        Some(found.map_or(plain, |n| format!("{n} {vaddr:#x}")))
    }
}
