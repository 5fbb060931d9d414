//! Edges: whether the code allows that one frame of a stack was called from the next.
//!
//! A walk that goes wrong seldom says so: it finds some other address that looks like code. The
//! instruction before a return address tells. If it is a call that leads to the function above,
//! the edge is *verified*; if it calls through a register or memory, *plausible*; if it is no call,
//! or one that can't lead there, *impossible*. This crate decides for one edge at a time, from the
//! bytes of one module. It opens no files, walks no stacks and counts nothing.

mod arm64;
mod extent;
mod module;
mod reach;
mod scan;
mod site;
mod slots;

pub use module::Module;

/// Two neighbouring frames of one stack, seen from the caller's module. Addresses as linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The caller's return address.
    pub return_address: u64,
    /// Where the callee stood: a pc, or a byte of the call that it made itself.
    pub callee: Callee,
    /// The caller is the outermost frame of its stack.
    pub outermost: bool,
}

/// Where the callee's code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callee {
    /// In the caller's module.
    Here(u64),
    /// In another module, or in memory without a file.
    Elsewhere,
}

/// What the code says of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The call leads to the callee.
    Verified(Evidence),
    /// Nothing speaks against it.
    Plausible(Doubt),
    /// The callee can't have been called from there.
    Impossible(Fault),
}

/// How an edge was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// A direct call to the callee.
    Direct,
    /// The function called jumps to the callee.
    TailCall,
    /// A call through a slot that the loader fills with the callee's address.
    Import,
    /// A call that Go's runtime makes on another stack.
    Switch,
    /// An address that the kernel or Go's runtime puts where a return address belongs.
    Planted,
}

/// Why an edge is only plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The call goes through a register or memory.
    IndirectCall,
    /// The function called may jump anywhere.
    IndirectJump,
    /// Where functions begin and end is not known there.
    UnknownCode,
}

/// Why an edge is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is no call before the return address.
    NoCall,
    /// The call goes to a function that does not lead to the callee.
    OtherTarget,
}

/// What the caller's module says of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// All there is to say.
    Judged(Verdict),
    /// The call leads to functions that the loader finds by these names. It is verified if the
    /// callee's module has one of them there ([`Module::entry_names`]), else plausible.
    Imports(Vec<Vec<u8>>),
}

impl Claim {
    /// The verdict, given the names of the callee.
    #[must_use]
    pub fn settle(&self, callee_names: &[Vec<u8>]) -> Verdict {
        match self {
            Self::Judged(verdict) => *verdict,
            Self::Imports(names) if names.iter().any(|n| callee_names.contains(n)) => {
                Verdict::Verified(Evidence::Import)
            }
            Self::Imports(_) => Verdict::Plausible(Doubt::IndirectCall),
        }
    }
}
