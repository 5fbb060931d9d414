//! Numbers as people read them.
//!
//! Owns rounding and units. Shares never round to a claim: "100.0%" means all, "0%" means none.

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share with one digit after the point, as `46.2%`. Of nothing, the share is zero.
pub(crate) fn percent(part: u64, all: u64) -> String {
    let share = tenths(part, all);
    format!("{}.{}%", share / 10, share % 10)
}

/// A share in whole percent, as `46%`; `<1%` for the least.
pub(crate) fn whole_percent(part: u64, all: u64) -> String {
    if all == 0 || part == 0 {
        return "0%".to_owned();
    }
    let rounded = (u128::from(part) * 200 / u128::from(all)).div_ceil(2);
    match rounded {
        0 => "<1%".to_owned(),
        100.. if part < all => "99%".to_owned(),
        _ => format!("{rounded}%"),
    }
}

/// Tenths of a percent, rounded, but never up to all or down to none.
fn tenths(part: u64, all: u64) -> u64 {
    if all == 0 || part == 0 {
        return 0;
    }
    if part >= all {
        return (u128::from(part) * 1000 / u128::from(all)) as u64;
    }
    let rounded = (u128::from(part) * 2000 / u128::from(all)).div_ceil(2) as u64;
    rounded.clamp(1, 999)
}

/// Nanoseconds as `10.0 s`.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

/// Bytes as `21 MiB`, or a smaller unit below one.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
