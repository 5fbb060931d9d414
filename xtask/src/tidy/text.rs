//! Checks of every text file: length, places of one machine, registry hosts,
//! unfinished work without an issue.

use super::{File, Finding, finding};

const LONGEST: usize = 500;

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(too_long(file));
    for (number, line) in file.lines() {
        if line.contains('\t') && file.is("ts") {
            found.push(finding(number, "a tab; indent by spaces"));
        }
        for place in machine_places()
            .iter()
            .filter(|place| holds_path(line, place))
        {
            found.push(finding(
                number,
                format!("{place} is a place on one machine"),
            ));
        }
        for host in registry_hosts().iter().filter(|host| line.contains(*host)) {
            found.push(finding(
                number,
                format!("{host} is a package registry's host"),
            ));
        }
        if loose_end(line) {
            found.push(finding(
                number,
                format!("a {} without an issue: {}(#12)", todo(), todo()),
            ));
        }
    }
    if generated(file) { Vec::new() } else { found }
}

/// Lock files and built pages hold what their tools put there.
fn generated(file: &File) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let locks = ["Cargo.lock", "package-lock.json", "go.sum", "vmlinux.h"];
    let built = [
        "/dist/",
        "/vmlinux/",
        "/snapshots/",
        "/fixtures/",
        "/corpus/",
    ];
    locks.contains(&name)
        || built
            .iter()
            .any(|dir| format!("/{}", file.path).contains(dir))
}

fn too_long(file: &File) -> Option<Finding> {
    const CODE: &[&str] = &["rs", "ts", "tsx", "mjs", "c", "h", "cpp", "go", "css"];
    let count = file.text.lines().count();
    let first = file.text.lines().next().unwrap_or_default();
    let excused = first
        .split_once("// long:")
        .is_some_and(|(_, reason)| !reason.trim().is_empty());
    let code = CODE.iter().any(|extension| file.is(extension));
    (code && count > LONGEST && !excused && !is_generated_rust(first)).then(|| {
        let message = format!("{count} lines; split it, or say why on line 1: // long: REASON");
        finding(LONGEST + 1, message)
    })
}

fn is_generated_rust(first: &str) -> bool {
    first.starts_with("//! Generated ") || first.starts_with("// Generated ")
}

/// Put together, so that this file does not hold what it looks for.
fn machine_places() -> [String; 4] {
    ["home", "root", "Users", "work"].map(|name| format!("/{name}/"))
}

/// The path itself, not the middle of a longer one (`target/home/`, a URL).
fn holds_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/~}>)*".contains(c))
    })
}

/// In two parts for the same reason.
fn registry_hosts() -> Vec<String> {
    [
        ("proxy.go", "lang.org"),
        ("sum.go", "lang.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("static.cra", "tes.io"),
        ("index.cra", "tes.io"),
        ("py", "pi.org"),
        ("pythonho", "sted.org"),
        ("deb.deb", "ian.org"),
    ]
    .map(|(start, end)| format!("{start}{end}"))
    .into()
}

fn todo() -> String {
    ["TO", "DO"].concat()
}

fn loose_end(line: &str) -> bool {
    let word = todo();
    line.match_indices(&word).any(|(at, _)| {
        let rest = &line[at + word.len()..];
        let alone = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let issue = rest
            .strip_prefix("(#")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        alone(line[..at].chars().next_back()) && alone(rest.chars().next()) && !issue
    })
}

#[cfg(test)]
mod tests {
    use super::super::{file, shown};
    use super::*;

    #[test]
    fn long_files_need_a_reason() {
        let long = "x\n".repeat(LONGEST + 1);
        assert_eq!(check(&file("a.rs", &long)).len(), 1);
        assert!(check(&file("a.md", &long)).is_empty());
        assert!(check(&file("a.rs", &format!("// long: one table\n{long}"))).is_empty());
        assert_eq!(check(&file("a.rs", &format!("// long:\n{long}"))).len(), 1);
    }

    #[test]
    fn places_of_one_machine() {
        let place = &machine_places()[0];
        let line = |start: &str| format!("{start}{place}me/x\n");
        assert_eq!(
            shown(&check(&file("a.md", &line("see ")))),
            [format!("1: {place} is a place on one machine")]
        );
        assert!(check(&file("a.md", &line("target"))).is_empty());
    }

    #[test]
    fn registry_hosts_are_not_named() {
        let line = format!("\nfrom https://{}/x", registry_hosts()[0]);
        assert_eq!(check(&file("a.toml", &line))[0].line, 2);
        assert!(check(&file("ui/package-lock.json", &line)).is_empty());
    }

    #[test]
    fn loose_ends_need_an_issue() {
        let word = todo();
        assert_eq!(check(&file("a.c", &format!("// {word}: later"))).len(), 1);
        assert!(check(&file("a.c", &format!("// {word}(#12): later"))).is_empty());
        assert!(check(&file("a.c", &format!("AUTO{word}S"))).is_empty());
    }

    #[test]
    fn tabs() {
        assert_eq!(check(&file("a.ts", "\tx")).len(), 1);
        assert!(check(&file("a.go", "\tx")).is_empty());
    }
}
