//! Names for the frames of a program that has none itself: from the same code with its symbols. And
//! the names that Go gives a program's package when it is built as a plugin.

use std::path::Path;

use anyhow::{Context, Result};
use seam_e2e::pprof::Stack;
use seam_object::{Elf, SymbolKind};

/// Functions of a file, in order of their addresses: start, end, name.
struct Functions(Vec<(u64, u64, String)>);

/// Names the frames of `program` that have only an address there.
pub(crate) fn with_names_of(file: &Path, program: &str, stacks: &mut [Stack]) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let functions = Functions::of(&bytes)?;
    let start = format!("[{program}+0x");
    for frame in stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
        let address = frame.name.strip_prefix(&start);
        let address = address.and_then(|rest| rest.strip_suffix(']'));
        let address = address.and_then(|hex| u64::from_str_radix(hex, 16).ok());
        if let Some(name) = address.and_then(|address| functions.at(address)) {
            name.clone_into(&mut frame.name);
            name.clone_into(&mut frame.system_name);
        }
    }
    Ok(())
}

/// `seam.test/n.f` is what `main.f` of program n is called in a plugin.
pub(crate) fn as_main(program: &str, stacks: &mut [Stack]) {
    let start = format!("seam.test/{program}.");
    for frame in stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
        if let Some(rest) = frame.name.strip_prefix(&start) {
            frame.name = format!("main.{rest}");
        }
    }
}

/// gcc's names of local lambdas, as truth files have them, for clang's: `f()::$_0::operator()` is
/// `f()::{lambda(int)#1}::operator()`.
pub(crate) fn with_gccs_lambdas(known: &[String], stacks: &mut [Stack]) {
    for frame in stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
        let gccs = |name: &&String| by_clang(name).is_some_and(|clang| clang == frame.name);
        if let Some(name) = known.iter().find(gccs) {
            frame.name.clone_from(name);
        }
    }
}

fn by_clang(name: &str) -> Option<String> {
    let (outer, rest) = name.split_once("{lambda(")?;
    let (number, behind) = rest.split_once('#')?.1.split_once('}')?;
    let number: u32 = number.parse().ok()?;
    Some(format!("{outer}$_{}{behind}", number.checked_sub(1)?))
}

impl Functions {
    fn of(bytes: &[u8]) -> Result<Self> {
        let elf = Elf::parse(bytes)?;
        let functions = elf
            .symbols()
            .filter(|symbol| symbol.kind == SymbolKind::Function && symbol.size > 0);
        let mut functions: Vec<_> = functions
            .map(|symbol| {
                let name = String::from_utf8_lossy(symbol.name).into_owned();
                (symbol.address, symbol.address + symbol.size, name)
            })
            .collect();
        functions.sort();
        Ok(Functions(functions))
    }

    fn at(&self, address: u64) -> Option<&str> {
        let after = self.0.partition_point(|(start, ..)| *start <= address);
        let (_, end, name) = &self.0[after.checked_sub(1)?];
        (address < *end).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folded;

    #[test]
    fn addresses_of_the_program_get_names() {
        let own = std::env::current_exe().unwrap();
        let bytes = std::fs::read(&own).unwrap();
        let functions = Functions::of(&bytes).unwrap();
        let (start, _, name) = functions.0[functions.0.len() / 2].clone();
        let line = format!("p;[p+0x{start:x}];[q+0x{start:x}];[p+0x1] 1");
        let mut stacks = folded::stacks(&line).unwrap();
        with_names_of(&own, "p", &mut stacks).unwrap();
        let names: Vec<_> = stacks[0].frames.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(functions.at(start), Some(names[0]));
        assert!(!name.is_empty());
        assert_eq!(names[1..], [&format!("[q+0x{start:x}]"), "[p+0x1]"]);
    }

    #[test]
    fn lambdas_have_gccs_names() {
        let mut stacks =
            folded::stacks("p;f(int)::$_0::operator();f(int)::$_1::operator() 1").unwrap();
        let known = "f(int)::{lambda(unsigned long)#1}::operator()".to_owned();
        with_gccs_lambdas(std::slice::from_ref(&known), &mut stacks);
        let names: Vec<_> = stacks[0].frames.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, [known.as_str(), "f(int)::$_1::operator()"]);
    }

    #[test]
    fn a_plugins_package_is_main() {
        let mut stacks = folded::stacks("p;seam.test/n.f;seam.test/nn.f 1").unwrap();
        as_main("n", &mut stacks);
        let names: Vec<_> = stacks[0].frames.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["main.f", "seam.test/nn.f"]);
    }
}
