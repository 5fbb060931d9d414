//! Names for the addresses of a dump, through the same readers as those of a recording.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use seam_capture::Image;
use seam_dump::{Frame, Kind, Placed, Stack};
use seam_symbolize::{Frame as Named, Origin};
use seam_wire::frame_address;

use super::stacks::RawStack;
use crate::record::symbolize::{lookup_address, resolve};

/// Everything named, by module and address as linked.
pub(super) struct Names<'a> {
    image: &'a Image,
    frames: HashMap<(u32, u64), Vec<Named>>,
    /// What could not be read.
    pub(super) notes: Vec<String>,
}

impl<'a> Names<'a> {
    /// Finds names for the frames of stacks and for other addresses, which are looked up as they
    /// are.
    pub(super) fn of(image: &'a Image, stacks: &[RawStack], others: &BTreeSet<u64>) -> Self {
        let frames = stacks.iter().flat_map(|s| s.frames.iter());
        let lookups = frames.map(|f| lookup_address(*f));
        let mut wanted: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
        for address in lookups.chain(others.iter().copied()) {
            if let Some((module, linked)) = place(image, address) {
                wanted.entry(module).or_default().insert(linked);
            }
        }
        let mut found = HashMap::new();
        let mut notes = Vec::new();
        for (number, addresses) in wanted {
            let Some(module) = image.modules.get(number as usize) else {
                continue;
            };
            for (address, frames) in resolve(module, &addresses, None, &mut notes) {
                found.insert((number, address), frames);
            }
        }
        Self {
            image,
            frames: found,
            notes,
        }
    }

    fn at(&self, address: u64) -> &[Named] {
        place(self.image, address)
            .and_then(|place| self.frames.get(&place))
            .map_or(&[], Vec::as_slice)
    }

    /// A stack with names.
    pub(super) fn stack(&self, raw: &RawStack, known: &mut HashMap<u64, Vec<Rc<Frame>>>) -> Stack {
        let frames = raw.frames.iter().flat_map(|frame| {
            let frames = known.entry(*frame).or_insert_with(|| self.frames(*frame));
            frames.clone()
        });
        let end = seam_wire::end(raw.end);
        Stack {
            frames: frames.collect(),
            elided: raw.elided,
            end: end.id,
            whole: end.root,
        }
    }

    fn frames(&self, raw: u64) -> Vec<Rc<Frame>> {
        let named = self.at(lookup_address(raw));
        if named.is_empty() {
            return vec![Rc::new(self.nameless(frame_address(raw)))];
        }
        let last = named.len() - 1;
        let frame = |(at, named): (usize, &Named)| Frame {
            place: placed(named),
            kind: kind(named),
            inlined: at < last,
            wrapper: named.wrapper,
        };
        let frames = named.iter().enumerate().map(frame);
        frames.map(Rc::new).collect()
    }

    fn nameless(&self, address: u64) -> Frame {
        let function = match self.image.map.find(address.wrapping_sub(1)) {
            Some(mapping) => {
                let offset = address.wrapping_sub(mapping.load_bias);
                format!("[{}+{offset:#x}]", mapping.module.name())
            }
            None => format!("[unmapped {address:#x}]"),
        };
        Frame {
            place: Placed {
                function: function.into(),
                file: "".into(),
                line: 0,
            },
            kind: Kind::Unknown,
            inlined: false,
            wrapper: false,
        }
    }

    /// Where a go statement stands, as the runtime says it: the function that was compiled, with
    /// the line in whatever was inlined into it (`printcreatedby1`, runtime/traceback.go, Go 1.21
    /// to 1.27).
    pub(super) fn creator(&self, gopc: u64) -> Option<Placed> {
        let named = self.at(gopc.wrapping_sub(1));
        let (inner, outer) = (named.first()?, named.last()?);
        Some(Placed {
            function: Rc::clone(&outer.name),
            file: Rc::clone(&inner.file),
            line: inner.line,
        })
    }

    /// The function that an address is the beginning of.
    pub(super) fn function(&self, address: u64) -> Option<Rc<str>> {
        self.at(address).last().map(|named| Rc::clone(&named.name))
    }
}

fn place(image: &Image, address: u64) -> Option<(u32, u64)> {
    let mapping = image.map.find(address)?;
    let linked = address.wrapping_sub(mapping.load_bias);
    Some((mapping.module.number, linked))
}

fn placed(named: &Named) -> Placed {
    Placed {
        function: Rc::clone(&named.name),
        file: Rc::clone(&named.file),
        line: named.line,
    }
}

fn kind(named: &Named) -> Kind {
    let runtime = ["runtime.", "runtime/", "internal/runtime/"];
    match named.origin {
        Origin::GoTable if runtime.iter().any(|p| named.raw_name.starts_with(p)) => Kind::Runtime,
        Origin::GoTable => Kind::Go,
        _ => Kind::C,
    }
}
