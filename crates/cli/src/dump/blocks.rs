//! A long list that is given back while it is gone through.

/// Values in pieces, each of which is given back once it was gone through: of a million goroutines
/// there is never all of what was read beside all that is made of it.
#[derive(Debug)]
pub(super) struct Blocks<T>(Vec<Vec<T>>);

/// Values of a piece.
const BLOCK: usize = 1 << 15;

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Blocks<T> {
    pub(super) fn push(&mut self, value: T) {
        if self.0.last().is_none_or(|last| last.len() == BLOCK) {
            self.0.push(Vec::new());
        }
        if let Some(last) = self.0.last_mut() {
            last.push(value);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = T> {
        self.0.into_iter().flatten()
    }
}
