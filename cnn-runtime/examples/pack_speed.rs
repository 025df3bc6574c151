//! Measures packing: `cargo run --release --example pack_speed [-- FILE.safetensors …]`.
//!
//! Without files, a few representative layers of made-up weights. Of each file, its convolutions and dense layers:
//! 3×3 filters transformed for Winograd's products, the others as panels, batch norms folded where the tensors' names
//! are torchvision's. "Fresh" includes what the first use of memory costs: the file's pages and the zeroed result's.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::error::Error;
use std::time::Instant;

use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::memory::AlignedBuffer;
use cnn_runtime::pack::{ChannelOrder, FilterSource, Norm, Panels, Recipe, WinogradFilters};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::{MapSource, SafetensorsFile, Synthetic, WeightError, WeightSource};

const REPETITIONS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let pools = [ThreadPool::new(1)?, ThreadPool::new(2)?];
    let files: Vec<String> = std::env::args().skip(1).collect();
    for file in &files {
        for pool in &pools {
            let mut least = [f64::INFINITY; 2];
            let mut bytes = [0; 2];
            for _ in 0..REPETITIONS {
                let start = Instant::now();
                let source = SafetensorsFile::open(file)?;
                let recipes = recipes(&source);
                let mut out = AlignedBuffer::zeroed(recipes.iter().map(Recipe::floats).sum())?;
                pack(&recipes, &source, out.floats_mut(), pool)?;
                least[0] = least[0].min(start.elapsed().as_secs_f64());
                out.floats_mut().fill(0.0);
                let start = Instant::now();
                pack(&recipes, &source, out.floats_mut(), pool)?;
                least[1] = least[1].min(start.elapsed().as_secs_f64());
                bytes = [std::fs::metadata(file)?.len() as usize, out.len_bytes()];
            }
            println!(
                "{file}, {} threads: {} → {} MB: fresh {:.1} ms ({:.1} GB/s), again {:.1} ms ({:.1} GB/s)",
                pool.threads(),
                bytes[0] / 1_000_000,
                bytes[1] / 1_000_000,
                least[0] * 1e3,
                bytes[1] as f64 / least[0] / 1e9,
                least[1] * 1e3,
                bytes[1] as f64 / least[1] / 1e9
            );
        }
    }
    if files.is_empty() {
        let layers: [(&[usize], bool); 12] = [
            (&[2048, 512, 1, 1], false),
            (&[256, 512, 3, 3], false),
            (&[1000, 2048], false),
            (&[64, 3, 7, 7], true),
            (&[256, 64, 1, 1], true),
            (&[2048, 512, 1, 1], true),
            (&[512, 2048, 1, 1], true),
            (&[512, 512, 5, 5], false),
            (&[512, 512, 3, 3], false),
            (&[512, 512, 3, 3], true),
            (&[4096, 4096], false),
            (&[4096, 25088], false),
        ];
        for (shape, norm) in layers {
            for pool in &pools {
                layer(shape, norm, pool)?;
            }
        }
    }
    Ok(())
}

/// Measures one layer of made-up weights.
fn layer(shape: &[usize], norm: bool, pool: &ThreadPool) -> Result<(), Box<dyn Error>> {
    let norm = norm.then(|| Norm {
        prefix: "norm".into(),
        epsilon: 1e-5,
    });
    let mut source = MapSource::new();
    let seed = Synthetic { seed: 1 };
    let mut add = |name: &str, shape: &[usize]| -> Result<(), WeightError> {
        source.insert(name, shape, seed.tensor(name, shape)?.into_owned())
    };
    add("layer.weight", shape)?;
    for name in norm.iter().flat_map(Norm::tensors) {
        add(&name, &shape[..1])?;
    }
    let recipe = recipe("layer.weight".into(), shape.to_vec(), norm);
    let mut out = AlignedBuffer::zeroed(recipe.floats())?;
    let mut least = f64::INFINITY;
    for _ in 0..REPETITIONS {
        out.floats_mut().fill(0.0);
        let start = Instant::now();
        pack(std::slice::from_ref(&recipe), &source, out.floats_mut(), pool)?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{shape:?} {recipe}, {} threads: {:.3} ms, {:.1} GB/s written",
        pool.threads(),
        least * 1e3,
        out.len_bytes() as f64 / least / 1e9
    );
    Ok(())
}

/// The recipes of all weights of two or four dimensions.
fn recipes(source: &SafetensorsFile) -> Vec<Recipe> {
    let names = source.names();
    let recipe_of = |name: &String| {
        let (shape, _) = source.info(name)?;
        if ![2, 4].contains(&shape.len()) {
            return None;
        }
        let own = name.strip_suffix(".weight")?;
        let behind = own
            .strip_suffix(".0")
            .map_or_else(|| own.replace("conv", "bn"), |block| format!("{block}.1"));
        let norm = source.info(&format!("{behind}.running_mean")).map(|_| Norm {
            prefix: behind,
            epsilon: 1e-5,
        });
        Some(recipe(name.clone(), shape.to_vec(), norm))
    };
    names.iter().filter_map(recipe_of).collect()
}

/// The recipe that a plan would have for a layer of so many filters.
fn recipe(weight: String, shape: Vec<usize>, norm: Option<Norm>) -> Recipe {
    let filters = FilterSource {
        weight,
        shape,
        bias: None,
        norm,
        transposed: None,
    };
    let (count, channels) = (filters.count(), filters.channels());
    let blocks = count.div_ceil(8);
    if filters.shape[2..] == [3, 3] && blocks.is_multiple_of(2) {
        return Recipe::Winograd {
            filters,
            transformed: WinogradFilters {
                variant: Winograd::F4x3,
                vectors: 2,
                parts: 1,
            },
        };
    }
    let dense = filters.shape.len() == 2;
    let vectors = match dense {
        true => [8, 5, 4].into_iter().find(|&v| blocks.is_multiple_of(v)).unwrap_or(1),
        false => 2,
    };
    Recipe::Panels {
        panels: Panels {
            vectors,
            groups: 1,
            order: if dense || channels < 8 {
                ChannelOrder::Planar
            } else {
                ChannelOrder::Blocked { lanes: 8 }
            },
            first_channels: vec![0; blocks.div_ceil(vectors)],
            k_blocks: vec![channels],
        },
        filters,
    }
}

/// Packs all constants, one behind the other.
fn pack(
    recipes: &[Recipe],
    source: &dyn WeightSource,
    mut out: &mut [f32],
    pool: &ThreadPool,
) -> Result<(), WeightError> {
    for recipe in recipes {
        let (own, rest) = out.split_at_mut(recipe.floats());
        recipe.pack(source, own, pool)?;
        out = rest;
    }
    Ok(())
}
