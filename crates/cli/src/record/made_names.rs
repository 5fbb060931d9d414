//! Names of code that processes make at run time: reading the files in which they tell them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use seam_capture::Recording;
use seam_symbolize::{Frame, Origin, perf_map_names};

/// The most that is read of a file; the end counts, where the latest names are.
const BYTES_MAX: u64 = 64 << 20;

/// The frames of one process's addresses, as far as it tells.
pub(super) fn resolve(
    recording: &Recording,
    pid: i32,
    addresses: &BTreeSet<u64>,
    notes: &mut Vec<String>,
) -> Vec<(u64, Vec<Frame>)> {
    let Some(names) = recording.made_names.iter().find(|names| names.pid == pid) else {
        return Vec::new();
    };
    let read = match &names.file {
        Ok(file) => end_of(file, BYTES_MAX).map_err(|e| e.to_string()),
        Err(why) => Err(why.clone()),
    };
    let (text, cut) = match read {
        Ok(read) => read,
        Err(why) => {
            notes.push(format!("code made at run time has no names: {why}"));
            return Vec::new();
        }
    };
    if cut {
        notes.push(format!(
            "of the names of run-time code of process {pid} only the last {} MiB were read",
            BYTES_MAX >> 20
        ));
    }
    let addresses: Vec<u64> = addresses.iter().copied().collect();
    let found = perf_map_names(&text, &addresses);
    let named = addresses.iter().zip(found);
    named
        .filter_map(|(address, name)| Some((*address, vec![frame(name?)])))
        .collect()
}

fn frame(name: &[u8]) -> Frame {
    let name: Rc<str> = String::from_utf8_lossy(name).into();
    Frame {
        raw_name: Rc::clone(&name),
        name,
        file: Rc::default(),
        line: 0,
        start_line: 0,
        origin: Origin::Process,
        wrapper: false,
    }
}

/// The last `most` bytes of a file that may grow, and whether there are more.
fn end_of(mut file: &File, most: u64) -> std::io::Result<(Vec<u8>, bool)> {
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text)?;
    if skipped > 0 {
        // What is left of a line that begins before.
        let end = text.iter().position(|byte| *byte == b'\n');
        text.drain(..end.map_or(text.len(), |end| end + 1));
    }
    Ok((text, skipped > 0))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_large_file_is_read_from_a_whole_line_on() {
        let mut file = tempfile::tempfile().expect("a folder for temporary files");
        file.write_all(b"1000 10 a\n2000 10 b\n").expect("room");
        let text = |most| end_of(&file, most).expect("readable");
        assert_eq!(text(100), (b"1000 10 a\n2000 10 b\n".to_vec(), false));
        assert_eq!(text(15), (b"2000 10 b\n".to_vec(), true));
        assert_eq!(text(5), (Vec::new(), true));
        // A hole takes no more than the bound.
        file.set_len(1 << 40).expect("holes are allowed");
        assert_eq!(end_of(&file, 1 << 20).expect("readable").0.len(), 0);
    }
}
