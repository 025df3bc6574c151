//! What flows along an edge of the graph: elements of a type, in a shape.

use std::fmt;

pub use cnn_types::{ElementType, Quantisation};

use crate::shape::Shape;

/// The type of one image's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueType {
    /// What its elements are.
    pub element: ElementType,
    /// How many there are, and in which order.
    pub shape: Shape,
}

impl ValueType {
    /// Bytes of its elements, and of nothing else. Does not overflow for a shape that passed [`Shape::checked`].
    pub fn bytes(self) -> u64 {
        self.shape.elements() as u64 * self.element.bytes() as u64
    }
}

impl fmt::Display for ValueType {
    /// Element type, then shape: `f32 [3, 8, 8]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.element.name(), self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_the_bytes_of_its_elements() {
        let value = ValueType {
            element: ElementType::F32,
            shape: Shape::map(3, 8, 8),
        };
        assert_eq!(value.bytes(), 3 * 8 * 8 * 4);
        assert_eq!(value.to_string(), "f32 [3, 8, 8]");
    }
}
