//! Installs what is missing. Looking costs a few milliseconds, so every other
//! task starts with it.

mod apt;
mod go;

use std::time::Instant;

use anyhow::Result;

pub(crate) use go::Go;

/// Everything any task needs.
pub(crate) fn everything() -> Result<()> {
    build()?;
    tests()
}

/// What compiling the workspace and the test programs needs.
pub(crate) fn build() -> Result<Go> {
    let begun = Instant::now();
    apt::install_missing("building", apt::BUILD)?;
    let go = go::find_or_install()?;
    report(
        "building",
        &format!("clang-19, gcc, {}", go.version()),
        begun,
    );
    Ok(go)
}

/// What the tests need on top of it.
pub(crate) fn tests() -> Result<()> {
    let begun = Instant::now();
    apt::install_missing("the tests", apt::TESTS)?;
    apt::node()?;
    report("the tests", "a browser, perf, Node", begun);
    Ok(())
}

fn report(purpose: &str, what: &str, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("   set up for {purpose}: {what} ({seconds:.1} s)");
}
