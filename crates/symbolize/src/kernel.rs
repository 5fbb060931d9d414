//! Kernel names, from the text of /proc/kallsyms.

/// A kernel function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelSymbol<'a> {
    /// Its name.
    pub name: &'a str,
    /// The kernel module it belongs to, empty for the kernel itself.
    pub module: &'a str,
    /// First address.
    pub start: u64,
}

/// The kernel's code symbols.
#[derive(Debug, Clone, Default)]
pub struct KernelSymbols {
    text: String,
    /// Address, and where name and module stand in the text.
    symbols: Vec<(u64, u32, u32)>,
}

impl KernelSymbols {
    /// Reads `address type name [module]` lines. Without the right to see addresses the kernel
    /// prints zeros: then there are no symbols.
    #[must_use]
    pub fn parse(kallsyms: String) -> Self {
        let mut symbols = Vec::new();
        let mut at = 0usize;
        for line in kallsyms.split_inclusive('\n') {
            if let Some(address) = code_address(line)
                && let (Ok(start), Ok(len)) = (u32::try_from(at), u32::try_from(line.len()))
            {
                symbols.push((address, start, len));
            }
            at += line.len();
        }
        symbols.sort_by_key(|s| s.0);
        // Of several names for one address the first listed is kept.
        symbols.dedup_by_key(|s| s.0);
        Self {
            text: kallsyms,
            symbols,
        }
    }

    /// Whether the kernel showed no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The function that an address lies in: kernel symbols have no sizes, and code follows code.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<KernelSymbol<'_>> {
        let after = self.symbols.partition_point(|s| s.0 <= address);
        let (start, at, len) = *self.symbols.get(after.checked_sub(1)?)?;
        // The last symbol of a region has no end; nothing real is this long.
        if address - start > 1 << 20 {
            return None;
        }
        let line = self.text.get(at as usize..(at + len) as usize)?;
        let mut words = line.split_whitespace().skip(2);
        let name = words.next()?;
        let module = words.next().unwrap_or("").trim_matches(['[', ']']);
        Some(KernelSymbol {
            name,
            module,
            start,
        })
    }
}

fn code_address(line: &str) -> Option<u64> {
    let (address, rest) = line.split_once(' ')?;
    let kind = rest.chars().next()?;
    let address = u64::from_str_radix(address, 16).ok()?;
    (matches!(kind, 't' | 'T' | 'w' | 'W') && address != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_kernel_and_modules() {
        let text = "ffffffff81000000 T _text\nffffffff81000000 T startup\n\
                    ffffffff81000100 t do_it\nffffffff81000200 D data\n\
                    ffffffffc0000000 t ext_read\t[ext4]\n0000000000000000 T hidden\n";
        let kernel = KernelSymbols::parse(text.to_owned());
        let name = |a| kernel.find(a).map(|s| (s.name, s.module));
        assert_eq!(name(0xffff_ffff_8100_0050), Some(("_text", "")));
        assert_eq!(name(0xffff_ffff_8100_0210), Some(("do_it", "")));
        assert_eq!(name(0xffff_ffff_c000_0010), Some(("ext_read", "ext4")));
        assert_eq!(name(0xffff_ffff_8fff_0000), None);
        assert_eq!(name(5), None);
        assert!(KernelSymbols::parse("0000000000000000 T hidden\n".to_owned()).is_empty());
    }
}
