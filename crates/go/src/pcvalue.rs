//! pc-value tables: Go's run-length coding of "which value holds from which pc on" (runtime
//! `pcvalue`, `step`; unchanged from Go 1.2 to 1.27).

/// Walks one table. Yields `(end_pc, value)`: `value` holds from the previous end up to `end_pc`.
#[derive(Debug, Clone)]
pub struct PcValues<'d> {
    bytes: &'d [u8],
    pc: u64,
    value: i32,
    quantum: u64,
    first: bool,
}

impl<'d> PcValues<'d> {
    /// A table whose first byte is `bytes[0]`, for a function that starts at `entry`. An empty
    /// slice is a table without entries.
    #[must_use]
    pub fn new(bytes: &'d [u8], entry: u64, quantum: u64) -> Self {
        Self {
            bytes,
            pc: entry,
            value: -1,
            quantum,
            first: true,
        }
    }

    /// The value in force at `pc`.
    #[must_use]
    pub fn at(self, pc: u64) -> Option<i32> {
        self.into_iter()
            .find(|(end, _)| pc < *end)
            .map(|(_, value)| value)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Iterator for PcValues<'_> {
    type Item = (u64, i32);

    fn next(&mut self) -> Option<(u64, i32)> {
        let delta = self.varint()?;
        if delta == 0 && !self.first {
            self.bytes = &[];
            return None;
        }
        self.first = false;
        // Zig-zag: the sign is in the lowest bit.
        let delta = if delta & 1 != 0 {
            !(delta >> 1)
        } else {
            delta >> 1
        };
        let step = u64::from(self.varint()?) * self.quantum;
        self.value = self.value.wrapping_add(delta as i32);
        self.pc = self.pc.checked_add(step)?;
        Some((self.pc, self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_up_to_their_end() {
        // -1 +1 = 0 for 4 bytes, +8 for 100, -8 for 1, end.
        let bytes = [2, 4, 16, 100, 15, 1, 0];
        let table = PcValues::new(&bytes, 0x1000, 1);
        let all: Vec<_> = table.clone().collect();
        assert_eq!(all, [(0x1004, 0), (0x1068, 8), (0x1069, 0)]);
        assert_eq!(table.clone().at(0x1003), Some(0));
        assert_eq!(table.clone().at(0x1004), Some(8));
        assert_eq!(table.at(0x1069), None);
    }

    #[test]
    fn cut_tables_end() {
        let bytes = [2, 4, 16, 100, 0x80, 0x80];
        for len in 0..bytes.len() {
            assert!(PcValues::new(&bytes[..len], 0, 1).count() <= 2);
        }
    }
}
