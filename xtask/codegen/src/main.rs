//! Writes `crates/wire/src/generated.rs` to stdout: `wire.h` by bindgen, `failures.def`
//! by its one-line form.
//! Run through `cargo xtask codegen`.

use std::fmt::Write as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bpf");
    let bindings = bindgen::Builder::default()
        .header(root.join("wire.h").to_string_lossy())
        .allowlist_item("seam_.*|SEAM_.*")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .derive_default(true)
        .derive_debug(true)
        .generate_comments(false)
        .disable_header_comment()
        .generate()?;
    println!("//! Generated from bpf/wire.h and bpf/failures.def by `cargo xtask codegen`.");
    println!("//! Do not edit.");
    println!("{bindings}");
    print!(
        "{}",
        ends(&std::fs::read_to_string(root.join("failures.def"))?)?
    );
    Ok(())
}

fn ends(def: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut out = String::from("pub static ENDS: &[crate::End] = &[\n");
    let mut codes = String::new();
    let joined = def.replace("\n\t", " ");
    for line in joined.lines().filter(|l| l.starts_with("SEAM_END(")) {
        let body = line.trim_start_matches("SEAM_END(").trim_end_matches(')');
        let mut parts = body.splitn(5, ',').map(str::trim);
        let mut next = || parts.next().ok_or("SEAM_END takes five parts");
        let (code, name, id) = (next()?, next()?, next()?);
        let (root, sentence) = (next()? == "1", next()?.trim());
        writeln!(codes, "pub const SEAM_END_{name}: u32 = {code};")?;
        writeln!(
            out,
            "    crate::End {{ code: {code}, id: {id}, root: {root}, sentence: {sentence} }},"
        )?;
    }
    out.push_str("];\n");
    Ok(codes + &out)
}
