//! What a function is, from its name and where the name was found.
//!
//! Owns kind and role by function identity. A function's part in one particular stack (the
//! exported C stub right above `crosscall2`) is found by folding, not here.

use seam_profile::{FunctionKind, ModuleKind, Role};

use crate::cgo_names::{c_stub_callee, exported_name, go_stub_callee, without_abi};

/// Where the name of a function was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameOrigin {
    /// Go's own table of functions (pclntab): the code is Go's.
    GoTable,
    /// A symbol table or debug information.
    Symbol,
    /// Nowhere: the name, if any, is made from the address.
    Missing,
}

const CALL_PLUMBING: [&str; 4] = [
    "runtime.cgocall",
    "runtime.asmcgocall",
    "runtime.asmcgocall_no_g",
    "runtime.asmcgocall_landingpad",
];
const CALLBACK_PLUMBING: [&str; 4] = [
    "crosscall2",
    "runtime.cgocallback",
    "runtime.cgocallbackg",
    "runtime.cgocallbackg1",
];
const GO_ROOTS: [&str; 5] = [
    "runtime.goexit",
    "runtime.mstart",
    "runtime.mstart0",
    "runtime.mcall",
    "runtime.rt0_go",
];
const C_ROOTS: [&str; 7] = [
    "_start",
    "clone",
    "__clone",
    "clone3",
    "__clone3",
    "start_thread",
    "__clone_internal",
];

/// Kind and role of a function. `name` is the raw one; `module` says what its code was mapped
/// from, if known. Any string is accepted.
pub fn classify(
    name: &str,
    origin: NameOrigin,
    module: Option<ModuleKind>,
) -> (FunctionKind, Role) {
    if module == Some(ModuleKind::Kernel) {
        return (FunctionKind::Kernel, Role::None);
    }
    let kind = match (origin, module) {
        (NameOrigin::GoTable, _) => go_kind(name),
        // The runtime's own names stay telling when only the symbol table could be read.
        (NameOrigin::Symbol, _) if name.starts_with("runtime.") => FunctionKind::GoRuntime,
        (_, None | Some(ModuleKind::Anonymous)) => FunctionKind::Unknown,
        _ => FunctionKind::C,
    };
    let role = if origin == NameOrigin::Missing {
        Role::None
    } else {
        role(name, kind)
    };
    (kind, role)
}

fn role(name: &str, kind: FunctionKind) -> Role {
    let name = without_abi(name);
    let go = matches!(kind, FunctionKind::Go | FunctionKind::GoRuntime);
    let callback = CALLBACK_PLUMBING.contains(&name) || exported_name(name).is_some();
    let call = CALL_PLUMBING.contains(&name)
        || c_stub_callee(name).is_some()
        || go && go_stub_callee(name).is_some();
    let go_root = GO_ROOTS.contains(&name) || name.starts_with("_rt0_");
    let root = if go { go_root } else { C_ROOTS.contains(&name) };
    match (callback, call, root) {
        (true, ..) => Role::CgoCallback,
        (_, true, _) => Role::CgoCall,
        (.., true) => Role::Root,
        _ => Role::None,
    }
}

fn go_kind(name: &str) -> FunctionKind {
    let Some((package, function)) = split_package(name) else {
        // Names without a package are assembly of the runtime (gogo, crosscall2, memeqbody),
        // save for the wrappers of exported functions, which belong to the program.
        let exported = exported_name(name).is_some();
        return if exported {
            FunctionKind::Go
        } else {
            FunctionKind::GoRuntime
        };
    };
    let runtime = package == "runtime"
        || package.starts_with("runtime/")
        || package.starts_with("internal/runtime/")
        // sync.runtime_Semacquire and its like are runtime code pushed into other packages.
        || function.starts_with("runtime_");
    if runtime {
        FunctionKind::GoRuntime
    } else {
        FunctionKind::Go
    }
}

/// Package path and the rest of a Go symbol; none if it has no package. Type arguments and
/// receivers may hold slashes and dots of their own, so the search ends before them.
fn split_package(name: &str) -> Option<(&str, &str)> {
    let head = name.find(['[', '(']).map_or(name, |end| &name[..end]);
    let path_end = head.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path_end + head[path_end..].find('.')?;
    Some((&name[..dot], &name[dot + 1..]))
}
