//! What one program has left at its end: the full look over its kept memory, and whose each
//! goroutine is.

use std::collections::{BTreeMap, HashMap};

use seam_dump::Goroutine;
use seam_leaks::{Look, Owner, Suite, Test, left_behind};
use seam_runtime::{Census, Origin, is_test_name};

use super::watch::Ended;
use super::{ignores, reach};
use crate::args::GoroutinesArgs;
use crate::dump::look;

/// Looks at what is left, then lets the memory go.
pub(super) fn suite(args: &GoroutinesArgs, ended: Ended) -> Suite {
    let Ended {
        kept,
        image,
        census,
        at_ns,
    } = ended;
    let keeps = kept.keeps();
    let full = look::of_kept(&kept.target, image, kept.memory().clone(), kept.maps());
    let reach = reach::reach(&full);
    let target = kept.target.clone();
    let package = tested(&kept.package, &target.name);
    drop(kept);
    let dump = full.dump;
    let mut notes = dump.notes.clone();
    if !keeps {
        notes.push("it ended before its memory could be kept: what it left is not known".into());
    } else if census.looks == 0 {
        notes.push("nobody made a goroutine before it ended, or its Go is not known".into());
    }
    if census.forgotten > 0 {
        let count = census.forgotten;
        notes.push(format!("{count} goroutines were too many to remember"));
    }
    let (tests, by_name) = tests(&census, &dump.goroutines, at_ns);
    let ignored = dump.goroutines.iter().filter(|g| ignores(args, &dump, g));
    let mut suite = Suite {
        pid: target.pid,
        name: target.name,
        package,
        go: dump.go.clone(),
        goroutines: dump.goroutines.len() as u64,
        looks: census.looks,
        ignored: ignored.count() as u64,
        incomplete: reach.incomplete.clone(),
        notes,
        ..Suite::default()
    };
    let last = Look { at_ns, dump, reach };
    let owner = |g: &Goroutine| owner(&census, &by_name, g);
    let keep = |dump: &_, g: &_| !ignores(args, dump, g);
    (suite.tests, suite.others, suite.unknown) = left_behind(last, tests, keep, owner);
    suite
}

/// The package that a program is, or is of the tests of. `go test` puts a word behind its name; the
/// path is in the program from Go 1.24 on.
fn tested(package: &str, name: &str) -> String {
    let path = if package.is_empty() { name } else { package };
    path.strip_suffix(".test").unwrap_or(path).to_owned()
}

/// The tests that were seen, and those that only names tell of, by their names.
fn tests(census: &Census, left: &[Goroutine], at_ns: u64) -> (Vec<Test>, HashMap<String, usize>) {
    let mut all: BTreeMap<String, Test> = BTreeMap::new();
    for (goid, known) in census.tests() {
        let Some(Some(name)) = &known.test else {
            continue;
        };
        let since = known.gone_ns.map_or(0, |gone| at_ns.saturating_sub(gone));
        // One name may have been run several times (-count).
        let test = all.entry(name.clone()).or_insert_with(|| Test {
            name: name.clone(),
            ended_ns: since,
            ..Test::default()
        });
        test.ended_ns = test.ended_ns.min(since);
        test.running |= census.lives(goid);
    }
    for name in left.iter().filter_map(|g| named_by_functions(census, g)) {
        all.entry(name.to_owned()).or_insert_with(|| Test {
            name: name.to_owned(),
            inferred: true,
            ..Test::default()
        });
    }
    let tests: Vec<Test> = all.into_values().collect();
    let by_name = tests.iter().enumerate();
    let by_name = by_name.map(|(at, test)| (test.name.clone(), at)).collect();
    (tests, by_name)
}

/// The name of a test that was seen, if it was read.
fn name_of_test(census: &Census, goid: u64) -> Option<&str> {
    census.get(goid)?.test.as_ref()?.as_deref()
}

/// The test that a goroutine comes from, where only its functions tell which that is.
fn named_by_functions<'a>(census: &Census, goroutine: &'a Goroutine) -> Option<&'a str> {
    match census.origin(goroutine.goid) {
        Origin::Test(test) if name_of_test(census, test).is_some() => None,
        Origin::Test(_) | Origin::Unknown { .. } => told_by_names(goroutine),
        // Examples run on the main goroutine, which also makes what is no test's.
        Origin::None => told_by_names(goroutine).filter(|name| name.starts_with("Example")),
    }
}

fn owner(census: &Census, by_name: &HashMap<String, usize>, goroutine: &Goroutine) -> Owner {
    let origin = census.origin(goroutine.goid);
    let seen = match origin {
        Origin::Test(test) => name_of_test(census, test),
        _ => None,
    };
    let name = seen.or_else(|| named_by_functions(census, goroutine));
    match name.and_then(|name| by_name.get(name)) {
        Some(place) => Owner::Test(*place),
        None if origin == Origin::None => Owner::Nobody,
        None => Owner::Unknown,
    }
}

/// The test whose function, or a literal in it, made or began a goroutine.
fn told_by_names(goroutine: &Goroutine) -> Option<&str> {
    let creator = goroutine.common.creator.as_ref().map(|c| &*c.function);
    let both = [creator, goroutine.common.start.as_deref()];
    both.into_iter().flatten().find_map(test_function)
}

/// `TestA` of `example.com/x.TestA.func1`. Methods are no tests.
fn test_function(function: &str) -> Option<&str> {
    let last = function.rsplit('/').next()?;
    let name = last.split('.').nth(1)?;
    (is_test_name(name) && name != "TestMain").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_tests_are_known_by_their_names() {
        let all = [
            ("example.com/x.TestA", Some("TestA")),
            ("example.com/x_test.TestA.func1.2", Some("TestA")),
            ("main.BenchmarkX.gowrap1", Some("BenchmarkX")),
            ("example.com/x.(*S).TestA", None),
            ("example.com/x.Testing", None),
            ("example.com/x.TestMain", None),
            ("example.com/x.newServer", None),
            ("main", None),
            ("", None),
        ];
        for (function, test) in all {
            assert_eq!(test_function(function), test, "{function}");
        }
    }
}
