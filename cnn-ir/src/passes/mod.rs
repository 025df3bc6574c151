//! Passes: rewriting the graph so that it computes the same with fewer layers.
//!
//! A pass needs no weights: what has to be done to them (folding a batch norm) is written into the operator and
//! carried out when they are loaded. So the JIT, the macro and the dumps all see the same graph. A pass keeps what
//! the user knows: outputs keep their declared names, every output keeps a node of its own that is not an input,
//! and a fused node bears the name of the last layer it computes while [`Node::weights`](crate::graph::Node) goes on
//! naming the weights of the first.
//!
//! [`PASSES`] is the whole list, in order; [`optimise`] runs it.

mod dead_code;
mod drop_identities;
mod expand;
mod fold_batch_norm;
mod fold_pad;
mod fuse_activation;
mod fuse_quantized;
mod fuse_residual;
mod rewrite;
#[cfg(test)]
mod testing;

use std::fmt;

use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::validate::{Shapes, validate};

pub use dead_code::DeadCode;
pub use drop_identities::DropIdentities;
pub use expand::Expand;
pub use fold_batch_norm::FoldBatchNorm;
pub use fold_pad::FoldPad;
pub use fuse_activation::FuseActivation;
pub use fuse_quantized::FuseQuantized;
pub use fuse_residual::FuseResidual;

/// All passes, in the order in which they run.
pub const PASSES: &[&dyn Pass] = &[
    // First, so that layers nobody needs do not count as users.
    &DeadCode,
    // Before all that rewrite: they know only the core.
    &Expand,
    // Before all that look at neighbours: a dropout between a convolution and its ReLU would hide one from the other.
    &DropIdentities,
    &FoldPad,
    // Before activations are attached: a batch norm comes before the activation of what it is folded into.
    &FoldBatchNorm,
    // Before residuals: the activation of an add moves into the convolution together with the add.
    &FuseActivation,
    &FuseResidual,
    // After activations: what a convolution applies must be known.
    &FuseQuantized,
];

/// A rewriting of the graph that does not change what it computes, beyond rounding.
pub trait Pass: Sync {
    /// Its name, as dumps show it.
    fn name(&self) -> &'static str;

    /// What a student should know about it.
    fn lesson(&self) -> &'static str;

    /// Rewrites `graph`, whose shapes are `shapes`, and says what was done and why not more.
    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note>;
}

/// One thing a pass did or refused to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Done.
    Applied {
        /// The node that remains.
        node: String,
        /// What happened to it.
        what: String,
    },
    /// A node that the pass is for, but must leave as it is.
    Refused {
        /// The node.
        node: String,
        /// The reason.
        why: String,
    },
}

impl Note {
    fn applied(node: impl Into<String>, what: impl Into<String>) -> Note {
        Note::Applied {
            node: node.into(),
            what: what.into(),
        }
    }

    fn refused(node: impl Into<String>, why: impl Into<String>) -> Note {
        Note::Refused {
            node: node.into(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Applied { node, what } => write!(f, "{node}: {what}"),
            Note::Refused { node, why } => write!(f, "{node}: left as it is: {why}"),
        }
    }
}

/// What one pass did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The pass's name.
    pub pass: &'static str,
    /// What it did and refused, in the order of the graph.
    pub notes: Vec<Note>,
}

/// A graph that is not valid: as it was given, or (a mistake of the pass) after a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidGraph {
    /// The pass after which the graph was found invalid; `None` if it was given so.
    pub after: Option<&'static str>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for InvalidGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Some(pass) => write!(f, "the graph is invalid after the pass `{pass}`")?,
            None => write!(f, "the graph is invalid")?,
        }
        for diagnostic in &self.diagnostics {
            write!(f, "; {}", diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidGraph {}

/// Runs all [`PASSES`], validating the graph before and after each.
///
/// # Errors
/// [`InvalidGraph`] if the graph is not valid; it is then as the last pass left it.
pub fn optimise(graph: &mut Graph) -> Result<Vec<Report>, InvalidGraph> {
    optimise_with(graph, PASSES, |_, _, _| {})
}

/// Only expresses the graph in operators of the core, which planner and interpreter know; [`optimise`] does it too.
/// Returns the new graph's shapes.
///
/// # Errors
/// As [`optimise`].
pub fn expand(graph: &mut Graph) -> Result<Shapes, InvalidGraph> {
    let mut expanded = Shapes::default();
    optimise_with(graph, &[&Expand], |_, _, shapes| expanded = shapes.clone())?;
    Ok(expanded)
}

/// Runs `passes` as [`optimise`] does and shows each one's report together with the graph after it and its shapes.
///
/// # Errors
/// As [`optimise`].
pub fn optimise_with(
    graph: &mut Graph,
    passes: &[&dyn Pass],
    mut observe: impl FnMut(&Report, &Graph, &Shapes),
) -> Result<Vec<Report>, InvalidGraph> {
    let check = |graph: &Graph, after| validate(graph).map_err(|diagnostics| InvalidGraph { after, diagnostics });
    let mut shapes = check(graph, None)?;
    let mut reports = Vec::with_capacity(passes.len());
    for pass in passes {
        let report = Report {
            pass: pass.name(),
            notes: pass.run(graph, &shapes),
        };
        shapes = check(graph, Some(pass.name()))?;
        observe(&report, graph, &shapes);
        reports.push(report);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn the_list_makes_one_layer_of_a_residual_branch() {
        // Each pass uncovers work for the next one.
        let body = "
            %p = pad(%image, padding = 1)
            %c = conv(%p, filters = 4, kernel = 3, bias = false)
            %d = dropout(%c)
            %bn = batch_norm(%d)
            %unused = tanh(%bn)
            %sum = add(%bn, %image)
            %y = relu(%sum)
            return %y
        ";
        let after = testing::after(PASSES, body);
        let expected = "%y = conv(%image, %image, filters = 4, kernel = 3, padding = 1, bias = false, \
                        activation = \"relu\", norm = { weights = \"bn\", epsilon = 1e-5 }, residual = true, \
                        weights = \"c\")\nreturn %y\n";
        assert!(after.starts_with(expected), "{after}");
    }

    #[test]
    fn every_pass_is_shown_with_the_graph_it_left() {
        let source = "network \"n\" { %x = input(shape = [3]) %d = dropout(%x) %r = relu(%d) %y = tanh(%r) return %y }";
        let mut graph = text::parse(source).expect("a valid graph");
        let mut sizes = Vec::new();
        let reports = optimise_with(&mut graph, PASSES, |report, graph, shapes| {
            assert!(graph.ids().all(|id| shapes.get(id).is_some()));
            sizes.push((report.pass, graph.len()));
        })
        .expect("the graph stays valid");
        assert_eq!(sizes[..3], [("dead_code", 4), ("expand", 4), ("drop_identities", 3)]);
        let names: Vec<_> = reports.iter().map(|report| report.pass).collect();
        assert_eq!(names, PASSES.iter().map(|pass| pass.name()).collect::<Vec<_>>());
    }

    #[test]
    fn an_invalid_graph_is_an_error() {
        let source = "network \"n\" { %x = input(shape = [3]) %y = conv(%x, filters = 1, kernel = 1) return %y }";
        let mut graph = text::parse(source).expect("a graph");
        let invalid = optimise(&mut graph).expect_err("a convolution needs a map");
        assert_eq!(invalid.after, None);
        assert_eq!(invalid.diagnostics.len(), 1);
        assert!(
            invalid.to_string().starts_with("the graph is invalid; y: "),
            "{invalid}"
        );
    }
}
