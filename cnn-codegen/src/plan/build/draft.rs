//! A plan's buffers while it is being built.

use cnn_ir::shape::Shape;
use cnn_ir::value::ElementType;

use crate::plan::data::{Buffer, Layout, Storage, Strides};

/// A buffer that has no place in the arena yet.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) element: ElementType,
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    pub(super) strides: Strides,
    pub(super) bytes: usize,
    /// The user's array that it is, if it is one.
    pub(super) array: Option<Storage>,
}

impl Draft {
    /// The buffer, if it is not the user's, so many bytes into the arena.
    pub(super) fn at(self, offset: usize) -> Buffer {
        Buffer {
            name: self.name,
            element: self.element,
            shape: self.shape,
            layout: self.layout,
            strides: self.strides,
            bytes: self.bytes,
            storage: self.array.unwrap_or(Storage::Arena(offset)),
        }
    }
}
