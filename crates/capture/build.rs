//! Compiles the kernel side. The BPF objects are made here and embedded; none is committed.

use std::path::{Path, PathBuf};

use libbpf_cargo::SkeletonBuilder;

fn main() {
    let bpf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bpf");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for folder in ["", "x86_64", "arm64", "vmlinux"] {
        let folder = bpf.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let files = std::fs::read_dir(&folder).expect("the kernel side is in the tree");
        for file in files.flatten().filter(|f| f.path().is_file()) {
            println!("cargo::rerun-if-changed={}", file.path().display());
        }
    }
    println!("cargo::rerun-if-env-changed=SEAM_CLANG");
    let clang = std::env::var("SEAM_CLANG").unwrap_or_else(|_| "clang-19".to_owned());
    for name in ["sample", "threads"] {
        compile(&bpf, &out, name, &clang, None);
        compile(&bpf, &out, name, &clang, Some("-DSEAM_TAIL_CALLS"));
    }
}

/// `form` chooses that for older kernels (bpf/forms.h).
fn compile(bpf: &Path, out: &Path, name: &str, clang: &str, form: Option<&str>) {
    let suffix = form.map_or("", |_| "-5.10");
    // The kernel side is for the machine that seam is for.
    let machine = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let arch = (machine == "aarch64").then_some("-DSEAM_ARM64");
    let built = SkeletonBuilder::new()
        .source(bpf.join(format!("{name}.bpf.c")))
        .clang(clang)
        .clang_args(
            [
                "-I".as_ref(),
                bpf.as_os_str(),
                "-mcpu=v2".as_ref(),
                "-Wall".as_ref(),
                "-Wextra".as_ref(),
                "-Werror".as_ref(),
                "-Wno-unused-parameter".as_ref(),
                "-Wno-missing-declarations".as_ref(),
            ]
            .into_iter()
            .chain(form.into_iter().chain(arch).map(AsRef::as_ref)),
        )
        .obj(out.join(format!("{name}{suffix}.bpf.o")))
        .build();
    if let Err(error) = built {
        eprintln!(
            "error: the kernel side was not compiled: {error:#}\n\
             hint: it needs {clang} and the headers of libelf and zlib (Debian: clang-19 \
             libelf-dev zlib1g-dev); `cargo xtask setup` installs them, SEAM_CLANG names another \
             clang"
        );
        std::process::exit(1);
    }
}
