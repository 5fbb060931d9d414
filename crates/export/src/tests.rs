//! Tests of the formats, one file per format, and of their agreement.

mod agree;
mod folded;
mod html;
mod names;
mod numbers;
mod pprof;
mod speedscope;
mod summary;
mod svg;

use seam_analyze::{Facts, Folder, Limits, facts};
use seam_profile::Profile;

fn facts_of(profile: &Profile) -> Facts {
    facts(&Folder::new(profile), Limits::default())
}

/// The page's container taken apart again.
struct Page {
    header: serde_json::Value,
    binary: Vec<u8>,
}

impl Page {
    fn of(profile: &Profile) -> Self {
        let bytes = crate::html::container(profile).expect("small enough");
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Self {
        assert_eq!(&bytes[..8], b"SEAMPAGE");
        assert_eq!(bytes[8..12], 2u32.to_le_bytes());
        let json_len = u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
        let header = serde_json::from_slice(&bytes[16..16 + json_len]).expect("JSON");
        let binary = bytes[(16 + json_len).next_multiple_of(8)..].to_vec();
        Self { header, binary }
    }

    /// A column's values, whatever its type; floats lose their fraction.
    fn column(&self, name: &str) -> Vec<u64> {
        let place = &self.header["columns"][name];
        let offset = place["offset"].as_u64().expect("an offset") as usize;
        let len = place["len"].as_u64().expect("a length") as usize;
        assert_eq!(offset % 8, 0, "{name} is aligned");
        let size = match place["type"].as_str().expect("a type") {
            "u8" => 1,
            "u16" => 2,
            "u32" => 4,
            "f64" => {
                let bytes = self.binary[offset..offset + len * 8].chunks(8);
                let float = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight"));
                return bytes.map(|bytes| float(bytes) as u64).collect();
            }
            other => panic!("unknown type {other}"),
        };
        let bytes = self.binary[offset..offset + len * size].chunks(size);
        bytes
            .map(|bytes| {
                bytes
                    .iter()
                    .rev()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            })
            .collect()
    }

    /// The numbers of a packed column.
    fn varints(&self, name: &str) -> Vec<u64> {
        let mut numbers = Vec::new();
        let (mut number, mut shift) = (0, 0);
        for byte in self.column(name) {
            number |= (byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                numbers.push(std::mem::take(&mut number));
                shift = 0;
            }
        }
        numbers
    }

    fn string(&self, id: u64) -> &str {
        self.header["strings"][id as usize]
            .as_str()
            .expect("a string")
    }
}
