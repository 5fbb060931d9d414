//! Functions by self and total.

use super::profile;
use crate::{Folder, Limits, facts};

fn hottest(stacks: &[(u32, &str)], functions: usize) -> (Vec<String>, usize) {
    let profile = profile(stacks);
    let found = facts(
        &Folder::new(&profile),
        Limits {
            functions,
            ..Limits::default()
        },
    )
    .hottest;
    let rows = found.rows.iter().map(|row| {
        let name = profile.text(profile.functions().get(row.function).name);
        format!(
            "{name}:{} {}/{}",
            row.line, row.self_weight, row.total_weight
        )
    });
    (rows.collect(), found.more)
}

#[test]
fn recursion_counts_once() {
    let (rows, _) = hottest(&[(3, "a@1 b@2 a@3 b@4"), (1, "a@1 b@2")], 9);
    assert_eq!(rows, ["b:4 4/4", "a:1 0/4"]);
}

#[test]
fn plumbing_is_not_a_function() {
    let stack = "go:main.main go:main._Cfunc_f go:runtime.cgocall go:runtime.asmcgocall";
    let (rows, more) = hottest(&[(2, stack), (1, &format!("{stack} f"))], 9);
    assert_eq!(rows, ["f:0 1/1", "main.main:0 0/3"]);
    assert_eq!(more, 0);
}

#[test]
fn rows_beyond_the_limit_are_counted() {
    let (rows, more) = hottest(&[(1, "a"), (2, "b"), (1, "c")], 2);
    assert_eq!(
        (rows, more),
        (vec!["b:0 2/2".to_owned(), "a:0 1/1".to_owned()], 1)
    );
}
