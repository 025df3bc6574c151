//! Front ends: what people write becomes a graph. TOML is here; others make a [`NetDecl`] and join the pipeline.
//!
//! ```text
//! text ── toml::parse ──▶ NetDecl ── check ── expand ──▶ Flat ── lower ──▶ Graph
//! ```
//!
//! Every stage goes on after an error, so that all independent errors of a declaration are reported at once.
//! Whether the shapes fit is not decided here but in [`crate::validate`].

mod check;
mod expand;
mod input;
mod lower;
mod names;
mod report;
pub mod toml;
mod weights;

pub use names::is_valid;

pub(crate) use expand::{Flat, FlatLayer, FlatOutput};
pub(crate) use lower::lower;
pub(crate) use report::Report;

use crate::ast::NetDecl;
use crate::diag::Diagnostic;
use crate::graph::Graph;

/// What a front end read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The declaration. A layer whose operator is the empty string is known by name only: it has an error.
    pub net: NetDecl,
    /// What is wrong with the form.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether everything that was written is in `net`. If not, nobody can say that a name is unknown.
    pub complete: bool,
}

/// Reads a TOML model file. `Ok` holds the graph and warnings, `Err` all errors, both in the order of the text.
pub fn graph_from_toml(text: &str) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
    graph(toml::parse(text))
}

/// Makes a graph of a declaration, from whichever front end. `Ok` holds the graph and warnings, `Err` all errors,
/// those of the front end among them.
pub fn graph(parsed: Parsed) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
    let Parsed {
        net,
        diagnostics,
        complete,
    } = parsed;
    let mut report = Report::new(diagnostics);
    check::check(&net, complete, &mut report);
    report.settle();
    let flat = expand::expand(&net, &mut report);
    report.settle();
    let graph = lower(&flat, crate::op::Dialect::Declaration, complete, &mut report);
    report.finish(graph)
}
