//! Recurrent layers: products of matrices by tiles, step by step.

use cnn_ir::op::Recurrent;
use cnn_runtime::pack::{ChannelOrder, FilterSource, Panels, Recipe};
use cnn_types::InstructionSet;

use super::layer::{StridedView, bytes};
use super::reduction::{Reduction, offset};
use crate::isa::facts;
use crate::plan::data::layout::BLOCK;
use crate::plan::data::{Constants, RecurrentTiles, RecurrentWork, StepWeights, View};
use crate::plan::options::PlanOptions;
use crate::tile::{Init, Pixel, Product, SpecError, TileSpec};

/// A recurrent layer of a batch with its constants and tile kernels.
///
/// # Errors
/// [`SpecError`]: offsets that do not fit a tile kernel.
pub(crate) fn recurrent(
    options: &PlanOptions,
    recurrent: Recurrent,
    [input, output]: [StridedView; 2],
    states: Vec<View>,
    prefix: &str,
    constants: &mut Constants,
) -> Result<RecurrentWork, SpecError> {
    let isa = options.isa;
    let [sequences, steps, features] = input.view.shape.extent();
    let rows = recurrent.gates() * recurrent.units;
    let blocks = rows.div_ceil(BLOCK);
    let facts = facts(isa);
    let many = facts.vectors_of_many(blocks, recurrent.units);
    let sequences = options.batch.saturating_mul(sequences);
    let group = group(sequences, recurrent.directions().len(), facts.pixels(many));
    let vectors = [
        facts.vectors_of_many(blocks, features),
        if group > 1 {
            many
        } else {
            facts.vectors_of_one_pixel(blocks)
        },
    ];
    let [project, recur] = [0, 1].map(|kind| {
        let (vectors, inner) = (vectors[kind], [features, recurrent.units][kind]);
        let panels = blocks.div_ceil(vectors);
        let mut constant = |&reverse: &bool| {
            let declared = recurrent.direction_weights(prefix, reverse, features);
            let filters = FilterSource {
                weight: declared[kind].name.clone(),
                shape: declared[kind].shape.clone(),
                bias: declared.get(2 + kind).map(|bias| bias.name.clone()),
                norm: None,
                transposed: None,
            };
            let panels = Panels {
                vectors,
                groups: 1,
                order: ChannelOrder::Planar,
                first_channels: vec![0; panels],
                k_blocks: vec![inner],
            };
            constants.add(Recipe::Panels { filters, panels })
        };
        StepWeights {
            constants: recurrent.directions().iter().map(&mut constant).collect(),
            vectors,
            panels,
        }
    });
    let block = facts.pixels(project.vectors).clamp(1, steps);
    let padded = recurrent.units.next_multiple_of(BLOCK);
    let tiles = recurrent.directions().iter().map(|&reverse| {
        // In reverse each step is before the last one.
        let row = input.strides.row as i64 * if reverse { -1 } else { 1 };
        let features = |steps| tile(isa, project.vectors, steps, features, [row, project.rows() as i64]);
        let rest = steps % block;
        Ok(RecurrentTiles {
            project: features(block)?,
            rest: (rest > 0).then(|| features(rest)).transpose()?,
            recur: tile(
                isa,
                recur.vectors,
                group,
                recurrent.units,
                [padded as i64, recur.rows() as i64],
            )?,
        })
    });
    Ok(RecurrentWork {
        tiles: tiles.collect::<Result<_, SpecError>>()?,
        recurrent,
        input: input.view,
        states,
        output: output.view,
        group,
        project,
        recur,
        block,
    })
}

/// Tasks that a layer has if it has so many sequences: work for that many threads. Not as many as there are threads, since
/// small tiles sum in another order than large ones, and results are the same for any number of threads.
const TASKS: usize = 4;

/// Sequences of a task: as many as divide all and fit a tile, but not so many that threads are without work.
fn group(sequences: usize, directions: usize, most: usize) -> usize {
    let share = sequences.saturating_mul(directions) / TASKS;
    let fits = |group: &usize| sequences.is_multiple_of(*group);
    (1..=most.min(share)).rev().find(fits).unwrap_or(1)
}

/// The tile of some steps (or of a step of some sequences) × a panel's rows: `inner` products each and a bias. Steps are
/// so many floats apart in input and output.
fn tile(
    isa: InstructionSet,
    vectors: usize,
    steps: usize,
    inner: usize,
    [input, output]: [i64; 2],
) -> Result<TileSpec, SpecError> {
    let Reduction { loops, taps } = Reduction::new(&[(inner, bytes(1))]);
    let place = |step: usize, floats: i64| offset(floats.saturating_mul(step as i64).saturating_mul(bytes(1)));
    let spec = TileSpec {
        isa,
        product: Product::Broadcast,
        vectors,
        pixels: (0..steps)
            .map(|step| Pixel {
                input: place(step, input),
                output: place(step, output),
                residual: 0,
            })
            .collect(),
        output_vectors: (0..vectors).map(|vector| offset(bytes(vector * BLOCK))).collect(),
        residual_vectors: Vec::new(),
        loops,
        taps,
        init: Init::Bias,
        residual: false,
        activation: None,
        prefetch: 0,
    };
    spec.validate()?;
    Ok(spec)
}
