//! Empty mapping sets that the kernel side puts in force when a process executes something and has
//! no set of its own prepared: a child of which user space has not heard, or a program that
//! executes again at once. What they hold is taken from the kernel, since the process may be gone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use seam_wire::SEAM_SPARE_SETS;

use super::Session;
use crate::{MappedModule, Module, ProcessMap, Result};

/// Kept ready where children are followed: a hundred milliseconds of 2,000 programs a second.
const FOR_CHILDREN: usize = SEAM_SPARE_SETS as usize;
/// Where they are not: for targets that execute one program after the other.
const FOR_TARGETS: usize = 32;
/// How long a set is kept for a process that may still run by it.
const GRACE: Duration = Duration::from_secs(2);

/// What became of the sets.
#[derive(Default)]
pub(super) struct SpareSets {
    /// In the order in which the kernel takes them.
    ready: VecDeque<u32>,
    used: Vec<(Instant, u32)>,
}

impl Session {
    /// Takes in which sets were used, and puts new ones in their place.
    pub(super) fn renew_spares(&mut self) -> Result<()> {
        let next = self.kernel.next_spare_set();
        let modules: HashMap<u32, Arc<Module>> = self.modules_by_slot();
        while let Some(set) = self.spares.ready.front().copied() {
            if next == Some(set) {
                break;
            }
            self.spares.ready.pop_front();
            let map = self.map_of_set(set, &modules);
            self.history.insert(set, map);
            self.spares.used.push((Instant::now(), set));
        }
        let wanted = match self.options.follow_children {
            true => FOR_CHILDREN,
            false => FOR_TARGETS,
        };
        while self.spares.ready.len() < wanted {
            let set = self.next_set;
            self.next_set += 1;
            self.kernel.install_set(set, &[])?;
            self.kernel.offer_spare_set(set)?;
            self.spares.ready.push_back(set);
        }
        self.drop_used_spares();
        Ok(())
    }

    fn drop_used_spares(&mut self) {
        let old = |(since, _): &(Instant, u32)| since.elapsed() > GRACE;
        if !self.spares.used.iter().any(old) {
            return;
        }
        let alive = self.processes.iter().filter(|(_, t)| !t.ended);
        let in_force: HashSet<u32> = alive
            .flat_map(|(pid, t)| [t.set, self.kernel.set_of_process(*pid)])
            .collect();
        let used = std::mem::take(&mut self.spares.used);
        for (since, set) in used {
            if since.elapsed() <= GRACE || in_force.contains(&set) {
                self.spares.used.push((since, set));
                continue;
            }
            self.kernel.remove_set(set);
            self.history.forget(set, |set| self.collector.uses(set));
        }
    }

    fn modules_by_slot(&self) -> HashMap<u32, Arc<Module>> {
        let modules = self.modules.all().iter();
        let slotted = modules.filter_map(|module| {
            let slot = self.slots.get(&module.number).filter(|slot| **slot != 0)?;
            Some((*slot, Arc::clone(module)))
        });
        slotted.collect()
    }

    /// What the kernel side found mapped when it put a set in force.
    fn map_of_set(&self, set: u32, modules: &HashMap<u32, Arc<Module>>) -> ProcessMap {
        let mapped = self.kernel.mappings_of(set).into_iter().filter_map(|m| {
            let module = modules.get(&m.table)?;
            let base = module.table.as_ref().ok()?.table.base;
            let load_bias = m.bias.wrapping_sub(base);
            Some(MappedModule {
                start: m.start,
                end: m.end,
                offset: module.offset_of(m.start.wrapping_sub(load_bias)),
                load_bias,
                module: Arc::clone(module),
            })
        });
        ProcessMap {
            mappings: mapped.collect(),
        }
    }
}
