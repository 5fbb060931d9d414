//! A Go module (an executable or a c-shared library) as a whole.

use std::collections::HashMap;

use seam_object::{Elf, ReadRef, SegmentKind};

use crate::{BuildInfo, Error, Function, InlinedCall, ModuleData, Pclntab, Result, module_data};

/// Longest chain of inlined calls that is followed.
const INLINE_DEPTH_MAX: usize = 256;

/// The Go part of an ELF file.
#[derive(Debug)]
pub struct GoModule<'d> {
    /// Version and settings; missing where a packer or `objcopy` removed them.
    pub build: Option<BuildInfo>,
    /// The function table.
    pub pclntab: Pclntab<'d>,
    /// Where the module describes itself.
    pub data: Option<ModuleData>,
}

impl<'d> GoModule<'d> {
    /// Looks for Go in a file; `Ok(None)` where there is none.
    ///
    /// # Errors
    /// When there is Go, but its tables are malformed or too old.
    pub fn find<R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<Option<Self>> {
        let build = BuildInfo::read(elf);
        // Plugins by Go 1.19 and 1.20 have no build information.
        let go = build.is_some() || elf.go_build_id().is_some();
        let Some((address, bytes)) = find_pclntab(elf, go) else {
            return if go {
                Err(Error::Missing("pclntab"))
            } else {
                Ok(None)
            };
        };
        let pclntab = Pclntab::parse(bytes)?;
        let version = build.as_ref().map(|b| &b.version);
        let data = module_data::find(elf, address, &pclntab, version);
        let text = match (data, pclntab.text_start_in_header()) {
            (Some(data), _) => data.text,
            (None, 0) => return Err(Error::Missing("moduledata")),
            (None, text) => text,
        };
        Ok(Some(Self {
            build,
            pclntab: pclntab.with_text_start(text),
            data,
        }))
    }

    /// The functions with these names. Where an assembly function has a wrapper of the same name
    /// (ABIInternal to ABI0), the assembly one is meant.
    #[must_use]
    pub fn functions_named(&self, names: &[&str]) -> HashMap<&'d str, Function<'d>> {
        let mut found: HashMap<&str, Function<'d>> = HashMap::new();
        for function in self.pclntab.functions() {
            if !names.contains(&function.name) {
                continue;
            }
            let better = found
                .get(function.name)
                .is_none_or(|old| function.flags.assembly() && !old.flags.assembly());
            if better {
                found.insert(function.name, function);
            }
        }
        found
    }

    /// The calls inlined at `pc` of `function`, innermost first.
    pub fn inlined<R: ReadRef<'d>>(
        &self,
        elf: &Elf<'d, R>,
        function: &Function<'d>,
        pc: u64,
    ) -> Vec<InlinedCall<'d>> {
        let mut calls = Vec::new();
        let tree = self.pclntab.inline_tree(function);
        let (Some(data), Some(tree)) = (self.data.filter(|d| d.gofunc != 0), tree) else {
            return calls;
        };
        let bytes = self.pclntab.inline_entry_bytes();
        let mut pc = pc;
        while let Some(index) = self.pclntab.inline_index(function, pc) {
            let at = data
                .gofunc
                .wrapping_add(tree)
                .wrapping_add(u64::from(index) * bytes);
            let call = elf
                .bytes_at(at, bytes)
                .and_then(|e| self.pclntab.inlined_call(function, e));
            let Some(call) = call.filter(|_| calls.len() < INLINE_DEPTH_MAX) else {
                break;
            };
            pc = call.parent_pc;
            calls.push(call);
        }
        calls
    }
}

/// Finds the table by section, else (PIE and c-shared up to Go 1.25 keep it inside .data.rel.ro,
/// and section headers may be gone) by its header in the loaded bytes of a file made by Go.
fn find_pclntab<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, go: bool) -> Option<(u64, &'d [u8])> {
    for name in [".gopclntab", ".data.rel.ro.gopclntab"] {
        if let Some(section) = elf.section(name)
            && let Some(bytes) = elf.bytes_up_to(section.address, section.size)
            && Pclntab::is_header(bytes)
        {
            return Some((section.address, bytes));
        }
    }
    if !go {
        return None;
    }
    let segments = elf
        .segments()
        .iter()
        .filter(|s| s.kind == SegmentKind::Load);
    segments
        .filter_map(|s| Some((s.address, elf.bytes_up_to(s.address, s.file_size)?)))
        .find_map(|(start, bytes)| {
            let headers = (0..bytes.len())
                .step_by(8)
                .filter(|i| Pclntab::is_header(&bytes[*i..]));
            let mut parsed = headers.filter(|i| Pclntab::parse(&bytes[*i..]).is_ok());
            parsed.next().map(|i| (start + i as u64, &bytes[i..]))
        })
}
