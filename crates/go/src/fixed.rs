//! Addresses that are fixed in a function's code, and what it does with them: how variables of the
//! runtime are recognised. The instructions are read by each processor's own module.

/// Instructions that are looked at in one function.
pub(crate) const INSTRUCTIONS_MAX: usize = 4096;

/// What one instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    /// A register (DWARF number) has a fixed address now.
    Computed(u8, u64),
    /// The word at one is loaded, or so many.
    Loaded(u64, u64),
    /// A call of this function, or of an unknown one.
    Called(Option<u64>),
    /// A register has something else now.
    Lost(u8),
}

/// The first two words that are loaded, if they are different ones.
pub(crate) fn list(all: &[Fixed]) -> Option<(u64, u64)> {
    let mut loads = all.iter().filter_map(|f| match f {
        Fixed::Loaded(at, 1) => Some(*at),
        _ => None,
    });
    let (len, pointer) = (loads.next()?, loads.next()?);
    (len != pointer).then_some((len, pointer))
}

/// The address that is the first argument of a call. Go has that in the register of number 0 on
/// both processors.
pub(crate) fn argument(all: &[Fixed], callee: u64) -> Option<u64> {
    let mut first = None;
    for step in all {
        match *step {
            Fixed::Called(Some(to)) if to == callee => return first,
            Fixed::Called(_) | Fixed::Lost(0) => first = None,
            Fixed::Computed(0, address) => first = Some(address),
            _ => {}
        }
    }
    None
}

/// A slice whose pointer and length are loaded behind the first call.
pub(crate) fn slice_behind_call(all: &[Fixed]) -> Option<u64> {
    let behind = all.iter().skip_while(|f| !matches!(f, Fixed::Called(_)));
    let mut loads = behind.filter_map(|f| match f {
        Fixed::Loaded(at, words) => Some((*at, *words)),
        _ => None,
    });
    let (a, words) = loads.next()?;
    if words == 2 {
        return Some(a);
    }
    let (b, _) = loads.next()?;
    (a.abs_diff(b) == 8).then_some(a.min(b))
}

/// Every address that is computed.
pub(crate) fn computed(all: &[Fixed]) -> Vec<u64> {
    let all = all.iter().filter_map(|f| match f {
        Fixed::Computed(_, address) => Some(*address),
        _ => None,
    });
    all.collect()
}
