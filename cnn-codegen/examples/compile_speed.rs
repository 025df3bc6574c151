//! Measures compiling, phase by phase, the first time in a process and the best of many:
//! `cargo run --release -p cnn-codegen --example compile_speed -- examples/models/lenet5.toml`.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use cnn_codegen::loops::Program;
use cnn_codegen::plan::{self, PlanOptions};
use cnn_codegen::{jit, tile};
use cnn_ir::front::graph_from_toml;
use cnn_ir::passes::optimise;
use cnn_ir::validate::validate;
use cnn_runtime::weights::Synthetic;

/// How long a phase is repeated.
const TIME: Duration = Duration::from_millis(500);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which model? give the path of a TOML file")?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let text = std::fs::read_to_string(path)?;
    println!("{:24} {:>10} {:>10}", "milliseconds", "first", "best");

    let (graph, _) = phase("TOML → graph", || graph_from_toml(&text)).map_err(|faults| format!("{faults:?}"))?;
    let optimised = phase("passes", || {
        let mut graph = graph.clone();
        optimise(&mut graph).map(|_| graph)
    });
    let graph = optimised.map_err(|invalid| invalid.to_string())?;
    let shapes = phase("shapes", || validate(&graph)).map_err(|faults| format!("{faults:?}"))?;
    let options = PlanOptions {
        isa: cnn_runtime::kernels::Isa::detect().set(),
        threads,
        ..PlanOptions::default()
    };
    let plan = phase("graph → plan", || plan::build(&graph, &shapes, &options))?;
    let program = phase("plan → loop code", || Program::new(&plan)).map_err(|faults| format!("{faults:?}"))?;
    phase("tile kernels", || {
        let code = |spec| tile::assemble(spec).map(|code| code.len());
        program.kernels.iter().map(code).sum::<Result<usize, _>>()
    })?;
    // All from the plan on: loop code, kernels, Cranelift, packing, threads.
    phase("plan → executable", || {
        jit::compile(&plan, &Synthetic::default(), threads).map(drop)
    })?;
    println!(
        "{} step functions, {} kernels",
        program.functions.len(),
        program.kernels.len()
    );
    Ok(())
}

/// Runs a phase again and again, prints the time of the first and of the quickest, and gives what it made.
fn phase<T>(name: &str, mut work: impl FnMut() -> T) -> T {
    let begin = Instant::now();
    let mut result = black_box(work());
    let first = begin.elapsed();
    let mut best = first;
    while begin.elapsed() < TIME {
        let start = Instant::now();
        result = black_box(work());
        best = best.min(start.elapsed());
    }
    let [first, best] = [first, best].map(|time| time.as_secs_f64() * 1e3);
    println!("{name:24} {first:10.3} {best:10.3}");
    result
}
