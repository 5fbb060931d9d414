//! A core put together here, whole, cut off and changed.

use super::*;

/// One thread, one mapped file, memory of 32 bytes at 0x1000 of which 16 are stored.
fn core() -> Vec<u8> {
    let mut status = vec![0; 336];
    status[12] = 6;
    status[32..36].copy_from_slice(&77u32.to_le_bytes());
    for at in 0..27u64 {
        let to = 112 + 8 * at as usize;
        status[to..to + 8].copy_from_slice(&(100 + at).to_le_bytes());
    }
    let words = |words: &[u64]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut files = words(&[1, 4096, 0x2000, 0x3000, 2]);
    files.extend(b"/bin/x\0");
    let mut info = vec![0; 136];
    info[24] = 78;
    info[40..42].copy_from_slice(b"me");
    let notes: [(u32, Vec<u8>); 4] = [
        (1, status),
        (3, info),
        (6, words(&[9, 0x2010, 0, 0])),
        (0x4649_4c45, files),
    ];
    let mut note_bytes = Vec::new();
    for (kind, data) in notes {
        for word in [5, data.len() as u32, kind] {
            note_bytes.extend(word.to_le_bytes());
        }
        note_bytes.extend(b"CORE\0\0\0\0");
        note_bytes.extend(&data);
        note_bytes.resize(note_bytes.len().next_multiple_of(4), 0);
    }
    let segment = |kind: u32, flags: u32, offset: usize, address, stored: usize, size| {
        let mut bytes = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
        bytes.extend(words(&[offset as u64, address, 0, stored as u64, size, 1]));
        bytes
    };
    let start = 64 + 2 * 56;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    for short in [4u16, 62] {
        bytes.extend(short.to_le_bytes());
    }
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(words(&[0, 64, 0]));
    bytes.extend(0u32.to_le_bytes());
    for short in [64u16, 56, 2, 0, 0, 0] {
        bytes.extend(short.to_le_bytes());
    }
    assert_eq!(bytes.len(), 64);
    bytes.extend(segment(4, 0, start, 0, note_bytes.len(), 0));
    bytes.extend(segment(1, 1, start + note_bytes.len(), 0x1000, 16, 32));
    bytes.extend(note_bytes);
    bytes.extend(words(&[11, 12]));
    bytes
}

#[test]
fn everything_is_read() {
    let core = Core::from_bytes(core()).expect("well formed");
    let thread = &core.threads()[0];
    assert_eq!((thread.tid, thread.signal, core.pid()), (77, 6, 78));
    // rax, rsp and r15 by DWARF number; rip, orig_rax, fs_base.
    let registers = (
        thread.registers[0],
        thread.registers[7],
        thread.registers[15],
    );
    assert_eq!(registers, (110, 119, 100));
    assert_eq!((thread.pc, thread.syscall, thread.fsbase), (116, 115, 121));
    assert_eq!((core.name(), core.auxiliary(9)), ("me", Some(0x2010)));
    let file = &core.files()[0];
    assert_eq!((file.start, file.end, file.offset), (0x2000, 0x3000, 8192));
    assert_eq!(file.path, "/bin/x");
    assert_eq!((core.word(0x1000), core.word(0x1008)), (Ok(11), Ok(12)));
    assert!(core.word(0x1010).is_err() && core.word(0x100c).is_err());
}

#[test]
fn what_is_left_out_comes_from_the_file() {
    let mut core = Core::from_bytes(core()).expect("well formed");
    let file = File::open("/proc/self/exe").expect("it runs");
    let mut first = [0; 8];
    file.read_exact_at(&mut first, 0).expect("an executable");
    core.back(0x2000..0x3000, Arc::new(file), 0);
    assert_eq!(core.word(0x2000), Ok(u64::from_le_bytes(first)));
    assert!(core.word(0x2ffc).is_err() && core.word(0x3000).is_err());
}

#[test]
fn cut_and_changed_ones_are_taken() {
    let whole = core();
    for len in 0..whole.len() {
        if let Ok(core) = Core::from_bytes(whole[..len].to_vec()) {
            assert!(len >= whole.len() - 16, "{len}");
            assert!(core.word(0x1008).is_err());
        }
    }
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            if let Ok(core) = Core::from_bytes(changed) {
                let _ = (core.word(0x1000), core.missing_stacks());
            }
        }
    }
}
