//! Names for people: C++ and Rust demangled.

/// Longest name that is demangled: demanglers may take exponential space on hostile ones.
const MANGLED_BYTES_MAX: usize = 4096;
/// Longest result that is kept.
const NAME_BYTES_MAX: usize = 16 << 10;

/// Demangles a C++ or Rust name; `None` for names of other kinds and malformed ones.
#[must_use]
pub fn demangle(name: &str) -> Option<String> {
    if name.len() > MANGLED_BYTES_MAX {
        return None;
    }
    // Rust's v0 starts with _R; its old scheme looks like C++ but ends in a hash.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return Some(format!("{rust:#}"));
    }
    if !name.starts_with("_Z") && !name.starts_with("___Z") {
        return None;
    }
    let options = cpp_demangle::ParseOptions::default().recursion_limit(128);
    let symbol = cpp_demangle::Symbol::new_with_options(name, &options).ok()?;
    // Parameters make names long and tell little in a stack.
    let options = cpp_demangle::DemangleOptions::new()
        .no_params()
        .no_return_type();
    let text = symbol.demangle_with_options(&options).ok()?;
    // What remains of a lambda's or method's signature.
    let text = text.strip_suffix(" const").unwrap_or(&text);
    (text.len() <= NAME_BYTES_MAX).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(demangle(name).as_deref(), expected, "{name}");
        };
        check(
            "_ZNSt6vectorIiSaIiEE9push_backEOi",
            Some("std::vector<int, std::allocator<int> >::push_back"),
        );
        check("_ZN3foo3barEi", Some("foo::bar"));
        check(
            "_RNvCskwGfYPst2Cb_3foo16example_function",
            Some("foo::example_function"),
        );
        check(
            "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
            Some("core::fmt::Write::write_fmt"),
        );
        check("sqlite3_step", None);
        check("_Zgarbage", None);
    }
}
