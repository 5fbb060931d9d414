//! By what goroutines of different looks, runs and builds are the same: the functions of their
//! stack that are not the runtime's, their creator, and the kind of wait. No address, no line.

use seam_dump::{Dump, Goroutine, Stack};
use seam_runtime::WaitKind;

/// A group's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey {
    /// 16 hexadecimal digits, or `runtime`.
    pub id: String,
    /// What kind of wait.
    pub kind: WaitKind,
}

/// The runtime's own workers are one group.
const RUNTIME: &str = "runtime";

/// The key of a goroutine.
#[must_use]
pub fn group_key(dump: &Dump, goroutine: &Goroutine) -> GroupKey {
    if goroutine.is_the_runtimes() {
        return GroupKey {
            id: RUNTIME.to_owned(),
            kind: WaitKind::Other,
        };
    }
    let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
    let mut hash = Fnv::default();
    for function in stack.into_iter().flat_map(own_functions) {
        hash.add(plain(function));
    }
    hash.add("created by");
    if let Some(creator) = &goroutine.common.creator {
        hash.add(plain(&creator.function));
    }
    hash.add(word(goroutine.kind));
    GroupKey {
        id: format!("{:016x}", hash.0),
        kind: goroutine.kind,
    }
}

impl GroupKey {
    /// Whether it is the runtime's own workers.
    #[must_use]
    pub fn is_the_runtimes(&self) -> bool {
        self.id == RUNTIME
    }
}

/// The functions that are not the runtime's, innermost first; one that calls itself counts once, so
/// that the depth of a recursion does not matter.
pub(crate) fn own_functions(stack: &Stack) -> impl Iterator<Item = &str> {
    let own = stack
        .frames
        .iter()
        .filter(|f| !f.of_the_runtime() && !f.wrapper);
    let mut last = "";
    own.filter_map(move |frame| {
        let function = &*frame.place.function;
        let again = std::mem::replace(&mut last, function) == function;
        (!again).then_some(function)
    })
}

/// A name without what changes from build to build: type arguments, offsets of nameless code, the
/// sum that cgo puts into its names (`_cgo_d76569bd727e_Cfunc_f`), what C compilers add to parts of
/// functions.
pub(crate) fn plain(function: &str) -> &str {
    const PARTS: [&str; 5] = [".isra.", ".part.", ".constprop.", ".cold", ".lto_priv."];
    let end = function.find('[').filter(|at| *at > 0);
    let end = end.or_else(|| function.find('+').filter(|_| function.starts_with('[')));
    let name = function
        .get(..end.unwrap_or(function.len()))
        .unwrap_or(function);
    let of_cgo = name
        .strip_prefix("_cgo_")
        .and_then(|rest| rest.split_once('_'));
    let name = of_cgo.map_or(name, |(_, rest)| rest);
    let cut = PARTS.iter().filter_map(|part| name.find(part)).min();
    cut.map_or(name, |at| &name[..at])
}

/// The word for a kind of wait.
pub(crate) fn word(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Receive | WaitKind::NilReceive => "receive",
        WaitKind::Send | WaitKind::NilSend => "send",
        WaitKind::Select | WaitKind::NoCases => "select",
        WaitKind::Mutex | WaitKind::ReadLock | WaitKind::WriteLock => "lock",
        WaitKind::Group => "group",
        WaitKind::Cond => "cond",
        WaitKind::Semaphore => "semaphore",
        WaitKind::Sleep => "sleep",
        WaitKind::Io => "io",
        WaitKind::Coroutine => "coroutine",
        WaitKind::Other => "other",
    }
}

/// FNV-1a with 64 bits: the same for ever, which std's hashes do not promise.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_are_the_same_in_every_build() {
        let all = [
            ("main.f", "main.f"),
            ("main.(*T[go.shape.int]).f", "main.(*T"),
            ("_cgo_d76569bd727e_Cfunc_wait", "Cfunc_wait"),
            ("seam_w_leaf.isra.0.cold", "seam_w_leaf"),
            ("main.f.func1.2", "main.f.func1.2"),
            ("[libc.so.6+0x1234]", "[libc.so.6"),
            ("[", "["),
        ];
        for (name, shown) in all {
            assert_eq!(plain(name), shown);
        }
    }
}
