//! The smallest ELF file that holds given sections. Owns the layout and nothing else.

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SECTION: usize = 64;

/// A section to be put into a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'a> {
    pub(crate) name: &'static str,
    pub(crate) address: u64,
    pub(crate) code: bool,
    pub(crate) bytes: &'a [u8],
}

/// An x86-64 shared object with these sections, each in a segment of its own.
pub(crate) fn container(sections: &[Section<'_>]) -> Vec<u8> {
    let names: Vec<u8> = std::iter::once(0)
        .chain(sections.iter().flat_map(|s| s.name.bytes().chain([0])))
        .chain(b".shstrtab\0".iter().copied())
        .collect();
    let first = HEADER + sections.len() * SEGMENT;
    let mut offsets = Vec::new();
    let mut at = first;
    for section in sections {
        // The same place in the page as in memory.
        at = at.next_multiple_of(4096) + (section.address % 4096) as usize;
        offsets.push(at);
        at += section.bytes.len();
    }
    let names_at = at;
    let table = (names_at + names.len()).next_multiple_of(8);
    let count = sections.len() + 2;
    let mut file = vec![0; table + count * SECTION];
    header(&mut file, sections.len(), table, count);
    let mut name = 1;
    for (n, (section, offset)) in sections.iter().zip(&offsets).enumerate() {
        let len = section.bytes.len();
        file[*offset..offset + len].copy_from_slice(section.bytes);
        let flags: u32 = if section.code { 5 } else { 4 };
        let words = [
            *offset as u64,
            section.address,
            section.address,
            len as u64,
            len as u64,
            4096,
        ];
        let entry = HEADER + n * SEGMENT;
        put(&mut file, entry, &1u32.to_le_bytes());
        put(&mut file, entry + 4, &flags.to_le_bytes());
        for (i, word) in words.iter().enumerate() {
            put(&mut file, entry + 8 + 8 * i, &word.to_le_bytes());
        }
        let flags = if section.code { 6u64 } else { 2 };
        let place = [flags, section.address, *offset as u64, len as u64];
        section_header(&mut file, table + (n + 1) * SECTION, name, 1, place);
        name += section.name.len() as u32 + 1;
    }
    put(&mut file, names_at, &names);
    let place = [0, 0, names_at as u64, names.len() as u64];
    section_header(&mut file, table + (count - 1) * SECTION, name, 3, place);
    file
}

fn header(file: &mut [u8], segments: usize, table: usize, sections: usize) {
    put(file, 0, b"\x7fELF\x02\x01\x01");
    put(file, 16, &3u16.to_le_bytes());
    put(file, 18, &62u16.to_le_bytes());
    put(file, 20, &1u32.to_le_bytes());
    put(file, 32, &(HEADER as u64).to_le_bytes());
    put(file, 40, &(table as u64).to_le_bytes());
    for (at, value) in [
        (52, HEADER),
        (54, SEGMENT),
        (56, segments),
        (58, SECTION),
        (60, sections),
        (62, sections - 1),
    ] {
        put(file, at, &(value as u16).to_le_bytes());
    }
}

fn section_header(file: &mut [u8], at: usize, name: u32, kind: u32, place: [u64; 4]) {
    put(file, at, &name.to_le_bytes());
    put(file, at + 4, &kind.to_le_bytes());
    for (i, word) in place.iter().enumerate() {
        put(file, at + 8 + 8 * i, &word.to_le_bytes());
    }
    put(file, at + 48, &1u64.to_le_bytes());
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_elf_file_with_these_sections() {
        let section = |name, address, code, bytes| Section {
            name,
            address,
            code,
            bytes,
        };
        let file = container(&[
            section(".text", 0x1010, true, b"\x90\xc3"),
            section(".data", 0x5000, false, b"abc"),
        ]);
        let elf = seam_object::Elf::parse(file.as_slice()).expect("well formed");
        assert_eq!(elf.code_ranges(), [(0x1010, 0x1012)]);
        assert_eq!(elf.bytes_at(0x5000, 3), Some(&b"abc"[..]));
        let data = elf
            .section_data(".data")
            .expect("well formed")
            .expect("it is there");
        assert_eq!(&*data, b"abc");
    }
}
