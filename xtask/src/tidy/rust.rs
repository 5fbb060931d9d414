//! Checks of Rust files: a module doc, line length, nothing that panics on
//! purpose outside tests.

use super::{File, Finding, finding};

const WIDEST: usize = 100;

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    let first = file.text.lines().find(|line| !line.starts_with("// "));
    if ours(&file.path) && !first.is_some_and(|line| line.starts_with("//!")) {
        found.push(finding(
            1,
            "no module doc: the first line says what the file is (//!)",
        ));
    }
    let generated = first.is_some_and(|line| line.starts_with("//! Generated "));
    let tests = test_lines(file);
    for (number, line) in file.lines() {
        if line.contains('\t') {
            found.push(finding(number, "a tab; indent by spaces"));
        }
        let width = line.chars().count();
        if width > WIDEST && !generated && !unbreakable(line) {
            found.push(finding(
                number,
                format!("{width} characters; {WIDEST} at most"),
            ));
        }
        if !tests[number - 1] && !in_test_folder(&file.path) {
            found.extend(panics(line).map(|what| finding(number, what)));
        }
    }
    found
}

fn ours(path: &str) -> bool {
    ["crates/", "xtask/", "tests/"]
        .iter()
        .any(|dir| path.starts_with(dir))
}

fn in_test_folder(path: &str) -> bool {
    let path = format!("/{path}");
    ["/tests/", "/benches/", "/fuzz/", "/fixtures/"]
        .iter()
        .any(|dir| path.contains(dir))
        || path.ends_with("/tests.rs")
        || path.ends_with("/fixtures.rs")
}

/// Strings and addresses cannot be broken without harm.
fn unbreakable(line: &str) -> bool {
    line.contains("://") || line.matches('"').count() >= 2
}

fn panics(line: &str) -> Option<String> {
    let code = line.trim_start();
    if code.starts_with("//") {
        return None;
    }
    // Put together, so that this file passes its own check.
    let calls = [".unwrap", "todo!", "unimplemented!"].map(|name| format!("{name}("));
    calls
        .iter()
        .find(|call| code.contains(call.as_str()))
        .map(|call| format!("{call}…) outside tests"))
}

/// For each line, whether it belongs to an item under `#[cfg(test)]`.
fn test_lines(file: &File) -> Vec<bool> {
    let mut inside = Vec::new();
    let mut end: Option<String> = None;
    let mut pending = false;
    for line in file.text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let code = line.trim();
        inside.push(end.is_some() || pending);
        if end.as_deref().is_some_and(|close| line.trim_end() == close) {
            end = None;
        } else if code.starts_with("#[cfg(test)]") || code.starts_with("#[cfg(all(test") {
            pending = true;
        } else if pending && code.ends_with('{') {
            // rustfmt puts the closing brace under the start of the item.
            end = Some(format!("{indent}}}"));
            pending = false;
        } else if pending && code.ends_with(';') {
            pending = false;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::super::{file, shown};
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        shown(&check(&file(path, text)))
    }

    #[test]
    fn module_docs() {
        assert_eq!(faults("crates/x/src/a.rs", "use x;").len(), 1);
        assert!(faults("crates/x/src/a.rs", "//! Says it.\n").is_empty());
        assert!(faults("crates/x/src/a.rs", "// long: a table\n//! Says it.\n").is_empty());
        assert!(faults("fuzz/a.rs", "use x;").is_empty());
    }

    #[test]
    fn line_length() {
        let long = "x".repeat(WIDEST + 1);
        assert_eq!(faults("a.rs", &long), ["1: 101 characters; 100 at most"]);
        assert!(faults("a.rs", &format!("let x = \"{long}\";")).is_empty());
        assert!(faults("a.rs", &format!("// https://{long}")).is_empty());
        assert!(faults("a.rs", &"é".repeat(WIDEST)).is_empty());
    }

    #[test]
    fn panics_only_in_tests() {
        let call = [".unw", "rap()"].concat();
        assert_eq!(faults("a.rs", &format!("x{call};")).len(), 1);
        assert!(faults("a.rs", &format!("/// x{call}")).is_empty());
        assert!(faults("crates/x/tests/a.rs", &format!("//! T\nx{call};")).is_empty());
        let module = format!("#[cfg(test)]\nmod tests {{\n    x{call};\n}}\n");
        assert!(faults("a.rs", &module).is_empty());
        assert_eq!(
            faults("a.rs", &format!("{module}x{call};")),
            ["5: .unwrap(…) outside tests"]
        );
        let import = format!("#[cfg(test)]\nuse x;\nx{call};");
        assert_eq!(faults("a.rs", &import).len(), 1);
    }
}
