//! The plan as text for people and as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::layout::Layout;
use super::{Access, BufferId, PlanData, Step, Storage, Sweep, Work};

fn layout(layout: Layout) -> String {
    let halo = layout.halo();
    let name = match layout {
        Layout::Planar { .. } => "planar",
        Layout::Hwc => "hwc",
        Layout::Pixels { .. } => "pixels",
        Layout::Blocked { .. } => "blocked8",
    };
    match [halo.top, halo.left, halo.bottom, halo.right] {
        [0, 0, 0, 0] => name.to_owned(),
        sides => format!("{name} + halo {sides:?}"),
    }
}

fn storage(storage: Storage) -> String {
    match storage {
        Storage::Input(index) => format!("input {index}"),
        Storage::Output(index) => format!("output {index}"),
        Storage::Arena(offset) => format!("arena + {offset}"),
    }
}

/// Operands of a step as `%buffer`, a part of one as `%buffer[first channel..end]`.
fn operands(plan: &PlanData, step: &Step) -> (Vec<String>, String) {
    let reference = |BufferId(buffer): BufferId| format!("%{buffer}");
    let view = |view: super::View| {
        let whole = &plan.buffers[view.buffer.0];
        let end = view.channel + view.shape.channels();
        if view.channel == 0 && end >= whole.shape.channels() {
            reference(view.buffer)
        } else {
            format!("{}[{}..{end}]", reference(view.buffer), view.channel)
        }
    };
    let access = |access: Access| access.view().map_or_else(|| reference(access.buffer()), view);
    let (reads, writes) = step.work.accesses();
    (reads.into_iter().map(access).collect(), access(writes))
}

fn sweep_text(text: &mut String, plan: &PlanData, sweep: &Sweep) {
    let tiles: usize = sweep
        .nest
        .regions
        .iter()
        .map(|region| region.rows.count * region.segments.iter().map(|segment| segment.tiles.count).sum::<usize>())
        .sum();
    let sizes: Vec<String> = sweep
        .nest
        .specs
        .iter()
        .map(|spec| format!("{}×{}", spec.pixels.len(), spec.vectors * 8))
        .collect();
    let _ = writeln!(
        text,
        "      weights = {}\n      {} images × {} panels × {tiles} tiles × {} passes = {} tasks to share; kernels: {}",
        plan.constants[sweep.weights.0].recipe,
        sweep.nest.images.count,
        sweep.nest.panels.count,
        sweep.nest.passes.len(),
        sweep.nest.tasks(),
        sizes.join(", "),
    );
    if let Some(activation) = sweep.nest.finish {
        let _ = writeln!(text, "      then {} over each task's outputs", activation.name());
    }
}

/// The plan as text: buffers, then steps with their kernels and reasons.
pub fn to_text(plan: &PlanData) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "plan {:?} for batch {}, {} tiles",
        plan.name, plan.batch, plan.isa
    );
    let _ = writeln!(
        text,
        "arena {} bytes (no plan needs less than {}), constants {} bytes\n\nbuffers",
        plan.arena_bytes, plan.lower_bound_bytes, plan.constant_bytes
    );
    for (index, buffer) in plan.buffers.iter().enumerate() {
        let _ = writeln!(
            text,
            "  %{index:<3} {:<24} {:<16} {:<28} {} bytes at {}",
            buffer.name,
            buffer.shape.to_string(),
            layout(buffer.layout),
            buffer.bytes,
            storage(buffer.storage)
        );
    }
    text.push_str("\nsteps\n");
    for (index, step) in plan.steps.iter().enumerate() {
        let (reads, writes) = operands(plan, step);
        let _ = writeln!(
            text,
            "  {index:>3} {writes} = {}({})  // {} `{}`",
            step.kernel,
            reads.join(", "),
            step.op,
            step.layer
        );
        if !step.why.is_empty() {
            let _ = writeln!(text, "      because: {}", step.why);
        }
        match &step.work {
            Work::Sweep(sweep) => sweep_text(&mut text, plan, sweep),
            Work::Winograd(work) => {
                let _ = writeln!(
                    text,
                    "      weights = {}\n      {} × {} images × {} blocks of {} tiles × {} parts of the filters; {} bytes a thread",
                    plan.constants[work.weights.0].recipe,
                    plan.batch / work.images,
                    work.images,
                    work.blocks(),
                    work.block,
                    work.parts,
                    work.scratch_bytes(),
                );
            }
            Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Elementwise(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Gather(_)
            | Work::Interpolate(_)
            | Work::Matmul { .. }
            | Work::Recurrent(_)
            | Work::Integer(_)
            | Work::Along(_)
            | Work::Reduce { .. } => {}
        }
    }
    text
}

/// The plan as JSON.
pub fn to_json(plan: &PlanData) -> Value {
    let buffers: Vec<Value> = plan
        .buffers
        .iter()
        .map(|buffer| {
            json!({
                "name": buffer.name,
                "shape": buffer.shape.dims(),
                "layout": layout(buffer.layout),
                "bytes": buffer.bytes,
                "place": storage(buffer.storage),
            })
        })
        .collect();
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let (reads, writes) = operands(plan, step);
            json!({
                "layer": step.layer,
                "op": step.op,
                "kernel": step.kernel,
                "why": step.why,
                "multiplications": step.multiplications,
                "bytes": step.bytes,
                "reads": reads,
                "writes": writes,
                "constants": step
                    .work
                    .constants()
                    .iter()
                    .map(|constant| plan.constants[constant.0].recipe.to_string())
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "name": plan.name,
        "batch": plan.batch,
        "isa": plan.isa.name(),
        "arena_bytes": plan.arena_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "constant_bytes": plan.constant_bytes,
        "buffers": buffers,
        "steps": steps,
    })
}
