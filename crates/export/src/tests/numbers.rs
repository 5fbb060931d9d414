//! Rounding and units.

use crate::numbers::{bytes, percent, seconds, thousands, whole_percent};

#[test]
fn shares_do_not_round_to_a_claim() {
    let check = |part, all, expected: &str| assert_eq!(percent(part, all), expected);
    check(0, 0, "0.0%");
    check(0, 9, "0.0%");
    check(1, 100_000, "0.1%");
    check(462, 1000, "46.2%");
    check(2, 3, "66.7%");
    check(99_999, 100_000, "99.9%");
    check(7, 7, "100.0%");
    check(3, 2, "150.0%");
    assert_eq!(whole_percent(0, 5), "0%");
    assert_eq!(whole_percent(1, 1000), "<1%");
    assert_eq!(whole_percent(999, 1000), "99%");
    assert_eq!(whole_percent(31, 100), "31%");
    assert_eq!(whole_percent(5, 5), "100%");
}

#[test]
fn units_suit_the_size() {
    assert_eq!(thousands(0), "0");
    assert_eq!(thousands(999), "999");
    assert_eq!(thousands(1_234_567), "1,234,567");
    assert_eq!(seconds(10_040_000_000), "10.0 s");
    assert_eq!(bytes(512), "512 B");
    assert_eq!(bytes(21 << 20), "21 MiB");
}
