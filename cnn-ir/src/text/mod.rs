//! The text form of a graph: what `dump` shows, and what [`parse`] reads back.
//!
//! ```text
//! network "lenet5" {
//!   %image = input(shape = [1, 32, 32])
//!   %c1 = conv(%image, filters = 6, kernel = 5, activation = "tanh") -> [6, 28, 28]
//!   %s2 = avg_pool(%c1, size = 2) -> [6, 14, 14]
//!   return probabilities = %s2   // just `return %s2` if the output is called like the node
//! }
//! ```
//!
//! A node's weights are those under its name, unless `weights = "…"` says otherwise. Shapes may be left out; those
//! that are written must be right. `//` begins a comment.

mod lex;
mod parse;
mod print;

pub use parse::parse;
pub(crate) use print::order;
pub use print::print;
