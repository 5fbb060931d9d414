//! Kinds and roles by name.

use seam_profile::fixtures::sqlite;
use seam_profile::{FunctionKind, ModuleKind, Role};

use crate::{NameOrigin, classify};

fn check_go(name: &str, kind: FunctionKind, role: Role) {
    let found = classify(name, NameOrigin::GoTable, Some(ModuleKind::Executable));
    assert_eq!(found, (kind, role), "{name}");
}

fn check_c(name: &str, role: Role) {
    let found = classify(name, NameOrigin::Symbol, Some(ModuleKind::SharedLibrary));
    assert_eq!(found, (FunctionKind::C, role), "{name}");
}

#[test]
fn go_names_split_into_program_and_runtime() {
    for name in [
        "main.main",
        "github.com/a/b%2ec/v2.(*T[go.shape.int]).M",
        "example.com/x/runtime.Run",
        "main.Map[go.shape.*runtime.MemStats]",
        "internal/bytealg.IndexByte",
        "type:.eq.main.T",
        "runtimes.Start",
    ] {
        check_go(name, FunctionKind::Go, Role::None);
    }
    for name in [
        "runtime.mallocgc",
        "runtime/pprof.StartCPUProfile",
        "internal/runtime/maps.(*Map).Get",
        "internal/runtime/atomic.Load",
        "sync.runtime_Semacquire",
        "gogo",
        "memeqbody",
        "runtime.(*mheap).reclaim",
        "runtime.systemstack",
    ] {
        check_go(name, FunctionKind::GoRuntime, Role::None);
    }
}

#[test]
fn call_plumbing_is_known_by_name() {
    for name in [
        "runtime.cgocall",
        "runtime.asmcgocall",
        "runtime.asmcgocall.abi0",
    ] {
        check_go(name, FunctionKind::GoRuntime, Role::CgoCall);
    }
    for name in ["main._Cfunc_f", "a.com/b._C2func_f", "main._Cfunc__CMalloc"] {
        check_go(name, FunctionKind::Go, Role::CgoCall);
    }
    check_c("_cgo_3f1c9a2b77d0_Cfunc_f", Role::CgoCall);
    check_c("_cgo_3f1c9a2b77d0_C2func_f", Role::CgoCall);
    check_c("_cgo_panic", Role::None);
    check_c("_cgo_sys_thread_start", Role::None);
    check_c("x._Cfunc_f", Role::None);
    // Helpers that copy strings are Go code, not a crossing.
    check_go("main._Cfunc_GoString", FunctionKind::Go, Role::None);
    check_go("main._Cfunc_CString", FunctionKind::Go, Role::None);
}

#[test]
fn callback_plumbing_is_known_by_name() {
    for name in [
        "runtime.cgocallback",
        "runtime.cgocallback.abi0",
        "runtime.cgocallbackg1",
    ] {
        check_go(name, FunctionKind::GoRuntime, Role::CgoCallback);
    }
    check_go("crosscall2", FunctionKind::GoRuntime, Role::CgoCallback);
    check_go(
        "_cgoexp_3f1c9a2b77d0_goHook",
        FunctionKind::Go,
        Role::CgoCallback,
    );
    check_go(
        "main._cgoexp_3f1c9a2b77d0_goHook",
        FunctionKind::Go,
        Role::CgoCallback,
    );
    check_go(
        "runtime.cgocallbackg1.func1",
        FunctionKind::GoRuntime,
        Role::None,
    );
}

#[test]
fn roots_are_known_by_name() {
    for name in [
        "runtime.goexit",
        "runtime.goexit.abi0",
        "runtime.mstart",
        "runtime.mcall",
    ] {
        check_go(name, FunctionKind::GoRuntime, Role::Root);
    }
    check_go("_rt0_amd64_linux", FunctionKind::GoRuntime, Role::Root);
    check_c("_start", Role::Root);
    check_c("clone3", Role::Root);
    check_go("main.clone3", FunctionKind::Go, Role::None);
}

#[test]
fn code_without_a_symbol_is_native_if_a_file_holds_it() {
    let kind = |module| classify("[x+0x1]", NameOrigin::Missing, module).0;
    assert_eq!(kind(Some(ModuleKind::SharedLibrary)), FunctionKind::C);
    assert_eq!(kind(Some(ModuleKind::Executable)), FunctionKind::C);
    assert_eq!(kind(Some(ModuleKind::Anonymous)), FunctionKind::Unknown);
    assert_eq!(kind(None), FunctionKind::Unknown);
    assert_eq!(kind(Some(ModuleKind::Kernel)), FunctionKind::Kernel);
}

#[test]
fn the_fixture_agrees() {
    let profile = sqlite();
    for (_, function) in profile.functions().iter() {
        let name = profile.text(function.system_name);
        let origin = match function.kind {
            FunctionKind::Go | FunctionKind::GoRuntime => NameOrigin::GoTable,
            _ if function.is_named() => NameOrigin::Symbol,
            _ => NameOrigin::Missing,
        };
        let module = function
            .module
            .map(|module| profile.modules().get(module).kind);
        assert_eq!(
            classify(name, origin, module),
            (function.kind, function.role),
            "{name}"
        );
    }
}
