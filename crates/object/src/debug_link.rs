//! Where a file says that its debug information lies, if in another file. Nothing is opened here.

use object::read::{Object, ReadRef};

use crate::{BuildId, Elf};

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// Name and CRC-32 of the file that `.gnu_debuglink` names.
    #[must_use]
    pub fn debug_link(&self) -> Option<(String, u32)> {
        let (name, crc) = self.file()?.gnu_debuglink().ok()??;
        Some((String::from_utf8(name.to_vec()).ok()?, crc))
    }

    /// Path and build id of the file that `.gnu_debugaltlink` names: what several debug files
    /// share, as dwz writes it.
    #[must_use]
    pub fn shared_debug_link(&self) -> Option<(String, BuildId)> {
        let (path, id) = self.file()?.gnu_debugaltlink().ok()??;
        Some((String::from_utf8(path.to_vec()).ok()?, BuildId(id.to_vec())))
    }
}
