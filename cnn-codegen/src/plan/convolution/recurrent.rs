//! Recurrent layers: products of matrices by tiles, step by step.

use cnn_ir::op::Recurrent;
use cnn_runtime::pack::{ChannelOrder, FilterSource, Panels, Recipe};
use cnn_types::InstructionSet;

use super::layer::{StridedView, bytes};
use super::reduction::{Reduction, offset};
use crate::isa::facts;
use crate::plan::data::layout::BLOCK;
use crate::plan::data::{Constants, RecurrentTiles, RecurrentWork, StepWeights, View};
use crate::tile::{Init, Pixel, Product, SpecError, TileSpec};

/// A recurrent layer with its constants and tile kernels.
///
/// # Errors
/// [`SpecError`]: offsets that do not fit a tile kernel.
pub(crate) fn recurrent(
    isa: InstructionSet,
    recurrent: Recurrent,
    [input, output]: [StridedView; 2],
    states: Vec<View>,
    prefix: &str,
    constants: &mut Constants,
) -> Result<RecurrentWork, SpecError> {
    let [_, steps, features] = input.view.shape.extent();
    let rows = recurrent.gates() * recurrent.units;
    let blocks = rows.div_ceil(BLOCK);
    let facts = facts(isa);
    let vectors = [
        facts.vectors_of_many(blocks, features),
        facts.vectors_of_one_pixel(blocks),
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
                chunks: vec![inner],
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
    let tiles = recurrent.directions().iter().map(|&reverse| {
        // In reverse each step is before the last one.
        let row = input.strides.row as i64 * if reverse { -1 } else { 1 };
        let features = |steps| tile(isa, project.vectors, steps, features, [row, project.rows() as i64]);
        let rest = steps % block;
        Ok(RecurrentTiles {
            project: features(block)?,
            rest: (rest > 0).then(|| features(rest)).transpose()?,
            recur: tile(isa, recur.vectors, 1, recurrent.units, [0, 0])?,
        })
    });
    Ok(RecurrentWork {
        tiles: tiles.collect::<Result<_, SpecError>>()?,
        recurrent,
        input: input.view,
        states,
        output: output.view,
        project,
        recur,
        block,
    })
}

/// The tile of some steps × a panel's rows: `inner` products each and a bias. Steps are so many floats apart in input
/// and output.
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
