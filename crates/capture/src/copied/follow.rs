//! Keeping true what is known of processes that are recorded without BPF: mappings, exec, children,
//! and the names of threads.

use std::collections::HashMap;
use std::sync::Arc;

use seam_memory::Live;
use seam_unwind::TableSet;

use super::machines::{Machines, Places};
use super::{CopySession, Followed};
use crate::sideband::Event;
use crate::target::describe_or;
use crate::tracked::Tracked;
use crate::{Module, ProcessMap, Target};

impl CopySession {
    pub(super) fn follow(&mut self, event: Event) {
        match event {
            Event::Mapped { pid, entry } => {
                if let Some(followed) = self.processes.get_mut(&pid) {
                    followed.tracked.map.insert(pid, &entry, &mut self.modules);
                    self.publish(pid);
                }
            }
            Event::Executed { pid, name } => {
                if let Some(followed) = self.processes.get_mut(&pid) {
                    let map = ProcessMap::read(pid, &mut self.modules);
                    followed.tracked.map = map.unwrap_or_default();
                    followed.tracked.target = describe_or(pid, &name);
                    followed.machines.clear();
                    followed.threads.clear();
                    self.publish(pid);
                }
            }
            Event::Forked { parent, pid } if self.options.follow_children => {
                if let Some(followed) = self.processes.get(&parent) {
                    let map = followed.tracked.map.clone();
                    let child = describe_or(pid, &followed.tracked.target.name);
                    self.track(child, map, false);
                    if let Some(followed) = self.processes.get_mut(&pid) {
                        followed.tracked.is_child = true;
                    }
                }
            }
            Event::Forked { .. } | Event::Exited { .. } | Event::Lost { .. } => {}
        }
    }

    pub(super) fn reread(&mut self) {
        let pids: Vec<i32> = self.processes.keys().copied().collect();
        for pid in pids {
            self.counters.sideband_lost += 1;
            if let Ok(map) = ProcessMap::read(pid, &mut self.modules)
                && let Some(followed) = self.processes.get_mut(&pid)
            {
                followed.tracked.map = map;
                self.publish(pid);
            }
        }
    }

    pub(super) fn track(&mut self, target: Target, map: ProcessMap, started_here: bool) {
        let pid = target.pid;
        let followed = Followed {
            tracked: Tracked::new(target, map, started_here),
            machines: Machines::default(),
            mappings: Vec::new(),
            runtimes: Vec::new(),
            places: Vec::new(),
            threads: HashMap::new(),
            kernel_first_ns: 0,
            kernel_last_ns: 0,
        };
        self.processes.insert(pid, followed);
        self.publish(pid);
    }

    /// Puts a process's current mappings in force.
    fn publish(&mut self, pid: i32) {
        let Some(followed) = self.processes.get_mut(&pid) else {
            return;
        };
        followed.tracked.note_made_code();
        let map = &followed.tracked.map;
        let runtimes = map.go_runtimes(&Live::new(pid));
        let (slots, tables) = (&mut self.slots, &mut self.tables);
        followed.mappings = map.wire(&runtimes, |module| slot(slots, tables, module));
        let of_module = |number: u32| {
            let module = self.modules.all().get(number as usize)?;
            let go = module.table.as_ref().ok()?.go.as_ref()?;
            Places::of(&go.offsets.offsets).filter(|_| go.offsets.verified)
        };
        followed.places = runtimes.iter().map(|(n, _)| of_module(*n)).collect();
        followed.runtimes = runtimes.into_iter().map(|(_, runtime)| runtime).collect();
        let set = self.next_set;
        self.next_set += 1;
        self.history.insert(set, map.clone());
        let old = std::mem::replace(&mut followed.tracked.set, set);
        self.history.follow(old, set);
        self.history.forget(old, |set| self.collector.uses(set));
    }
}

/// The slot of a module's table, which is added if it is new.
fn slot(slots: &mut HashMap<u32, u32>, tables: &mut TableSet, module: &Arc<Module>) -> u32 {
    *slots
        .entry(module.number)
        .or_insert_with(|| match &module.table {
            Ok(built) => tables.add_table(&built.table.words),
            Err(_) => 0,
        })
}

/// A thread's name, and its number in its own namespace.
pub(super) fn thread(pid: i32, tid: i32) -> ([u8; 16], u64) {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/{file}"));
    let mut comm = [0; 16];
    let name = read("comm").unwrap_or_default();
    let name = name.trim_end().as_bytes();
    comm[..name.len().min(15)].copy_from_slice(&name[..name.len().min(15)]);
    let status = read("status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("NSpid:"));
    let own = line.and_then(|l| l.split_whitespace().last()?.parse().ok());
    (comm, own.unwrap_or(tid as u64))
}
