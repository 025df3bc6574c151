//! The page that explains a network: what the pipeline knows about it as data, and the page that shows it.
//!
//! [`explain`] asks the engines for everything ([`Subject`] → [`Data`] and numbers), [`page::fill`] puts it into the built
//! front end (`page/`, TypeScript; its build is committed), and [`serve`] keeps it alive while the network is edited.
//! The page holds no second inference engine: all numbers are made here, and it multiplies only what one cell needs.
//!
//! | module | what it owns |
//! |---|---|
//! | `data` | [`Data`], what the page is told, and its numbers |
//! | `subject` | [`Subject`], what is to be explained, and [`explain`] |
//! | `layers` | each layer: shapes, arithmetic, weights, place in the source |
//! | `arithmetic` | how a cell of each operator's result comes about |
//! | `values` | every layer's result, by the interpreter |
//! | `excerpt` | what a large network's page keeps of its numbers |
//! | `store` | numbers as bytes: whole, in boxes, as pictures |
//! | `steps` | what each pass changed, as a difference; which declared layers became which |
//! | `course` | the course's small networks, and tables of famous ones |
//! | `drawing` | graphs and plans as SVG, plans for Graphviz |
//! | `planned` | the plan: steps, buffers over time |
//! | `code_text` | a function's code as loop code, CLIF and machine code, line by line |
//! | `loops_text` | loop code as text |
//! | `card` | the picture that networks are shown by default |
//! | `page` | the page's file |
//! | `serve` | the live page on 127.0.0.1 |

mod arithmetic;
pub mod card;
mod code_text;
mod course;
mod data;
pub mod drawing;
mod error;
mod excerpt;
mod layers;
mod loops_text;
pub mod page;
mod planned;
pub mod serve;
pub mod steps;
mod store;
mod subject;
mod values;

pub use data::Data;
pub use error::ExplainError;
pub use store::Explained;
pub use subject::{Compiled, Machine, Origin, Subject, explain};
