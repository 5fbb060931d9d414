//! The container the page reads: magic, version, JSON header, little-endian columns.
//!
//! Owns the layout. `SEAMPAGE`, u32 version, u32 length of the JSON, the JSON, zeros up to a
//! multiple of 8; then the columns, each at an offset from there that is a multiple of 8.

use serde_json::{Map, Value, json};

use crate::error::ExportError;

const MAGIC: &[u8; 8] = b"SEAMPAGE";
const VERSION: u32 = 2;
const ALIGNMENT: usize = 8;

/// Columns laid one after the other, and where each is.
#[derive(Default)]
pub(super) struct Columns {
    bytes: Vec<u8>,
    places: Map<String, Value>,
}

impl Columns {
    pub(super) fn u8(&mut self, name: &str, values: impl Iterator<Item = u8>) {
        self.add(name, "u8", values.map(u8::to_le_bytes));
    }

    pub(super) fn u16(&mut self, name: &str, values: impl Iterator<Item = u16>) {
        self.add(name, "u16", values.map(u16::to_le_bytes));
    }

    pub(super) fn u32(&mut self, name: &str, values: impl Iterator<Item = u32>) {
        self.add(name, "u32", values.map(u32::to_le_bytes));
    }

    pub(super) fn f64(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.add(name, "f64", values.map(f64::to_le_bytes));
    }

    fn add<const N: usize>(
        &mut self,
        name: &str,
        kind: &str,
        values: impl Iterator<Item = [u8; N]>,
    ) {
        let offset = self.bytes.len();
        self.bytes.extend(values.flatten());
        let len = (self.bytes.len() - offset) / N;
        let place = json!({ "type": kind, "offset": offset, "len": len });
        let before = self.places.insert(name.to_owned(), place);
        debug_assert!(before.is_none(), "a column has one place");
        pad(&mut self.bytes);
    }
}

/// Puts header and columns together.
pub(super) fn encode(
    mut header: Map<String, Value>,
    columns: Columns,
) -> Result<Vec<u8>, ExportError> {
    header.insert("columns".to_owned(), Value::Object(columns.places));
    let json = serde_json::to_vec(&header).map_err(ExportError::Header)?;
    let json_len =
        u32::try_from(json.len()).map_err(|_| ExportError::HeaderTooLarge { bytes: json.len() })?;
    let mut bytes = Vec::with_capacity(json.len() + columns.bytes.len() + 32);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(json_len.to_le_bytes());
    bytes.extend(json);
    pad(&mut bytes);
    bytes.extend(columns.bytes);
    Ok(bytes)
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}
