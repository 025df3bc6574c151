//! Graph → plan.
//!
//! | module | what it owns |
//! |---|---|
//! | `aliasing` | which values share a buffer, and how wide its halo is |
//! | `nodes` | one node after the other: which steps an operator becomes |
//! | `tiled` | the same for layers of tile kernels |
//! | `recurrent` | the same for recurrent layers |
//! | `integers` | the same for 8-bit integers |
//! | `along` | the same for what works along one axis |
//! | `index_maps` | the same for what only takes elements elsewhere |
//! | `builder` | the plan under construction: buffers, views, copies, steps |
//! | `draft` | its buffers, which have no place yet |
//! | `reasons` | why a step is what it is, where there is no choice |
//! | `traffic` | the bytes that a step moves |
//! | `arena` | offsets in the arena from lifetimes |

mod aliasing;
mod along;
mod arena;
mod builder;
mod draft;
mod index_maps;
mod integers;
mod nodes;
mod reasons;
mod recurrent;
mod tiled;
mod traffic;

use std::collections::HashMap;

use cnn_ir::graph::Graph;
use cnn_ir::op::Op;
use cnn_ir::validate::Shapes;

use super::convolution::{select, streams};
use super::data::{Plan, PlanData, arena_size, lifetimes, peak_of};
use super::options::{PlanError, PlanOptions};
use aliasing::Aliases;
use builder::Builder;

/// Decides everything about running a graph.
///
/// # Errors
/// [`PlanError`]: sizes that cannot be addressed.
pub fn build(graph: &Graph, shapes: &Shapes, options: &PlanOptions) -> Result<Plan, PlanError> {
    if options.batch == 0 {
        return Err(PlanError::NoImages);
    }
    let order = graph.order().map_err(|_| PlanError::Invalid)?;
    let streams = streams(graph, shapes, options.caches);
    let selected: HashMap<_, _> = order
        .iter()
        .filter_map(|&id| {
            let Op::Conv(conv) = &graph[id].op else { return None };
            let input = shapes[graph.operands(id)[0]];
            Some((id, select(conv, input, shapes[id], streams, options)))
        })
        .collect();
    let aliases = Aliases::new(graph, shapes, &order, &selected);
    let mut builder = Builder::new(graph, shapes, options, streams, selected, aliases);
    for id in order {
        builder.node(id)?;
    }
    builder.copy_outputs()?;
    let external: Vec<bool> = builder.buffers.iter().map(|buffer| buffer.array.is_some()).collect();
    let sizes: Vec<usize> = builder.buffers.iter().map(|buffer| arena_size(buffer.bytes)).collect();
    let (lifetimes, steps) = (lifetimes(&builder.steps, &external), builder.steps.len());
    let arena = arena::place(&lifetimes, &sizes, steps);
    let drafts = builder.buffers.into_iter().zip(arena.offsets);
    Ok(Plan::new(PlanData {
        name: graph.name.clone(),
        batch: options.batch,
        threads: options.threads,
        isa: options.isa,
        // One that no step uses is nowhere; its first byte is as good as any.
        buffers: drafts.map(|(draft, offset)| draft.at(offset.unwrap_or(0))).collect(),
        constant_bytes: builder.constants.bytes,
        constants: builder.constants.list,
        steps: builder.steps,
        inputs: builder.inputs,
        outputs: builder.outputs,
        arena_bytes: arena.bytes,
        lower_bound_bytes: peak_of(&lifetimes, &sizes, steps).map_or(0, |peak| peak.bytes),
    }))
}
