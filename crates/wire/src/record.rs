//! Reading a sample record as it comes out of the ring buffer.

use std::mem::offset_of;

use crate::{
    SEAM_LEAF_FRAMES, SEAM_PEER_FRAMES, SEAM_PEER_STACK, SEAM_ROOT_FRAMES, SampleHeader,
    from_bytes, seam_peer,
};

/// One sample: the fixed part and its frames, leaf first.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Everything but the frames.
    pub header: SampleHeader,
    /// Kernel addresses, leaf first.
    pub kernel: Vec<u64>,
    /// User frames with flags (see [`crate::frame_flags`]), leaf first, in order: the ring of the
    /// root part is already turned.
    pub user: Vec<u64>,
    /// The goroutine's labels: for each the length of its key and of its value, then both.
    pub labels: Vec<u8>,
}

/// A record that is not what the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordError {
    /// Bytes the record had.
    pub len: usize,
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a sample record of {} bytes does not hold the frames it names",
            self.len
        )
    }
}

impl std::error::Error for RecordError {}

impl Sample {
    /// Reads one record.
    ///
    /// # Errors
    /// When the bytes are fewer than the header and the frames it counts.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let error = RecordError { len: bytes.len() };
        let fixed = bytes.get(..size_of::<SampleHeader>()).ok_or(error)?;
        let header: SampleHeader = from_bytes(fixed).ok_or(error)?;
        let kernel_len = usize::from(header.kernel_frames);
        let user_len = usize::from(header.user_frames);
        let frames = bytes.get(fixed.len()..).ok_or(error)?;
        let label_bytes = usize::from(header.label_bytes);
        let (frames, labels) = frames
            .split_at_checked(8 * (kernel_len + user_len))
            .ok_or(error)?;
        let labels = labels.get(..label_bytes).ok_or(error)?;
        let words: Vec<u64> = frames
            .as_chunks::<8>()
            .0
            .iter()
            .map(|w| u64::from_le_bytes(*w))
            .collect();
        let (kernel, user) = words.split_at(kernel_len);
        Ok(Self {
            kernel: kernel.to_vec(),
            labels: labels.to_vec(),
            ..Self::walked(header, user.to_vec())
        })
    }

    /// From a walk of user frames, which has left them as they are sent.
    #[must_use]
    pub fn walked(header: SampleHeader, mut user: Vec<u64>) -> Self {
        turn_ring(&mut user, header.elided);
        Self {
            header,
            kernel: Vec::new(),
            user,
            labels: Vec::new(),
        }
    }
}

/// What other profilers would have had of one sample.
#[derive(Debug, Clone)]
pub struct PeerRecord<'a> {
    /// When, as in the sample.
    pub time_ns: u64,
    /// Of which process.
    pub pid: u32,
    /// On which thread.
    pub tid: u32,
    /// The interrupted instruction.
    pub pc: u64,
    /// Registers by DWARF number.
    pub registers: [u64; 16],
    /// User frames by frame pointers, leaf first.
    pub frames: Vec<u64>,
    /// Bytes from the stack pointer on.
    pub stack: &'a [u8],
}

impl<'a> PeerRecord<'a> {
    /// Reads one record.
    ///
    /// # Errors
    /// When it is shorter than one, or counts more than it has room for.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let error = RecordError { len: bytes.len() };
        if bytes.len() < size_of::<seam_peer>() {
            return Err(error);
        }
        let part = |at: usize, len: usize| bytes.get(at..at + len).ok_or(error);
        let words = |at: usize, count: usize| -> Result<Vec<u64>, RecordError> {
            let words = part(at, 8 * count)?.as_chunks::<8>().0;
            Ok(words.iter().map(|w| u64::from_le_bytes(*w)).collect())
        };
        let half = |at: usize| -> Result<u32, RecordError> {
            let half = part(at, 4)?.first_chunk().ok_or(error)?;
            Ok(u32::from_le_bytes(*half))
        };
        let frames = half(offset_of!(seam_peer, frames))?;
        let stack_bytes = half(offset_of!(seam_peer, stack_bytes))?;
        if frames > SEAM_PEER_FRAMES || stack_bytes > SEAM_PEER_STACK {
            return Err(error);
        }
        let registers = words(offset_of!(seam_peer, reg), 16)?;
        Ok(Self {
            time_ns: words(offset_of!(seam_peer, time_ns), 1)?[0],
            pid: half(offset_of!(seam_peer, pid))?,
            tid: half(offset_of!(seam_peer, tid))?,
            pc: words(offset_of!(seam_peer, pc), 1)?[0],
            registers: registers.try_into().map_err(|_| error)?,
            frames: words(offset_of!(seam_peer, frame), frames as usize)?,
            stack: part(offset_of!(seam_peer, stack), stack_bytes as usize)?,
        })
    }
}

/// Takes labels apart, as key and value; what does not fit is left out.
pub fn label_pairs(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (lengths, rest) = bytes.split_at_checked(2)?;
        let (key, rest) = rest.split_at_checked(usize::from(lengths[0]))?;
        let (value, rest) = rest.split_at_checked(usize::from(lengths[1]))?;
        bytes = rest;
        Some((key, value))
    })
}

/// Brings the root part of a cut stack into order: its oldest entry is at elided modulo ring.
fn turn_ring(user: &mut [u64], elided: u32) {
    if elided > 0 && user.len() == (SEAM_LEAF_FRAMES + SEAM_ROOT_FRAMES) as usize {
        user[SEAM_LEAF_FRAMES as usize..].rotate_left((elided % SEAM_ROOT_FRAMES) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes_of;

    fn record(kernel: &[u64], user: &[u64], elided: u32) -> Vec<u8> {
        let header = SampleHeader {
            kernel_frames: kernel.len() as u16,
            user_frames: user.len() as u16,
            elided,
            ..SampleHeader::default()
        };
        let mut bytes = bytes_of(&header).to_vec();
        for word in kernel.iter().chain(user) {
            bytes.extend(word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn frames_are_split() {
        let sample = Sample::parse(&record(&[1, 2], &[3], 0)).expect("well formed");
        assert_eq!((sample.kernel, sample.user), (vec![1, 2], vec![3]));
    }

    #[test]
    fn every_cut_of_a_record_is_an_error() {
        let whole = record(&[1, 2], &[3, 4], 0);
        for len in 0..whole.len() {
            assert!(Sample::parse(&whole[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn a_peer_record_holds_what_it_counts() {
        let mut bytes = vec![0u8; size_of::<seam_peer>()];
        let mut put =
            |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(offset_of!(seam_peer, tid), 7);
        put(offset_of!(seam_peer, frames), 2);
        put(offset_of!(seam_peer, stack_bytes), 16);
        put(offset_of!(seam_peer, frame) + 8, 0x1234);
        let peer = PeerRecord::parse(&bytes).expect("well formed");
        assert_eq!((peer.tid, peer.stack.len()), (7, 16));
        assert_eq!(peer.frames, [0, 0x1234]);
        assert!(PeerRecord::parse(&bytes[..bytes.len() - 1]).is_err());
        for (at, value) in [
            (offset_of!(seam_peer, frames), SEAM_PEER_FRAMES + 1),
            (offset_of!(seam_peer, stack_bytes), SEAM_PEER_STACK + 1),
        ] {
            let mut wrong = bytes.clone();
            wrong[at..at + 4].copy_from_slice(&value.to_le_bytes());
            assert!(PeerRecord::parse(&wrong).is_err());
        }
    }

    #[test]
    fn the_root_ring_is_turned() {
        // The walk of 600 frames, as seam_push stores it.
        let mut stored = vec![0u64; 512];
        for n in 0..600u64 {
            let slot = if n < 384 { n } else { 384 + (n - 384) % 128 };
            stored[slot as usize] = n;
        }
        let sample = Sample::parse(&record(&[], &stored, 600 - 512)).expect("well formed");
        let expected: Vec<u64> = (0..384).chain(472..600).collect();
        assert_eq!(sample.user, expected);
    }
}
