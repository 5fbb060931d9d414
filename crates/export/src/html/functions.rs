//! Functions and frames as the page numbers them.
//!
//! Owns columns `fn_*` and `fr_*`. Besides the profile's functions there are the process, edges of
//! folded plumbing and the marker of frames not kept.

use std::collections::HashMap;

use seam_analyze::{Direction, Folder, TreeFrame, TreeSubject, Trees};
use seam_profile::{Function, FunctionId, FunctionKind, Profile};

use super::container::Columns;
use super::header::{PageStrings, title};
use crate::kind_codes::{KIND_EDGE, KIND_META, KIND_UNNAMED};
use crate::names::printable;

const FLAG_INLINED: u8 = 1;
const FLAG_PLUMBING: u8 = 2;
const FLAG_CALLBACK: u8 = 4;
const FLAG_ELIDED: u8 = 8;

/// A function on the page: string ids of name, module and file, and the kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct PageFunction {
    name: u32,
    module: u32,
    file: u32,
    kind: u8,
}

/// Writes the columns; gives for each frame of the trees its number on the page.
pub(super) fn write(
    folder: &Folder<'_>,
    trees: &Trees,
    strings: &mut PageStrings,
    columns: &mut Columns,
) -> Vec<u32> {
    let mut functions = Interner::default();
    let mut frames = Interner::default();
    let numbers = trees.frames.iter().map(|frame| {
        let function = functions.id(page_function(folder, frame.subject, strings));
        frames.id((function, frame.line, flags(frame)))
    });
    let numbers = numbers.collect();
    columns.u32(
        "fn_name",
        functions.rows.iter().map(|function| function.name),
    );
    columns.u32(
        "fn_module",
        functions.rows.iter().map(|function| function.module),
    );
    columns.u32(
        "fn_file",
        functions.rows.iter().map(|function| function.file),
    );
    columns.u8(
        "fn_kind",
        functions.rows.iter().map(|function| function.kind),
    );
    columns.u32("fr_fn", frames.rows.iter().map(|frame| frame.0));
    columns.u32("fr_line", frames.rows.iter().map(|frame| frame.1));
    columns.u8("fr_flags", frames.rows.iter().map(|frame| frame.2));
    numbers
}

struct Interner<T> {
    rows: Vec<T>,
    ids: HashMap<T, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            ids: HashMap::new(),
        }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Interner<T> {
    fn id(&mut self, row: T) -> u32 {
        *self.ids.entry(row).or_insert_with(|| {
            self.rows.push(row);
            self.rows.len() as u32 - 1
        })
    }
}

fn page_function(
    folder: &Folder<'_>,
    subject: TreeSubject,
    strings: &mut PageStrings,
) -> PageFunction {
    let profile = folder.profile();
    match subject {
        TreeSubject::Process => meta(strings, &title(profile)),
        TreeSubject::Elided => meta(strings, "… frames not kept"),
        TreeSubject::Function(id) => {
            let function = profile.functions().get(id);
            PageFunction {
                name: strings.id(&printable(profile.text(function.name))),
                kind: kind(function),
                ..home(profile, id, strings)
            }
        }
        TreeSubject::Edge {
            direction,
            callee,
            caller,
        } => {
            let words = edge_words(direction, folder.label(callee));
            // The line of an edge is the line of the call, so the file is the caller's.
            let home = caller.map(|caller| home(profile, caller, strings));
            let home = home.unwrap_or_else(|| meta(strings, ""));
            PageFunction {
                name: strings.id(&words),
                kind: KIND_EDGE,
                ..home
            }
        }
    }
}

fn meta(strings: &mut PageStrings, name: &str) -> PageFunction {
    PageFunction {
        name: strings.id(&printable(name)),
        module: 0,
        file: 0,
        kind: KIND_META,
    }
}

/// Module and file of a function.
fn home(profile: &Profile, id: FunctionId, strings: &mut PageStrings) -> PageFunction {
    let function = profile.functions().get(id);
    let module = function
        .module
        .map(|module| profile.modules().get(module).path);
    PageFunction {
        name: 0,
        module: module.map_or(0, |path| strings.id(&printable(profile.text(path)))),
        file: strings.id(&printable(profile.text(function.file))),
        kind: KIND_META,
    }
}

/// The text of an edge: "cgo call → f", "callback → pkg.F"; without arrow if f is not known.
pub(crate) fn edge_words(direction: Direction, callee: &str) -> String {
    let word = match direction {
        Direction::Call => "cgo call",
        Direction::Callback => "callback",
    };
    if callee.is_empty() {
        word.to_owned()
    } else {
        format!("{word} → {}", printable(callee))
    }
}

/// Code without a name is a kind of its own on the page, whatever language it may be.
pub(crate) fn kind(function: &Function) -> u8 {
    match function.kind {
        _ if !function.is_named() => KIND_UNNAMED,
        FunctionKind::Go => 0,
        FunctionKind::GoRuntime => 1,
        FunctionKind::C => 2,
        FunctionKind::Kernel => 3,
        FunctionKind::Unknown => KIND_UNNAMED,
    }
}

fn flags(frame: &TreeFrame) -> u8 {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    bit(frame.flags.inlined, FLAG_INLINED)
        | bit(frame.flags.plumbing, FLAG_PLUMBING)
        | bit(frame.flags.callback, FLAG_CALLBACK)
        | bit(frame.subject == TreeSubject::Elided, FLAG_ELIDED)
}
