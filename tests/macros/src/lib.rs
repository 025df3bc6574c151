//! Nothing of its own: see `tests`. The examples of the documentation of `cnn!` are tested here.
#![cfg_attr(doctest, doc = include_str!("../../../cnn-macros/src/cnn.md"))]
