//! Names of functions and files, shortened at the end nobody needs.
//!
//! Owns the order in which parts are dropped: a Go name's package path first, a C++ name's
//! arguments and outer namespaces first; the method never. The page has the same rules.

/// The name without its package path or C++ details: `store.(*Rows).Next`.
pub fn short_name(name: &str) -> String {
    if name.starts_with('[') {
        return name.to_owned();
    }
    let short = if name.contains("::") {
        without_cpp_details(name)
    } else {
        without_package_path(name)
    };
    if short.is_empty() {
        name.to_owned()
    } else {
        short
    }
}

/// `name` in at most `width` characters. What does not fit is cut off at the front.
pub fn fit(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept = name.chars().skip(length - width.saturating_sub(1));
    std::iter::once('…').chain(kept).take(width).collect()
}

/// The last element of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `text` with control characters replaced, so that a name from a stranger's program can neither
/// break a line nor speak to the terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

/// A library's name without its `.so` and version: `libsqlite3`.
pub(crate) fn library_name(name: &str) -> &str {
    name.split_once(".so").map_or(name, |(library, _)| library)
}

fn without_package_path(name: &str) -> String {
    let head = name
        .find(['[', '(', '{', '<'])
        .map_or(name, |end| &name[..end]);
    let Some(slash) = head.rfind('/').filter(|slash| *slash > 0) else {
        return name.to_owned();
    };
    let mut short = &name[slash + 1..];
    // A major version is no name: `store/v2.Open` needs the element before it.
    if is_version(short) {
        let before = name[..slash].rfind('/').map_or(0, |slash| slash + 1);
        short = &name[before..];
    }
    short.replace("%2e", ".")
}

fn is_version(text: &str) -> bool {
    let Some((version, _)) = text.split_once('.') else {
        return false;
    };
    let digits = version.strip_prefix('v').unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_cpp_details(name: &str) -> String {
    // operator<, operator() and the like are made of the brackets this would drop.
    if name.contains("operator") {
        return name.to_owned();
    }
    let mut depth = 0u32;
    let mut plain = String::new();
    for char in name.replace("(anonymous namespace)", "{anonymous}").chars() {
        match char {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(char),
            _ => {}
        }
    }
    let plain = plain.trim_end_matches(" const");
    // A return type in front is separated by a blank.
    let plain = plain.rsplit(' ').next().unwrap_or(plain);
    let parts: Vec<_> = plain.split("::").filter(|part| !part.is_empty()).collect();
    parts[parts.len().saturating_sub(2)..].join("::")
}
