//! Measures tile kernels: the machine's multiply–add peak, register tiles in the first-level cache, and whole layers
//! driven by a plain loop nest, as a share of the peak.
//!
//! `cargo run --release -p cnn-codegen --example tile_peak -- [tiles|layers] [unroll=48] [align=true] [rebase=true]
//! [chains=10] [crossing=28] [vectors=2] [pixels=6] [only=3x3] [isa=avx512]`
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::collections::HashMap;

use cnn_codegen::tile::{
    Executable, Init, Kernel, LANES, Loop, Peak, Pixel, Product, Schedule, TileSpec, encode, lower_with,
};
use cnn_runtime::kernels::Isa;
use cnn_types::InstructionSet;
use memmap2::{Advice, MmapMut};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// What the command line may change.
struct Options {
    schedule: Schedule,
    isa: InstructionSet,
    /// Maps at most this wide are covered by tiles that cross rows.
    crossing: usize,
    vectors: usize,
    pixels: usize,
    /// Bytes of a panel's weights between two passes over the pixels.
    k_block: usize,
    only: String,
    blocks: u32,
    what: String,
}

fn main() -> Result<(), Failure> {
    let mut o = Options {
        schedule: Schedule::default(),
        isa: Isa::detect().set(),
        crossing: 28,
        vectors: 2,
        pixels: 6,
        k_block: 40_000,
        only: String::new(),
        blocks: 2,
        what: "all".to_owned(),
    };
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("isa", v)) => o.isa = v.parse()?,
            Some(("unroll", v)) => o.schedule.unroll = v.parse()?,
            Some(("align", v)) => o.schedule.align_heads = v.parse()?,
            Some(("rebase", v)) => o.schedule.rebase = v.parse()?,
            Some(("chains", v)) => o.schedule.chains = v.parse()?,
            Some(("crossing", v)) => o.crossing = v.parse()?,
            Some(("vectors", v)) => o.vectors = v.parse()?,
            Some(("pixels", v)) => o.pixels = v.parse()?,
            Some(("k_block", v)) => o.k_block = v.parse()?,
            Some(("blocks", v)) => o.blocks = v.parse()?,
            Some(("only", v)) => o.only = v.to_owned(),
            None => o.what = argument,
            _ => return Err(format!("what is `{argument}`?").into()),
        }
    }
    let peak = Peak::new()?;
    println!(
        "256-bit multiply–add peak: {:.1} GFLOP/s",
        Peak::OPERATIONS / best(&peak, 50) / 1e9
    );
    if o.what != "layers" {
        tiles(&peak, &o)?;
    }
    if o.what != "tiles" {
        layers(&peak, &o)?;
    }
    Ok(())
}

/// Seconds of the best of so many runs of the multiply–add loop.
fn best(peak: &Peak, runs: usize) -> f64 {
    (0..runs).map(|_| peak.run().as_secs_f64()).fold(f64::MAX, f64::min)
}

/// Rate of `flops` done by `work` in GFLOP/s and in percent of the peak. The work says when one of its units is
/// done; each unit's best time is taken over many runs, so that other work on the machine does not count.
fn share(peak: &Peak, flops: f64, mut work: impl FnMut(&mut Clock)) -> (f64, f64) {
    let mut least = f64::MAX;
    let mut clock = Clock {
        last: Instant::now(),
        unit: 0,
        best: Vec::new(),
    };
    let start = Instant::now();
    let mut runs = 0;
    while runs < 8 || (start.elapsed().as_secs_f64() < 0.5 && runs < 400) {
        least = least.min(best(peak, 1));
        clock.unit = 0;
        clock.last = Instant::now();
        work(&mut clock);
        runs += 1;
    }
    let rate = flops / clock.best.iter().sum::<f64>();
    (rate / 1e9, 100.0 * rate / (Peak::OPERATIONS / least))
}

/// Best times of the units of a piece of work.
struct Clock {
    last: Instant,
    unit: usize,
    best: Vec<f64>,
}

impl Clock {
    fn done(&mut self) {
        let now = Instant::now();
        let took = (now - self.last).as_secs_f64();
        match self.best.get_mut(self.unit) {
            Some(best) => *best = best.min(took),
            None => self.best.push(took),
        }
        self.unit += 1;
        self.last = now;
    }
}

/// Zeroed floats on huge pages if the system has them.
struct Floats(MmapMut);

impl Floats {
    fn new(len: usize) -> Result<Self, Failure> {
        let mut map = MmapMut::map_anon((len * 4).next_multiple_of(1 << 21))?;
        let _ = map.advise(Advice::HugePage);
        map.fill(0);
        Ok(Self(map))
    }

    fn at(&mut self, float: usize) -> *mut f32 {
        assert!(float * 4 < self.0.len());
        // SAFETY: in bounds.
        unsafe { self.0.as_mut_ptr().cast::<f32>().add(float) }
    }
}

fn tiles(peak: &Peak, o: &Options) -> Result<(), Failure> {
    println!("tiles in L1, 3×3 taps × 8 channels × 2 (pixels × filters):");
    let shapes = [
        (Product::Broadcast, vec![(6, 2), (5, 2), (4, 2), (3, 2), (2, 2), (1, 2)]),
        (
            Product::Broadcast,
            vec![(4, 3), (3, 3), (2, 3), (1, 3), (2, 4), (2, 5), (1, 4), (1, 6), (1, 8)],
        ),
        (
            Product::Broadcast,
            vec![
                (14, 4),
                (13, 4),
                (12, 4),
                (8, 4),
                (7, 4),
                (9, 6),
                (8, 6),
                (6, 8),
                (28, 2),
                (14, 2),
                (9, 3),
                (28, 1),
            ],
        ),
        (
            Product::Broadcast,
            vec![(14, 1), (12, 1), (10, 1), (8, 1), (7, 1), (6, 1), (4, 1), (1, 1)],
        ),
        (
            Product::Lanewise,
            vec![(14, 1), (12, 1), (8, 1), (7, 1), (4, 1), (2, 1)],
        ),
    ];
    for (product, list) in shapes {
        for (pixels, vectors) in list {
            let lanes = if product == Product::Broadcast { 8 } else { 1 };
            let spec = TileSpec {
                isa: o.isa,
                product,
                vectors,
                pixels: (0..pixels)
                    .map(|p| Pixel {
                        input: p * 32,
                        output: p * 32,
                        residual: 0,
                    })
                    .collect(),
                output_vectors: (0..vectors as i32).map(|v| v * 1024).collect(),
                residual_vectors: Vec::new(),
                loops: vec![
                    Loop {
                        count: 2,
                        input_step: 4096,
                    },
                    Loop {
                        count: 3,
                        input_step: 1024,
                    },
                ],
                taps: (0..3 * lanes).map(|t| t / lanes * 32 + t % lanes * 4).collect(),
                init: Init::Zero,
                residual: false,
                activation: None,
                prefetch: 0,
            };
            if spec.validate().is_err() {
                // More than the instruction set's registers hold.
                continue;
            }
            let code = encode(&lower_with(&spec, &o.schedule)?)?;
            let kernel = Executable::from_code(&code, o.isa)?;
            let mut data = Floats::new(1 << 18)?;
            let (input, weights, output) = (data.at(0), data.at(1 << 16), data.at((1 << 15) + 700));
            let calls = (1_000_000 / spec.flops()).max(1);
            let (rate, share) = share(peak, (calls * spec.flops()) as f64, |clock| {
                for _ in 0..calls {
                    // SAFETY: a quarter of a megabyte holds every offset above.
                    unsafe { kernel.kernel()(input, weights, output, input, weights) };
                }
                clock.done();
            });
            let bytes = code.len();
            println!(
                "  {product:?} {pixels:2} × {:2}: {rate:5.1} GFLOP/s {share:5.1} % ({bytes} B)",
                vectors * 8
            );
        }
    }
    Ok(())
}

/// A convolution of `size`² outputs.
struct Layer {
    name: &'static str,
    channels: usize,
    filters: usize,
    size: usize,
    kernel: usize,
    stride: usize,
}

const fn layer(
    name: &'static str,
    channels: usize,
    filters: usize,
    size: usize,
    kernel: usize,
    stride: usize,
) -> Layer {
    Layer {
        name,
        channels,
        filters,
        size,
        kernel,
        stride,
    }
}

const LAYERS: &[Layer] = &[
    layer("3x3 64->64@56", 64, 64, 56, 3, 1),
    layer("3x3 128->128@28", 128, 128, 28, 3, 1),
    layer("3x3 256->256@14", 256, 256, 14, 3, 1),
    layer("3x3 512->512@7", 512, 512, 7, 3, 1),
    layer("3x3 s2 64->128@28", 64, 128, 28, 3, 2),
    layer("1x1 64->256@56", 64, 256, 56, 1, 1),
    layer("1x1 256->64@56", 256, 64, 56, 1, 1),
    layer("1x1 1024->256@14", 1024, 256, 14, 1, 1),
    layer("1x1 2048->512@7", 2048, 512, 7, 1, 1),
    layer("7x7 s2 3->64@112", 3, 64, 112, 7, 2),
    layer("11x11 s4 3->64@55", 3, 64, 55, 11, 4),
    layer("3x3 3->64@224", 3, 64, 224, 3, 1),
    layer("5x5 64->192@27", 64, 192, 27, 5, 1),
    layer("3x3 64->64@224", 64, 64, 224, 3, 1),
    layer("3x3 512->512@28", 512, 512, 28, 3, 1),
];

/// One kernel call, offsets in floats.
struct Call {
    kernel: Kernel,
    input: usize,
    output: usize,
}

fn layers(peak: &Peak, o: &Options) -> Result<(), Failure> {
    println!("layers, tile {} × {}:", o.pixels, o.vectors * LANES);
    for l in LAYERS.iter().filter(|l| l.name.contains(&o.only)) {
        let blocked = l.channels.is_multiple_of(LANES);
        let lanes = if blocked { LANES } else { 1 };
        let width = (l.size - 1) * l.stride + l.kernel;
        let (row, plane) = (width * lanes, width * width * lanes);
        let blocks = l.channels / lanes;
        let panel = o.vectors * LANES;
        let block_weights = l.kernel * l.kernel * lanes * panel;
        let blocks_each = (o.k_block / 4 / block_weights).clamp(1, blocks);
        let map = l.size * l.size * LANES;

        let mut kernels: HashMap<TileSpec, Executable> = HashMap::new();
        let mut code_bytes = 0;
        let mut k_blocks: Vec<(usize, Vec<Vec<Call>>)> = Vec::new();
        for first in (0..blocks).step_by(blocks_each) {
            let count = blocks_each.min(blocks - first);
            let mut rows = Vec::new();
            for run in runs(l, o) {
                let mut calls = Vec::new();
                for tile in split(run, o.pixels) {
                    let input = |p: usize| p / l.size * l.stride * row + p % l.size * l.stride * lanes;
                    let pixel = |p: usize| Pixel {
                        input: ((input(p) - input(tile.start)) * 4) as i32,
                        output: ((p - tile.start) * LANES * 4) as i32,
                        residual: 0,
                    };
                    let spec = TileSpec {
                        isa: o.isa,
                        product: Product::Broadcast,
                        vectors: o.vectors,
                        pixels: tile.clone().map(pixel).collect(),
                        output_vectors: (0..o.vectors).map(|v| (v * map * 4) as i32).collect(),
                        residual_vectors: Vec::new(),
                        loops: vec![
                            Loop {
                                count: count as u32,
                                input_step: (plane * 4) as i64,
                            },
                            Loop {
                                count: l.kernel as u32,
                                input_step: (row * 4) as i64,
                            },
                        ],
                        taps: (0..l.kernel * lanes).map(|t| (t * 4) as i32).collect(),
                        init: if first == 0 { Init::Zero } else { Init::Output },
                        residual: false,
                        activation: None,
                        prefetch: 0,
                    };
                    if !kernels.contains_key(&spec) {
                        let code = encode(&lower_with(&spec, &o.schedule)?)?;
                        code_bytes += code.len();
                        kernels.insert(spec.clone(), Executable::from_code(&code, o.isa)?);
                    }
                    let kernel = kernels[&spec].kernel();
                    calls.push(Call {
                        kernel,
                        input: input(tile.start),
                        output: tile.start * LANES,
                    });
                }
                rows.push(calls);
            }
            k_blocks.push((first, rows));
        }

        let mut input = Floats::new(blocks * plane)?;
        let mut weights = Floats::new(l.filters * l.channels * l.kernel * l.kernel)?;
        let mut output = Floats::new(l.filters / LANES * map)?;
        let (x, w, y) = (input.at(0), weights.at(0), output.at(0));
        let panels = l.filters / panel;
        // Eight rows at a time where rows are tiled one by one, the whole map otherwise.
        let row_block = 8;
        let runs = k_blocks[0].1.len();
        let flops = 2 * l.channels * l.filters * l.size * l.size * l.kernel * l.kernel;
        let (rate, share) = share(peak, flops as f64, |clock| {
            for rows in (0..runs).step_by(row_block) {
                for panel in 0..panels {
                    for (first, calls) in &k_blocks {
                        let panel_weights = (panel * blocks + first) * block_weights;
                        for call in calls[rows..runs.min(rows + row_block)].iter().flatten() {
                            // SAFETY: the offsets are those of the layer's buffers.
                            unsafe {
                                let to = panel * o.vectors * map + call.output;
                                (call.kernel)(x.add(first * plane + call.input), w.add(panel_weights), y.add(to), x, w);
                            }
                        }
                    }
                    clock.done();
                }
            }
        });
        println!(
            "  {:18} {rate:5.1} GFLOP/s {share:5.1} % ({} kernels, {code_bytes} B)",
            l.name,
            kernels.len()
        );
    }
    Ok(())
}

/// Pixel ranges covered without a break: rows, or the whole map where tiles cross rows.
fn runs(l: &Layer, o: &Options) -> Vec<std::ops::Range<usize>> {
    if l.size <= o.crossing || l.kernel == 1 && l.stride == 1 {
        return std::iter::once(0..l.size * l.size).collect();
    }
    (0..l.size).map(|y| y * l.size..(y + 1) * l.size).collect()
}

/// Tiles of nearly equal size, none larger than `most`.
fn split(run: std::ops::Range<usize>, most: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let (start, len) = (run.start, run.len());
    let parts = len.div_ceil(most);
    (0..parts).map(move |i| start + i * len / parts..start + (i + 1) * len / parts)
}
