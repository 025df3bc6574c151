//! Front ends: what people write becomes a graph. TOML is here; others make a [`NetDecl`] and join the pipeline.
//!
//! ```text
//! text ── toml::parse ──▶ NetDecl ── check ── expand ──▶ Flat ── lower ──▶ Graph
//! ```
//!
//! Every stage goes on after an error, so that all independent errors of a declaration are reported at once.
//! Whether the shapes fit is decided in [`crate::validate`]: by the caller for a whole graph, here for what could be
//! read of one with errors.

mod check;
mod declare;
mod expand;
mod inner;
mod input;
mod lower;
mod names;
mod report;
pub mod sizes;
pub mod toml;
mod weights;
pub mod write;

pub use declare::declare;
pub use names::is_valid;

pub(crate) use expand::{Flat, FlatLayer, FlatOutput};
pub(crate) use lower::lower;
pub(crate) use report::Report;

use lower::{Lowered, lower_what_is_known};

use crate::ast::NetDecl;
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::validate::validate_what_is_known;

/// What a front end read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The declaration. A layer whose operator is the empty string is known by name only: it has an error.
    pub net: NetDecl,
    /// What is wrong with the form.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether everything that was written is in `net`. If not, nobody can say that a name is unknown.
    pub complete: bool,
    /// Whether the text of the inputs is broken, so that what was read as their shapes may not be what was meant.
    pub inputs_broken: bool,
}

/// Reads a TOML model file. `Ok` holds the graph and warnings, `Err` all errors, both in the order of the text.
///
/// See [`graph`] for the errors of shapes.
pub fn graph_from_toml(text: &str) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
    graph(toml::parse(text))
}

/// Makes a graph of a declaration that an importer made: it has no text, so that what is said about it has no places.
/// [`write::toml`] gives it one.
///
/// # Errors
/// As [`graph`].
pub fn graph_from_declaration(net: &NetDecl) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
    graph(Parsed {
        net: net.clone(),
        complete: true,
        ..Parsed::default()
    })
}

/// Makes a graph of a declaration, from whichever front end. `Ok` holds the graph and warnings; whether its shapes
/// fit is then for [`crate::validate::validate`] to say.
///
/// # Errors
/// Everything that is wrong: with the form, names and keys, and with the shapes of those layers that do not depend
/// on a layer which could not be read.
pub fn graph(parsed: Parsed) -> Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>> {
    let Parsed {
        net,
        diagnostics,
        complete,
        inputs_broken,
    } = parsed;
    let mut report = Report::new(diagnostics);
    check::check(&net, complete, &mut report);
    report.settle();
    let flat = expand::expand(&net, &mut report);
    report.settle();
    let dialect = crate::op::Dialect::Declaration;
    let Lowered { graph, mut unknown } = lower_what_is_known(&flat, dialect, complete, &mut report);
    if report.has_errors() {
        report.settle();
        if inputs_broken {
            unknown.extend(graph.inputs());
        }
        let faults = validate_what_is_known(&graph, &unknown);
        faults.into_iter().for_each(|fault| report.add(fault));
    }
    report.finish(graph)
}
