//! A checked network → its plan, within the bounds that the declaration sets.

use cnn_ir::diag::Diagnostic;
use cnn_ir::span::Span;

use super::check::Checked;
use super::declared::{Body, Declared};
use crate::compile::{self, CompileError, Options};
use crate::plan::{self, Plan, PlanError};
use crate::rust::grouped;

/// How a declared network is carried out.
///
/// # Errors
/// What no machine could run, at the guilty layer; more memory than `max_arena`, at that option.
///
/// `full_weights`: 16 bits are known not to hold the weights.
pub(super) fn plan(declared: &Declared, checked: &Checked, full_weights: bool) -> Result<Plan, Vec<Diagnostic>> {
    let batch = declared.options.batch.as_ref().map_or(1, |batch| batch.value);
    if let (Some(threads), Some(_)) = (&declared.options.threads, declared.options.no_std) {
        let message = "without an operating system there are no threads: `threads` and `no_std` exclude each other";
        return Err(vec![Diagnostic::error(threads.span, message)]);
    }
    let threads = declared.options.threads.as_ref().map_or(1, |threads| threads.value);
    let options = Options::for_rust(batch, threads, declared.options.no_std.is_some());
    let options = Options {
        exact: options.exact || declared.options.exact.is_some(),
        full_weights,
        ..options
    };
    let (plan, _) = compile::plan(&checked.graph, &options).map_err(|error| {
        vec![match &error {
            CompileError::Plan(fault) => Diagnostic::error(guilty(declared, checked, fault), fault.to_string()),
            other => {
                Diagnostic::error(declared.place, other.to_string()).note("this is a bug in cnn: please report it")
            }
        }]
    })?;
    match too_much_memory(declared, &plan) {
        Some(error) => Err(vec![error]),
        None => Ok(plan),
    }
}

/// Where the layer stands that there is no plan for.
fn guilty(declared: &Declared, checked: &Checked, error: &PlanError) -> Span {
    let layer = match error {
        PlanError::TooLarge { layer, .. }
        | PlanError::Tile { layer, .. }
        | PlanError::IndexMap { layer, .. }
        | PlanError::Phases { layer, .. } => layer,
        PlanError::NoImages | PlanError::Invalid => return declared.place,
    };
    match &declared.body {
        Body::File(path) => path.span,
        Body::Missing => declared.place,
        Body::Layers(_) => {
            let graph = &checked.graph;
            let node = graph.ids().find(|&id| graph[id].name == *layer);
            node.map_or(declared.place, |id| graph[id].place.op)
        }
    }
}

/// What there is to say about a plan that takes more than `max_arena`.
fn too_much_memory(declared: &Declared, plan: &Plan) -> Option<Diagnostic> {
    let most = declared.options.max_arena.as_ref()?;
    let (taken, scratch) = (plan.run_bytes(), plan.scratch_bytes());
    let bytes = |bytes: usize| grouped(bytes as u64);
    if taken as u64 <= most.value {
        return None;
    }
    let message = format!(
        "the network needs {} bytes of memory to run, but `max_arena` is {}",
        bytes(taken),
        grouped(most.value),
    );
    let mut error = Diagnostic::error(most.span, message);
    if let Some(peak) = plan::peak(plan) {
        let step = &plan.steps[peak.step];
        let held: Vec<String> = (peak.buffers.iter())
            .map(|buffer| &plan.buffers[buffer.0])
            .map(|buffer| format!("`{}` {} {}", buffer.name, buffer.shape, bytes(buffer.bytes)))
            .collect();
        let held = format!(
            "most of it is in use at layer `{}`: {} bytes, of {}",
            step.layer,
            bytes(peak.bytes),
            held.join(", ")
        );
        error = error.note(held);
    }
    if scratch > 0 {
        error = error.note(format!("kernels take {} bytes beside", bytes(scratch)));
    }
    Some(error)
}
