//! Taking a page's data out of its HTML: base64, deflate, a JSON header, columns.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

const MAGIC: &[u8] = b"SEAMPAGE";

/// The data of a page.
#[derive(Debug)]
pub struct Page {
    /// Titles, quality strip, strings, and where the columns are.
    pub header: Value,
    columns: Vec<u8>,
}

impl Page {
    /// Finds the data in a page.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn of(html: &str) -> Self {
        let bytes = html
            .split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)))
            .find_map(container)
            .expect("a page holds a container");
        let len = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
        Self {
            header: serde_json::from_slice(&bytes[16..16 + len]).expect("the header is JSON"),
            columns: bytes[(16 + len).next_multiple_of(8)..].to_vec(),
        }
    }

    /// Values of a column of 32-bit numbers.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Vec<u32> {
        let place = &self.header["columns"][name];
        assert_eq!(place["type"], "u32", "{name} is another column");
        let offset = place["offset"].as_u64().expect("an offset") as usize;
        let len = place["len"].as_u64().expect("a length") as usize;
        self.columns[offset..offset + 4 * len]
            .chunks(4)
            .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")))
            .collect()
    }

    /// Numbers of a column of varints.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn varints(&self, name: &str) -> Vec<u64> {
        let place = &self.header["columns"][name];
        assert_eq!(place["type"], "u8", "{name} is another column");
        let offset = place["offset"].as_u64().expect("an offset") as usize;
        let len = place["len"].as_u64().expect("a length") as usize;
        numbers(&self.columns[offset..offset + len])
    }

    /// The same of a column with a number for each row of samples; without any, all are 0.
    ///
    /// # Panics
    /// When there is no such column or it has another number of values.
    #[must_use]
    pub fn by_row(&self, name: &str) -> Vec<u64> {
        let rows = &self.header["columns"]["sm_flags"]["len"];
        let rows = rows.as_u64().expect("samples have flags") as usize;
        let mut values = self.varints(name);
        if values.is_empty() {
            values = vec![0; rows];
        }
        assert_eq!(values.len(), rows, "{name}");
        values
    }

    /// Values of a column in which 0 stands for the one before on the same thread.
    ///
    /// # Panics
    /// As [`Page::by_row`].
    #[must_use]
    pub fn carried(&self, name: &str, threads: &[u64]) -> Vec<u64> {
        let mut last = BTreeMap::new();
        let values = self.by_row(name).into_iter().zip(threads);
        values
            .map(|(value, thread)| {
                let before = last.entry(thread).or_insert(0);
                *before = value.checked_sub(1).unwrap_or(*before);
                *before
            })
            .collect()
    }
}

/// LEB128.
fn numbers(bytes: &[u8]) -> Vec<u64> {
    let mut numbers = Vec::new();
    let (mut number, mut shift) = (0, 0);
    for byte in bytes {
        number |= u64::from(byte & 127) << shift;
        shift += 7;
        if byte & 128 == 0 {
            numbers.push(number);
            (number, shift) = (0, 0);
        }
    }
    numbers
}

fn container(word: &str) -> Option<Vec<u8>> {
    if word.len() < 256 {
        return None;
    }
    let packed = base64(word)?;
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(packed.as_slice())
        .read_to_end(&mut bytes)
        .ok()?;
    bytes.starts_with(MAGIC).then_some(bytes)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for char in text.trim_end_matches('=').bytes() {
        let value = match char {
            b'A'..=b'Z' => char - b'A',
            b'a'..=b'z' => char - b'a' + 26,
            b'0'..=b'9' => char - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}
