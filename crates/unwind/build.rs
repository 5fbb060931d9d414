//! Compiles the host build of the stack walk.

fn main() {
    let bpf = std::path::Path::new("../../bpf");
    for file in [
        "wire.h",
        "unwind.h",
        "walk.h",
        "go.h",
        "labels.h",
        "made.h",
        "failures.def",
    ] {
        println!("cargo::rerun-if-changed={}", bpf.join(file).display());
    }
    println!("cargo::rerun-if-changed=host/walk.c");
    cc::Build::new()
        .file("host/walk.c")
        .include(bpf)
        .flag("-Wall")
        .flag("-Wextra")
        .flag("-Wno-unused-parameter")
        .warnings_into_errors(true)
        .compile("seam_walk");
}
