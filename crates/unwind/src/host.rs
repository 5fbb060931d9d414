//! The host build of the walk: the same C as in the kernel, over any memory.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use seam_memory::Memory;
use seam_wire::{
    Arch, GoRuntime, Mapping, SEAM_BLOCK_WORDS, SEAM_GO_RUNTIMES, SEAM_MAPPINGS_PER_BLOCK,
    SEAM_USER_FRAMES, Sample, SampleHeader, seam_mapping_block, seam_start, seam_table_block,
};

/// What a walk starts from: registers by DWARF number, pc, fs base, system call or -1.
pub type Start = seam_start;

/// A finished walk, in the form that the kernel side sends.
pub type Walked = Sample;

/// Tables and mappings of one process, in the form that the walk reads.
#[derive(Debug, Clone, Default)]
pub struct TableSet {
    /// The processor that the code is for.
    pub arch: Arch,
    tables: Vec<Box<[seam_table_block]>>,
    mappings: Vec<seam_mapping_block>,
    count: u32,
    /// The process's Go runtimes; mappings name them by their place here, from 1 on.
    pub runtimes: Vec<GoRuntime>,
}

impl TableSet {
    /// Adds a table and returns its slot, to be named in mappings. Slots start at 1.
    pub fn add_table(&mut self, words: &[u32]) -> u32 {
        let blocks = words.chunks(SEAM_BLOCK_WORDS as usize).map(|chunk| {
            let mut block = seam_table_block {
                word: [0; SEAM_BLOCK_WORDS as usize],
            };
            block.word[..chunk.len()].copy_from_slice(chunk);
            block
        });
        self.tables.push(blocks.collect());
        self.tables.len() as u32
    }

    /// Sets the mappings, sorted by start.
    pub fn set_mappings(&mut self, mappings: &[Mapping]) {
        self.mappings = mapping_blocks(mappings);
        self.count = mappings.len() as u32;
    }
}

impl TableSet {
    /// The rule in force at an address, for tests and reports; the walk has its own lookup.
    #[must_use]
    pub fn rule_at(&self, address: u64) -> Option<seam_wire::Rule> {
        let all = self.mappings.iter().flat_map(|block| &block.mapping);
        let mapping = all
            .into_iter()
            .find(|m| (m.start..m.end).contains(&address))?;
        let table = self.tables.get((mapping.table as usize).checked_sub(1)?)?;
        let word = |at: u32| {
            let block = table.get((at / SEAM_BLOCK_WORDS) as usize)?;
            Some(block.word[(at % SEAM_BLOCK_WORDS) as usize])
        };
        let offset = address.wrapping_sub(mapping.bias);
        let page = u32::try_from(offset / 256)
            .ok()
            .filter(|p| *p < mapping.pages)?;
        let index = word(mapping.index_word + page)?;
        let (first, count) = (index >> 8, (index & 255) + 1);
        let low = (offset % 256) as u32;
        let rows = (first..first + count).filter_map(word);
        let row = rows.take_while(|row| row & 255 <= low).last()?;
        let rule: Vec<u8> = (0..4)
            .map(|i| word((row >> 8) * 4 + i).map(u32::to_le_bytes))
            .collect::<Option<Vec<_>>>()?
            .concat();
        seam_wire::from_bytes(&rule)
    }

    /// Everything of the set, for recording a case.
    #[must_use]
    pub fn parts(&self) -> (Vec<Vec<u32>>, Vec<Mapping>) {
        let words = |t: &[seam_table_block]| t.iter().flat_map(|b| b.word).collect();
        let tables = self.tables.iter().map(|t| words(t)).collect();
        let all = self.mappings.iter().flat_map(|block| block.mapping);
        (tables, all.take(self.count as usize).collect())
    }
}

/// Mappings in blocks, unused entries starting at the end of the address space.
#[must_use]
pub fn mapping_blocks(mappings: &[Mapping]) -> Vec<seam_mapping_block> {
    debug_assert!(mappings.is_sorted_by_key(|m| m.start));
    let chunks = mappings.chunks(SEAM_MAPPINGS_PER_BLOCK as usize);
    chunks
        .map(|chunk| {
            let unused = Mapping {
                start: u64::MAX,
                end: u64::MAX,
                ..Mapping::default()
            };
            let mut block = seam_mapping_block {
                mapping: [unused; SEAM_MAPPINGS_PER_BLOCK as usize],
            };
            block.mapping[..chunk.len()].copy_from_slice(chunk);
            block
        })
        .collect()
}

/// A goroutine that no thread runs, where its stack begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParkedGoroutine {
    /// The place of its runtime in [`TableSet::runtimes`].
    pub runtime: usize,
    /// Its g.
    pub g: u64,
    /// `m.g0.sched.sp` of the M that it is locked to, where C has called it back; else 0.
    pub g0_sp: u64,
    /// Where it goes on.
    pub pc: u64,
    /// Its stack pointer.
    pub sp: u64,
    /// Its frame pointer.
    pub bp: u64,
}

/// Walks the stack of a thread.
pub fn walk(memory: &dyn Memory, set: &TableSet, start: &Start) -> Walked {
    walk_from(memory, set, start, None, 0)
}

/// Walks the stack of a thread of which only pc and sp are known: it ends where a rule needs
/// another register.
pub fn walk_by_sp(memory: &dyn Memory, set: &TableSet, start: &Start) -> Walked {
    walk_from(memory, set, start, None, 1 << set.arch.sp())
}

/// Walks the stack of a thread of which some registers are known, as bits by DWARF number.
pub fn walk_knowing(memory: &dyn Memory, set: &TableSet, start: &Start, known: u64) -> Walked {
    walk_from(memory, set, start, None, known)
}

/// Walks the stack of a goroutine that no thread runs.
pub fn walk_parked(memory: &dyn Memory, set: &TableSet, parked: &ParkedGoroutine) -> Walked {
    let mut start = Start {
        pc: parked.pc,
        syscall: -1,
        ..Start::default()
    };
    let (sp, fp) = (set.arch.sp(), set.arch.fp());
    start.reg[sp as usize] = parked.sp;
    start.reg[fp as usize] = parked.bp;
    let known = (1 << sp) | (1 << fp);
    walk_from(memory, set, &start, Some(parked), known)
}

fn walk_from(
    memory: &dyn Memory,
    set: &TableSet,
    start: &Start,
    parked: Option<&ParkedGoroutine>,
    known: u64,
) -> Walked {
    let context = Context { memory, set };
    let host = Host {
        context: std::ptr::from_ref(&context).cast(),
        read,
        mappings,
        table,
        runtimes: set.runtimes.as_ptr(),
        runtime_count: set.runtimes.len().min(SEAM_GO_RUNTIMES as usize) as u64,
        goroutine_runtime: parked.map_or(0, |p| p.runtime as u64 + 1),
        g: parked.map_or(0, |p| p.g),
        g0_sp: parked.map_or(0, |p| p.g0_sp),
        known,
    };
    let start = Start {
        mapping_count: set.count,
        ..*start
    };
    let mut header = SampleHeader::default();
    let mut frames = [MaybeUninit::<u64>::uninit(); SEAM_USER_FRAMES as usize];
    let walk_host = match set.arch {
        Arch::X86_64 => seam_walk_host,
        Arch::Arm64 => seam_walk_host_arm64,
    };
    // SAFETY: all pointers are valid for the call, `frames` has the SEAM_USER_FRAMES words that the
    // function may fill, and the callbacks get back exactly the context given here.
    unsafe {
        walk_host(
            &raw const host,
            &raw const start,
            &raw mut header,
            frames.as_mut_ptr().cast(),
        )
    };
    let used = &frames[..usize::from(header.user_frames)];
    // SAFETY: the function has written so many frames.
    let used = used.iter().map(|frame| unsafe { frame.assume_init() });
    Sample::walked(header, used.collect())
}

struct Context<'a> {
    memory: &'a dyn Memory,
    set: &'a TableSet,
}

#[repr(C)]
struct Host {
    context: *const c_void,
    read: extern "C" fn(*const c_void, *mut u8, u32, u64) -> c_int,
    mappings: extern "C" fn(*const c_void, u32) -> *const seam_mapping_block,
    table: extern "C" fn(*const c_void, u32, u32) -> *const seam_table_block,
    runtimes: *const GoRuntime,
    runtime_count: u64,
    goroutine_runtime: u64,
    g: u64,
    g0_sp: u64,
    known: u64,
}

unsafe extern "C" {
    fn seam_walk_host(
        host: *const Host,
        start: *const Start,
        sample: *mut SampleHeader,
        frames: *mut u64,
    );
    fn seam_walk_host_arm64(
        host: *const Host,
        start: *const Start,
        sample: *mut SampleHeader,
        frames: *mut u64,
    );
}

fn context<'a>(context: *const c_void) -> &'a Context<'a> {
    // SAFETY: only `walk` makes this pointer, from a `Context` that outlives the C call.
    unsafe { &*context.cast::<Context<'a>>() }
}

extern "C" fn read(this: *const c_void, to: *mut u8, size: u32, address: u64) -> c_int {
    // SAFETY: the walk passes a buffer of `size` bytes that it owns.
    let buffer = unsafe { std::slice::from_raw_parts_mut(to, size as usize) };
    c_int::from(context(this).memory.read(address, buffer).is_err())
}

extern "C" fn mappings(this: *const c_void, block: u32) -> *const seam_mapping_block {
    let blocks = &context(this).set.mappings;
    blocks
        .get(block as usize)
        .map_or(std::ptr::null(), std::ptr::from_ref)
}

extern "C" fn table(this: *const c_void, table: u32, block: u32) -> *const seam_table_block {
    let tables = &context(this).set.tables;
    let table = (table as usize)
        .checked_sub(1)
        .and_then(|slot| tables.get(slot));
    table
        .and_then(|t| t.get(block as usize))
        .map_or(std::ptr::null(), std::ptr::from_ref)
}
