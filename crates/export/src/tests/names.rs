//! Shortening of names.

use proptest::prelude::*;

use crate::{base_name, fit, printable, short_name};

#[test]
fn the_useless_end_goes_first() {
    let check = |name: &str, expected: &str| assert_eq!(short_name(name), expected, "{name}");
    check("runtime.mallocgc", "runtime.mallocgc");
    check("example.com/api/store.(*Rows).Next", "store.(*Rows).Next");
    check("example.com/api/store/v2.Open", "store/v2.Open");
    check("github.com/a/b%2ec.F", "b.c.F");
    check(
        "a.com/x.Map[go.shape.*a.com/y.T]",
        "x.Map[go.shape.*a.com/y.T]",
    );
    check(
        "icu_72::Collator::compare(icu_72::Text const&) const",
        "Collator::compare",
    );
    check(
        "std::vector<std::string, A<int> >::push_back(int)",
        "vector::push_back",
    );
    check("void ns::run<int>(int)", "ns::run");
    check("ns::(anonymous namespace)::go()", "{anonymous}::go");
    check("ns::T::operator<(T const&)", "ns::T::operator<(T const&)");
    check("[libfoo.so+0x12]", "[libfoo.so+0x12]");
    check("sqlite3_step", "sqlite3_step");
    check("", "");
}

#[test]
fn what_does_not_fit_loses_its_front() {
    assert_eq!(fit("store.(*Rows).Next", 18), "store.(*Rows).Next");
    assert_eq!(fit("store.(*Rows).Next", 10), "…ows).Next");
    assert_eq!(fit("abc", 0), "");
}

#[test]
fn terminals_are_not_spoken_to() {
    assert_eq!(printable("a\x1b[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    assert_eq!(base_name("/src/db/rows.go"), "rows.go");
    assert_eq!(base_name("rows.go"), "rows.go");
}

proptest! {
    #[test]
    fn any_name_shortens(name in ".{0,60}", width in 1usize..40) {
        let short = short_name(&name);
        prop_assert!(short.is_empty() == name.is_empty());
        prop_assert!(fit(&short, width).chars().count() <= width);
    }
}
