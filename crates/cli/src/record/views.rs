//! Stacks as asked for: under the stack that made their thread (`--started-by`), or under a frame
//! for the thread, goroutine, state or label they belong to (`--group`). Works on raw recordings,
//! so that every output shows the same.

use std::collections::HashMap;

use seam_analyze::Activity;
use seam_capture::{RawSample, Recording};
use seam_wire::{SEAM_END_ROOT_THREAD, SEAM_SAMPLE_GO_THREAD, SampleHeader};

use super::words;

/// Makers of makers that are followed.
const MAKERS_MAX: usize = 8;

/// What to do to stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Views {
    /// Put a thread's stacks under the stack that made the thread.
    pub(crate) started_by: bool,
    /// Put all stacks under a frame.
    pub(crate) group: Option<Group>,
}

/// What stacks are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    /// The process.
    Process,
    /// The thread's name and id.
    Thread,
    /// The goroutine.
    Goroutine,
    /// The goroutine's state.
    State,
    /// The module of the innermost user frame.
    Module,
    /// What the Go runtime was busy with.
    Activity,
    /// The value of one of the program's labels.
    Label(String),
}

impl std::str::FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "process" => Ok(Self::Process),
            "thread" => Ok(Self::Thread),
            "goroutine" => Ok(Self::Goroutine),
            "state" => Ok(Self::State),
            "module" => Ok(Self::Module),
            "activity" => Ok(Self::Activity),
            _ => match text.strip_prefix("label:") {
                Some(key) if !key.is_empty() => Ok(Self::Label(key.to_owned())),
                _ => Err(format!(
                    "{text:?} is none of process, thread, goroutine, state, module, activity and \
                     label:KEY"
                )),
            },
        }
    }
}

impl Group {
    /// The name of the frame that a sample's stack is put under.
    pub(crate) fn name(
        &self,
        recording: &Recording,
        sample: &RawSample,
        activity: Option<Activity>,
    ) -> String {
        let header = &sample.header;
        match self {
            Self::Process => {
                let mut targets = recording.targets.iter();
                let target = targets.find(|t| t.target.pid as u32 == header.pid);
                let name = target.map_or_else(|| comm(header), |t| t.target.name.clone());
                format!("[{name} {}]", header.pid)
            }
            Self::Thread => format!("[thread {} {}]", comm(header), header.tid),
            Self::Goroutine if header.goid == 0 => "[no goroutine]".to_owned(),
            Self::Goroutine => format!("[goroutine {}]", header.goid),
            Self::State if header.goid == 0 => "[no goroutine]".to_owned(),
            Self::State => format!("[{}]", words::go_state(header.go_status)),
            Self::Module => {
                let stack = &recording.stacks[sample.stack as usize];
                let leaf = stack.user.first();
                let place =
                    leaf.and_then(|f| super::symbolize::place(recording, stack.mapping_set, *f));
                let name = place.map_or("unknown", |p| p.mapping.module.name());
                format!("[{}]", name.trim_matches(['[', ']']))
            }
            Self::Activity => format!("[{}]", activity.map_or("no activity", Activity::word)),
            Self::Label(key) => {
                let labels = &recording.labels[sample.labels as usize];
                let value = labels.iter().find(|(k, _)| k == key);
                value.map_or_else(|| format!("[no {key}]"), |(_, v)| format!("[{key}={v}]"))
            }
        }
    }
}

/// The kernel's name for a sample's thread.
fn comm(header: &SampleHeader) -> String {
    let name = header.comm.split(|b| *b == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// Who made which thread.
#[derive(Debug, Default)]
pub(crate) struct Births<'a> {
    by_thread: HashMap<(u32, u32), &'a RawSample>,
}

impl<'a> Births<'a> {
    pub(crate) fn of(recording: &'a Recording) -> Self {
        let born = |birth: &'a RawSample| ((birth.header.pid, birth.header.born), birth);
        Self {
            by_thread: recording.births.iter().map(born).collect(),
        }
    }

    /// The stacks of those who made a sample's thread, the nearest first. None for the runtime's
    /// own threads: which goroutine happened to start one says nothing of what it runs.
    pub(crate) fn makers(&self, header: &SampleHeader) -> Vec<&'a RawSample> {
        let mut makers = Vec::new();
        let mut at = (header.pid, header.tid);
        if u32::from(header.end) != SEAM_END_ROOT_THREAD {
            return makers;
        }
        while let Some(maker) = self.by_thread.get(&at) {
            if makers.len() == MAKERS_MAX {
                break;
            }
            makers.push(*maker);
            at = (maker.header.pid, maker.header.tid);
            let rooted_in_c = u32::from(maker.header.end) == SEAM_END_ROOT_THREAD;
            if !rooted_in_c || u32::from(maker.header.flags) & SEAM_SAMPLE_GO_THREAD != 0 {
                break;
            }
        }
        makers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seam_wire::{SEAM_END_ROOT_GO, SEAM_SAMPLE_SPAWN};

    fn sample(tid: u32, born: u32, end: u32) -> RawSample {
        RawSample {
            stack: 0,
            labels: 0,
            header: SampleHeader {
                pid: 1,
                tid,
                born,
                end: end as u8,
                flags: SEAM_SAMPLE_SPAWN as u16,
                ..SampleHeader::default()
            },
        }
    }

    #[test]
    fn makers_are_followed_to_the_goroutine() {
        let recording = Recording {
            births: vec![
                sample(10, 11, SEAM_END_ROOT_GO),
                sample(11, 12, SEAM_END_ROOT_THREAD),
                // A thread that says it made itself must not be followed for ever.
                sample(13, 13, SEAM_END_ROOT_THREAD),
            ],
            ..Recording::default()
        };
        let births = Births::of(&recording);
        let tids = |tid, end| -> Vec<u32> {
            let makers = births.makers(&sample(tid, 0, end).header);
            makers.iter().map(|m| m.header.tid).collect()
        };
        assert_eq!(tids(12, SEAM_END_ROOT_THREAD), [11, 10]);
        assert_eq!(tids(12, SEAM_END_ROOT_GO), [] as [u32; 0]);
        assert_eq!(tids(13, SEAM_END_ROOT_THREAD).len(), MAKERS_MAX);
    }

    #[test]
    fn groups_are_named() {
        assert_eq!("label:path".parse(), Ok(Group::Label("path".to_owned())));
        for wrong in ["", "label:", "goroutines", "Thread"] {
            assert!(wrong.parse::<Group>().is_err(), "{wrong:?}");
        }
    }
}
