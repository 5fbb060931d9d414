//! The runtime's words for what goroutines wait for (`waitReasonStrings`, runtime/runtime2.go).
//! Their numbers change with each version, so the table is read from the process itself.

use seam_memory::Memory;

/// Words in the table: 43 in Go 1.27.
const WORDS_MAX: u64 = 96;
/// The longest has 37 bytes in Go 1.27.
const WORD_BYTES_MAX: u64 = 80;
/// The first that is not empty, Go 1.11 to 1.27: by it the table is known.
const FIRST: &str = "GC assist marking";

/// The words by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitReasons(Vec<String>);

impl WaitReasons {
    /// Reads the table at the first of some places where there is one.
    #[must_use]
    pub fn read(memory: &impl Memory, places: &[u64]) -> Option<Self> {
        places.iter().find_map(|place| Self::at(memory, *place))
    }

    fn at(memory: &impl Memory, place: u64) -> Option<Self> {
        // waitReasonZero has no words.
        if memory.word(place.wrapping_add(8)) != Ok(0) {
            return None;
        }
        let mut words = vec![String::new()];
        while let Some(word) = text(memory, place.wrapping_add(16 * words.len() as u64)) {
            words.push(word);
            if words.len() as u64 == WORDS_MAX {
                break;
            }
        }
        (words.get(1)? == FIRST).then_some(Self(words))
    }

    /// The words for a number; `None` where the runtime has none.
    #[must_use]
    pub fn get(&self, number: u8) -> Option<&str> {
        let words = self.0.get(usize::from(number)).map(String::as_str);
        words.filter(|words| !words.is_empty())
    }
}

/// A short printable string by its header (pointer, length).
fn text(memory: &impl Memory, header: u64) -> Option<String> {
    let pointer = memory.word(header).ok()?;
    let len = memory.word(header.wrapping_add(8)).ok()?;
    if !(1..=WORD_BYTES_MAX).contains(&len) {
        return None;
    }
    let mut bytes = vec![0; len as usize];
    memory.read(pointer, &mut bytes).ok()?;
    let printable = bytes.iter().all(|b| (b' '..=b'~').contains(b));
    String::from_utf8(bytes).ok().filter(|_| printable)
}

#[cfg(test)]
mod tests {
    use seam_memory::Snapshot;

    use super::*;

    fn table(words: &[&str]) -> Snapshot {
        let mut memory = Snapshot::default();
        let mut text_at = 0x9000u64;
        for (i, word) in words.iter().enumerate() {
            let header = [text_at.to_le_bytes(), (word.len() as u64).to_le_bytes()].concat();
            memory.insert(0x1000 + 16 * i as u64, &header);
            memory.insert(text_at, word.as_bytes());
            text_at += 0x100;
        }
        memory
    }

    #[test]
    fn the_table_is_known_by_its_first_words() {
        let memory = table(&["", FIRST, "IO wait", "chan receive"]);
        let found = WaitReasons::read(&memory, &[8, 0x9000, 0x1000]).expect("it is there");
        assert_eq!(found.get(3), Some("chan receive"));
        assert_eq!(found.get(0), None);
        assert_eq!(found.get(4), None);
        assert_eq!(WaitReasons::read(&memory, &[0x1010, 0x2000]), None);
        assert_eq!(
            WaitReasons::read(&table(&["", "other", "IO wait"]), &[0x1000]),
            None
        );
        assert_eq!(WaitReasons::read(&table(&["x", FIRST]), &[0x1000]), None);
    }
}
