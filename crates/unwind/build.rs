//! Compiles the host build of the stack walk, for each processor that stacks are walked of.

fn main() {
    let bpf = std::path::Path::new("../../bpf");
    for folder in ["", "x86_64", "arm64"] {
        let folder = bpf.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let files = std::fs::read_dir(&folder).expect("the sources of the walk are in the tree");
        for file in files.flatten().filter(|f| f.path().is_file()) {
            println!("cargo::rerun-if-changed={}", file.path().display());
        }
    }
    println!("cargo::rerun-if-changed=host/walk.c");
    for (name, arch) in [("seam_walk", None), ("seam_walk_arm64", Some("SEAM_ARM64"))] {
        let mut build = cc::Build::new();
        build
            .file("host/walk.c")
            .include(bpf)
            .flag("-Wall")
            .flag("-Wextra")
            .flag("-Wno-unused-parameter")
            .warnings_into_errors(true);
        if let Some(arch) = arch {
            build.define(arch, None);
        }
        build.compile(name);
    }
}
