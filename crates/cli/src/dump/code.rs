//! What the code of a Go runtime's module says of addresses in it: frames, and waits for contexts.
//! The file is read when it is first asked.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::rc::Rc;

use seam_capture::ImageRuntime;
use seam_go::{Frame, GoModule};
use seam_object::{Elf, ReadCache};

/// Answers for addresses of the process.
pub(crate) trait Code {
    /// The frame of the code that a call returns to.
    fn frame(&self, pc: u64) -> Option<Rc<Frame>>;

    /// Whether the call that returns there waits for what a context's Done has returned; `select`
    /// if it is one of several channels.
    fn waits_for_done(&self, pc: u64, select: bool) -> bool;
}

/// Does something with the code of a runtime's module.
pub(crate) fn with_code<T>(runtime: &ImageRuntime, work: impl FnOnce(&dyn Code) -> T) -> T {
    let cache = runtime.module.file.as_ref().map(ReadCache::new);
    work(&OfFile {
        cache: cache.as_ref(),
        parsed: OnceCell::new(),
        load_bias: runtime.load_bias,
        frames: RefCell::default(),
    })
}

type Cached<'d> = &'d ReadCache<&'d File>;

struct OfFile<'d> {
    cache: Option<Cached<'d>>,
    parsed: OnceCell<Option<(Elf<'d, Cached<'d>>, GoModule<'d>)>>,
    load_bias: u64,
    frames: RefCell<HashMap<u64, Option<Rc<Frame>>>>,
}

impl<'d> OfFile<'d> {
    fn parsed(&self) -> Option<&(Elf<'d, Cached<'d>>, GoModule<'d>)> {
        let parse = || {
            let elf = Elf::parse(self.cache?).ok()?;
            let go = GoModule::find(&elf).ok()??;
            Some((elf, go))
        };
        self.parsed.get_or_init(parse).as_ref()
    }
}

impl Code for OfFile<'_> {
    fn frame(&self, pc: u64) -> Option<Rc<Frame>> {
        let frame = || {
            let (elf, go) = self.parsed()?;
            go.frame(elf, pc.wrapping_sub(self.load_bias)).map(Rc::new)
        };
        self.frames
            .borrow_mut()
            .entry(pc)
            .or_insert_with(frame)
            .clone()
    }

    fn waits_for_done(&self, pc: u64, select: bool) -> bool {
        self.parsed().is_some_and(|(elf, go)| {
            go.waits_for_done(elf, pc.wrapping_sub(self.load_bias), select)
        })
    }
}
