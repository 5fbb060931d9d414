//! Compiles the programs that seam's is compared with.

use std::path::{Path, PathBuf};

use libbpf_cargo::SkeletonBuilder;

fn main() {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = benches.join("bpf/walk.bpf.c");
    let headers = benches.join("../bpf");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-env-changed=SEAM_CLANG");
    let clang = std::env::var("SEAM_CLANG").unwrap_or_else(|_| "clang-19".to_owned());
    SkeletonBuilder::new()
        .source(source)
        .clang(&clang)
        .clang_args(["-I".as_ref(), headers.as_os_str(), "-mcpu=v2".as_ref()])
        .obj(out.join("walk.bpf.o"))
        .build()
        .unwrap_or_else(|error| panic!("the kernel side was not compiled: {error:#}"));
}
