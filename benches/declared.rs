//! Networks as `cnn!` emits them beside the same as the JIT compiles them, run in turns: `cargo bench --bench declared`.
//!
//! For each, the median of the rounds' ratios, and each one's least time.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Instant;

use cnn::{Caches, Error, Model, Options, Weights, cnn, rt};

cnn! {
    network LeNet5 = "examples/models/lenet5.toml";
    network LeNet5On2 = "examples/models/lenet5.toml", threads = 2;
    network MobileNetV2 = "examples/models/mobilenet_v2.toml";
    network MobileNetV2On2 = "examples/models/mobilenet_v2.toml", threads = 2;
    network ResNet18 = "examples/models/resnet18.toml";
    network ResNet18On2 = "examples/models/resnet18.toml", threads = 2;
    network GoogLeNet = "examples/models/googlenet_torchvision.toml";
    network GoogLeNetOn2 = "examples/models/googlenet_torchvision.toml", threads = 2;
}

const ROUNDS: usize = 31;
/// Seconds of a round, at least.
const ROUND: f64 = 0.03;

/// Microseconds a run, over as many runs as fill a round.
fn time(run: &mut dyn FnMut(), runs: u32) -> f64 {
    let start = Instant::now();
    (0..runs).for_each(|_| run());
    start.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
}

fn compare(name: &str, threads: usize, declared: &mut dyn FnMut(), compiled: &mut dyn FnMut()) {
    let once = time(declared, 3).max(time(compiled, 3)) / 1e6;
    let runs = (ROUND / once).ceil().max(1.0) as u32;
    let mut rounds: Vec<[f64; 2]> = (0..ROUNDS)
        .map(|_| [time(declared, runs), time(compiled, runs)])
        .collect();
    let least = |which: usize| rounds.iter().map(|round| round[which]).fold(f64::MAX, f64::min);
    let (declared, compiled) = (least(0), least(1));
    rounds.sort_by(|a, b| (a[0] / a[1]).total_cmp(&(b[0] / b[1])));
    let [median_declared, median_compiled] = rounds[ROUNDS / 2];
    let ratio = median_declared / median_compiled;
    println!("{name:<24} {threads:>7} {declared:>12.1} {compiled:>12.1} {ratio:>10.3}");
}

/// A network as emitted, ready to run on slices.
type Run = Box<dyn Fn(&[&[f32]], &mut [&mut [f32]]) -> Result<(), rt::LengthError>>;

/// Loads a network.
type Load = fn(&Weights) -> Result<Run, rt::LoadError>;

/// Compares a network as emitted for one thread and for two.
fn network(name: &str, loads: [Load; 2]) -> Result<(), Error> {
    let weights = Weights::random(0);
    let model = Model::builtin(name)?;
    let elements = |ports: Vec<cnn::Port>| ports[0].shape.iter().product::<usize>();
    let input = cnn::random_input("image", elements(model.inputs()), 0);
    let mut outputs = [(); 2].map(|()| vec![0.0; elements(model.outputs())]);
    for (load, threads) in loads.into_iter().zip(1..) {
        let declared = load(&weights).map_err(|error| Error::Limit(error.to_string()))?;
        let options = Options {
            threads: Some(threads),
            caches: Caches::TYPICAL,
            ..Options::default()
        };
        let compiled = model.compile(&weights, &options)?;
        let [first, second] = &mut outputs;
        let mut declared = || declared(&[&input], &mut [first]).expect("arrays of its sizes");
        let mut compiled = || {
            compiled
                .run_into(&[&input], &mut [second])
                .expect("arrays of its sizes")
        };
        compare(name, threads, &mut declared, &mut compiled);
    }
    Ok(())
}

macro_rules! declared {
    ($network:ident) => {
        |weights| {
            let network = $network::load(weights)?;
            Ok(Box::new(move |inputs, outputs| network.run_slices(inputs, outputs)))
        }
    };
}

fn main() -> Result<(), Error> {
    println!("network                  threads  declared µs  compiled µs  declared ÷ compiled");
    network("lenet5", [declared!(LeNet5), declared!(LeNet5On2)])?;
    network("mobilenet_v2", [declared!(MobileNetV2), declared!(MobileNetV2On2)])?;
    network("resnet18", [declared!(ResNet18), declared!(ResNet18On2)])?;
    network("googlenet_torchvision", [declared!(GoogLeNet), declared!(GoogLeNetOn2)])
}
