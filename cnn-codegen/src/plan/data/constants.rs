//! Constants while a plan is made: each gets its offset when it is added.

use cnn_runtime::pack::Recipe;

use super::{ALIGNMENT, Constant, ConstantId};

/// The constants so far.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    pub(crate) list: Vec<Constant>,
    /// Bytes of all of them together, a whole number of cache lines.
    pub(crate) bytes: usize,
}

impl Constants {
    /// A new constant after all others. Every one starts at a cache line: sizes are rounded up. Saturates; what no
    /// machine has is refused when memory is taken.
    pub(crate) fn add(&mut self, recipe: Recipe) -> ConstantId {
        let offset = self.bytes;
        let bytes = recipe.floats().saturating_mul(size_of::<f32>());
        let bytes = bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        self.list.push(Constant { recipe, offset });
        ConstantId(self.list.len() - 1)
    }

    /// Floats of one of them.
    pub(crate) fn floats(&self, ConstantId(constant): ConstantId) -> usize {
        self.list[constant].recipe.floats()
    }
}
