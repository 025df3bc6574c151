//! Nothing.

use super::operator::{Operator, Takes};
use crate::shape::Shape;

/// Nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

impl Operator for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn takes(&self) -> Takes {
        Takes::Either
    }

    fn doc(&self) -> &'static str {
        "nothing"
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("an identity")
    }

    fn keeps_elements(&self) -> bool {
        true
    }
}
