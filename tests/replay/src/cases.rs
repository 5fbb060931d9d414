//! Recorded cases: everything one walk reads, and the stack it must give. A file holds the tables
//! and mappings of one process and any number of cases of it, as gzipped JSON.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use seam_memory::{Memory, Snapshot, Unreadable};
use seam_unwind::{Start, TableSet, Walked, walk};
use seam_wire::{Arch, GoRuntime, Mapping, bytes_of, end, frame_address, from_bytes};
use serde::{Deserialize, Serialize};

/// Bytes kept around everything that the walk read, so that small changes of the walk still find
/// what they need.
const MARGIN: u64 = 64;

fn x86_64() -> String {
    Arch::X86_64.name().to_owned()
}

/// One process and its cases.
#[derive(Debug, Serialize, Deserialize)]
pub struct CaseFile {
    /// The processor, as [`Arch::name`] has it.
    #[serde(default = "x86_64")]
    pub arch: String,
    /// What was recorded: program, Go version, build mode.
    pub origin: String,
    /// Unwind tables as hex words, by slot from 1.
    pub tables: Vec<String>,
    /// Mappings as hex of the wire structure.
    pub mappings: Vec<String>,
    /// The Go runtime as hex of the wire structure; empty without Go.
    pub runtime: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One walk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    /// Which rules it takes: the leaf's, then those crossed.
    pub name: String,
    /// Registers by DWARF number, then pc and fs base.
    pub registers: Vec<u64>,
    /// Pieces of memory: address and hex.
    pub memory: Vec<(u64, String)>,
    /// Why the walk must end.
    pub end: String,
    /// The frames it must give, leaf first, each with its name for the reader.
    pub frames: Vec<(u64, String)>,
}

/// A memory that notes what is read of another.
pub struct Noting<'a> {
    inner: &'a dyn Memory,
    seen: RefCell<Snapshot>,
}

impl<'a> Noting<'a> {
    /// Notes reads of `inner`.
    #[must_use]
    pub fn new(inner: &'a dyn Memory) -> Self {
        Self {
            inner,
            seen: RefCell::default(),
        }
    }

    /// What was read.
    #[must_use]
    pub fn into_snapshot(self) -> Snapshot {
        self.seen.into_inner()
    }
}

impl Memory for Noting<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.inner.read(address, buffer)?;
        let start = address.saturating_sub(MARGIN);
        let mut wide = vec![0; buffer.len() + 2 * MARGIN as usize];
        let mut seen = self.seen.borrow_mut();
        if self.inner.read(start, &mut wide).is_ok() {
            seen.insert(start, &wide);
        } else {
            seen.insert(address, buffer);
        }
        Ok(())
    }
}

impl CaseFile {
    /// A file without cases for a process's tables.
    #[must_use]
    pub fn new(origin: String, set: &TableSet) -> Self {
        let (tables, mappings) = set.parts();
        let words = |t: &Vec<u32>| hex(&t.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>());
        Self {
            arch: set.arch.name().to_owned(),
            origin,
            tables: tables.iter().map(words).collect(),
            mappings: mappings.iter().map(|m| hex(bytes_of(m))).collect(),
            runtime: set
                .runtimes
                .first()
                .map(|r| hex(bytes_of(r)))
                .unwrap_or_default(),
            cases: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is missing or not what this program writes.
    pub fn read(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text)?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        let file = std::fs::File::create(path)?;
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        gzip.write_all(serde_json::to_string(self)?.as_bytes())?;
        gzip.finish()?;
        Ok(())
    }

    /// The tables and mappings as the walk takes them.
    ///
    /// # Errors
    /// When the file does not hold what its layout promises.
    pub fn table_set(&self) -> Result<TableSet> {
        let arches = [Arch::X86_64, Arch::Arm64];
        let arch = arches.into_iter().find(|a| a.name() == self.arch);
        let mut set = TableSet::default();
        set.arch = arch.context("a processor that is not known")?;
        for table in &self.tables {
            let bytes = unhex(table)?;
            let words: Vec<u32> = bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|w| u32::from_le_bytes(*w))
                .collect();
            set.add_table(&words);
        }
        let mapping = |text: &String| -> Result<Mapping> {
            from_bytes(&unhex(text)?).context("a mapping of another layout: record anew")
        };
        let mappings = self
            .mappings
            .iter()
            .map(mapping)
            .collect::<Result<Vec<_>>>()?;
        set.set_mappings(&mappings);
        if !self.runtime.is_empty() {
            let runtime: GoRuntime = from_bytes(&unhex(&self.runtime)?)
                .context("a runtime of another layout: record anew")?;
            set.runtimes = vec![runtime];
        }
        Ok(set)
    }
}

impl Case {
    /// Notes a walk as it is now.
    #[must_use]
    pub fn record(
        name: String,
        start: &Start,
        memory: &dyn Memory,
        set: &TableSet,
        namer: impl Fn(u64) -> String,
    ) -> Self {
        let noting = Noting::new(memory);
        let walked = walk(&noting, set, start);
        let snapshot = noting.into_snapshot();
        let mut registers = start.reg[..set.arch.registers()].to_vec();
        registers.extend([start.pc, start.fsbase]);
        Self {
            name,
            registers,
            memory: snapshot
                .pieces()
                .map(|(a, bytes)| (a, hex(bytes)))
                .collect(),
            end: end(walked.header.end).id.to_owned(),
            frames: addresses(&walked)
                .into_iter()
                .map(|a| (a, namer(a)))
                .collect(),
        }
    }

    /// Walks the recorded memory.
    ///
    /// # Errors
    /// When the case is malformed.
    pub fn replay(&self, set: &TableSet) -> Result<Walked> {
        Ok(walk(&self.snapshot()?, set, &self.start()?))
    }

    /// What its walk starts from.
    ///
    /// # Errors
    /// When the case is malformed.
    pub fn start(&self) -> Result<Start> {
        let count = self.registers.len().saturating_sub(2);
        let counts = [Arch::X86_64, Arch::Arm64].map(Arch::registers);
        anyhow::ensure!(counts.contains(&count), "{}: registers", self.name);
        let mut start = Start {
            syscall: -1,
            ..Start::default()
        };
        start.reg = Arch::widened(&self.registers[..count]);
        start.pc = self.registers[count];
        start.fsbase = self.registers[count + 1];
        Ok(start)
    }

    /// The word that was recorded at an address.
    ///
    /// # Errors
    /// When the case is malformed or did not read there.
    pub fn word(&self, address: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        let read = self.snapshot()?.read(address, &mut bytes);
        read.map_err(|_| anyhow::anyhow!("{}: nothing recorded at {address:#x}", self.name))?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Makes a word another one.
    pub fn set_word(&mut self, address: u64, word: u64) {
        self.memory.push((address, hex(&word.to_le_bytes())));
    }

    /// The fs base it was recorded with.
    #[must_use]
    pub fn fsbase(&self) -> u64 {
        self.registers.last().copied().unwrap_or(0)
    }

    /// Its memory.
    ///
    /// # Errors
    /// When the case is malformed.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut memory = Snapshot::default();
        for (address, bytes) in &self.memory {
            memory.insert(*address, &unhex(bytes)?);
        }
        Ok(memory)
    }

    /// The frames it must give.
    #[must_use]
    pub fn expected(&self) -> Vec<u64> {
        self.frames.iter().map(|(address, _)| *address).collect()
    }
}

/// The addresses of a walk's frames, leaf first.
#[must_use]
pub fn addresses(walked: &Walked) -> Vec<u64> {
    walked.user.iter().map(|f| frame_address(*f)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits = text.as_bytes().as_chunks::<2>().0;
    let byte = |d: &[u8; 2]| Ok(u8::from_str_radix(std::str::from_utf8(d)?, 16)?);
    digits.iter().map(byte).collect()
}
