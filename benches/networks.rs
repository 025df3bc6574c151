//! How long whole networks take to run and to compile: `cargo bench --bench networks [FILTER]`.
//!
//! The networks are those of `examples/models`, the weights made up. The column of items counts multiplications: twice
//! as many are FLOP/s. Kernels alone are measured by examples, which also give the machine's peak: `tile_peak` in
//! cnn-codegen; `winograd_speed`, `activation_speed` and `fork_join` in cnn-runtime. `benches/peers` compares with
//! other engines. This here is for comparing two states of the sources.

use std::path::Path;

use cnn::{Model, Network, Options, Weights};
use divan::{Bencher, black_box, counter::ItemsCount};

const NETWORKS: &[&str] = &[
    "lenet5",
    "squeezenet1_1",
    "mobilenet_v2",
    "alexnet",
    "googlenet",
    "resnet18",
    "resnet50",
    "vgg16",
];

fn main() {
    divan::main();
}

fn model(name: &str) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/models");
    Model::from_toml_file(folder.join(name).with_extension("toml")).expect("a network of the zoo")
}

fn compiled(model: &Model, batch: usize, threads: Option<usize>) -> Network {
    let options = Options {
        batch,
        threads,
        ..Options::default()
    };
    model
        .compile(&Weights::random(0), &options)
        .expect("made-up weights fit and the machine has the memory")
}

fn run(bencher: Bencher<'_, '_>, name: &str, batch: usize, threads: Option<usize>) {
    let model = model(name);
    let network = compiled(&model, batch, threads);
    let elements = |shape: Vec<usize>| shape.iter().product::<usize>();
    let inputs: Vec<Vec<f32>> = network
        .inputs()
        .iter()
        .map(|port| cnn::random_input(&port.name, elements(port.batched(batch)), 0))
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<Vec<f32>> = network
        .outputs()
        .iter()
        .map(|port| vec![0.0; elements(port.batched(batch))])
        .collect();
    let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    bencher
        .counter(ItemsCount::new(model.macs() * batch as u64))
        .bench_local(|| {
            network
                .run_into(black_box(&inputs), &mut outputs)
                .expect("inputs that fit")
        });
}

#[divan::bench(args = NETWORKS)]
fn one_thread(bencher: Bencher<'_, '_>, name: &str) {
    run(bencher, name, 1, Some(1));
}

#[divan::bench(args = NETWORKS)]
fn all_cores(bencher: Bencher<'_, '_>, name: &str) {
    run(bencher, name, 1, None);
}

#[divan::bench(args = ["mobilenet_v2", "resnet18"], sample_count = 20)]
fn batch_of_eight(bencher: Bencher<'_, '_>, name: &str) {
    run(bencher, name, 8, None);
}

/// From the model's text to code and packed weights; making the weights up is part of it.
#[divan::bench(args = ["lenet5", "squeezenet1_1", "resnet18", "resnet50"], sample_count = 10)]
fn compile(bencher: Bencher<'_, '_>, name: &str) {
    bencher.bench_local(|| compiled(&model(black_box(name)), 1, None));
}
