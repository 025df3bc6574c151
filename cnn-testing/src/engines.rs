//! Everything that can run a graph, and the graphs that a model file gives: what all comparisons loop over.

use std::io::Write;
use std::sync::Arc;

use cnn_codegen::interp::Interpreter;
use cnn_codegen::jit::{self, CodePages, Executable, Object, StoredConstants};
use cnn_codegen::plan::{self, Accuracy, Algorithm, InstructionSet, Plan, PlanOptions};
use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::passes::{expand, optimise};
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::memory::Caches;
use cnn_runtime::weights::{MappedFile, WeightSource};

/// A compiled network: inputs in, outputs out, both in the network's order.
pub type Run = Box<dyn Fn(&[&[f32]]) -> Vec<Vec<f32>>>;

/// A back end under test.
pub struct Engine {
    /// Its name in messages.
    pub name: &'static str,
    /// How far from f64 arithmetic its outputs may be, in units of the largest element.
    pub tolerance: f64,
    /// Of many random networks, it runs every so many.
    pub every: u64,
    /// Compiles a graph for a batch size.
    pub compile: fn(&Network, &dyn WeightSource, usize) -> Run,
}

/// All back ends.
pub const ENGINES: &[Engine] = &[
    Engine {
        name: "interp",
        tolerance: 1e-6,
        every: 1,
        compile: |network, weights, batch| {
            let interpreter = Interpreter::new(&network.graph, &network.shapes, weights).expect("weights load");
            Box::new(move |inputs| interpreter.run(inputs, batch).expect("inputs fit"))
        },
    },
    Engine {
        name: "jit",
        tolerance: 1e-5,
        every: 1,
        compile: |network, weights, batch| jit(network, weights, batch, 1, &EXACT),
    },
    Engine {
        name: "jit, 2 threads",
        tolerance: 1e-5,
        every: 5,
        compile: |network, weights, batch| jit(network, weights, batch, 2, &EXACT),
    },
    Engine {
        name: "jit, AVX-512",
        tolerance: 1e-5,
        every: 1,
        compile: |network, weights, batch| {
            let isa = InstructionSet::Avx512;
            jit(network, weights, batch, 1, &PlanOptions { isa, ..EXACT })
        },
    },
    Engine {
        name: "jit, Winograd F(4×4, 3×3), AVX-512, 2 threads",
        tolerance: 1e-4,
        every: 5,
        compile: |network, weights, batch| {
            let options = PlanOptions {
                isa: InstructionSet::Avx512,
                ..forced(Winograd::F4x3)
            };
            jit(network, weights, batch, 2, &options)
        },
    },
    Engine {
        name: "jit, portable tiles",
        tolerance: 1e-5,
        every: 5,
        compile: |network, weights, batch| {
            let isa = InstructionSet::Portable;
            jit(network, weights, batch, 1, &PlanOptions { isa, ..EXACT })
        },
    },
    Engine {
        name: "stored code, AVX-512, 2 threads",
        tolerance: 1e-5,
        every: 2,
        compile: |network, weights, batch| {
            let isa = InstructionSet::Avx512;
            stored(network, weights, batch, 2, &PlanOptions { isa, ..EXACT })
        },
    },
    Engine {
        name: "stored code, portable tiles",
        tolerance: 1e-5,
        every: 5,
        compile: |network, weights, batch| {
            let isa = InstructionSet::Portable;
            stored(network, weights, batch, 1, &PlanOptions { isa, ..EXACT })
        },
    },
    Engine {
        name: "jit, weights from memory",
        tolerance: 1e-5,
        every: 5,
        compile: |network, weights, batch| {
            let caches = SMALL_CACHES;
            jit(network, weights, batch, 2, &PlanOptions { caches, ..EXACT })
        },
    },
    Engine {
        name: "jit, Winograd F(2×2, 3×3)",
        tolerance: 2e-5,
        every: 5,
        compile: |network, weights, batch| jit(network, weights, batch, 1, &forced(Winograd::F2x3)),
    },
    Engine {
        name: "jit, Winograd F(4×4, 3×3)",
        tolerance: 1e-4,
        every: 5,
        compile: |network, weights, batch| jit(network, weights, batch, 1, &forced(Winograd::F4x3)),
    },
    Engine {
        name: "jit, Winograd F(4×4, 3×3), filters from memory",
        tolerance: 1e-4,
        every: 5,
        compile: |network, weights, batch| {
            // Dense layers keep all bits of their weights.
            let caches = Caches {
                last: Caches::TYPICAL.last,
                ..SMALL_CACHES
            };
            let options = PlanOptions {
                caches,
                ..forced(Winograd::F4x3)
            };
            jit(network, weights, batch, 2, &options)
        },
    },
    Engine {
        name: "jit, Winograd F(4×4, 5×5), 2 threads",
        tolerance: 1e-4,
        every: 5,
        compile: |network, weights, batch| jit(network, weights, batch, 2, &forced(Winograd::F4x5)),
    },
    Engine {
        name: "jit, Winograd F(4×4, 3×3), portable tiles",
        tolerance: 1e-4,
        every: 10,
        compile: |network, weights, batch| {
            let isa = InstructionSet::Portable;
            jit(
                network,
                weights,
                batch,
                1,
                &PlanOptions {
                    isa,
                    ..forced(Winograd::F4x3)
                },
            )
        },
    },
];

/// So small that all weights come from memory: what is done about that is done in the smallest networks.
const SMALL_CACHES: Caches = Caches {
    second: 1 << 10,
    last: 1 << 10,
};

const EXACT: PlanOptions = PlanOptions {
    batch: 1,
    isa: InstructionSet::Avx2,
    accuracy: Accuracy::Exact,
    threads: 1,
    caches: Caches::TYPICAL,
    force: None,
};

fn forced(variant: Winograd) -> PlanOptions {
    PlanOptions {
        accuracy: Accuracy::Fast,
        force: Some(Algorithm::Winograd(variant)),
        ..EXACT
    }
}

/// Runs on the best instruction set there is, and says so, where the one asked for is missing.
#[expect(clippy::print_stderr, reason = "a test that tests something else must say so")]
fn jit(network: &Network, weights: &dyn WeightSource, batch: usize, threads: usize, options: &PlanOptions) -> Run {
    let isa = Isa::new(options.isa).unwrap_or_else(|| {
        static ONCE: std::sync::Once = std::sync::Once::new();
        let best = Isa::detect();
        ONCE.call_once(|| {
            eprintln!(
                "skipped: this machine lacks {}; {best} instead",
                options.isa.description()
            )
        });
        best
    });
    let isa = isa.set();
    let options = PlanOptions {
        batch,
        isa,
        threads,
        ..options.clone()
    };
    let plan = plan::build(&network.graph, &network.shapes, &options).expect("a plan");
    run(jit::compile(&plan, weights, threads).expect("code"))
}

fn run(executable: Executable) -> Run {
    Box::new(move |inputs| {
        let plan = executable.plan();
        let mut outputs: Vec<Vec<f32>> = plan
            .outputs
            .iter()
            .map(|port| vec![f32::NAN; plan.batch * port.shape.elements()])
            .collect();
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(inputs, &mut slices).expect("inputs fit");
        outputs
    })
}

/// Code and constants go through a file, the plan through bytes. Where both may fuse multiply–adds the results are the
/// JIT's to the bit.
fn stored(network: &Network, weights: &dyn WeightSource, batch: usize, threads: usize, options: &PlanOptions) -> Run {
    let isa = Isa::new(options.isa).unwrap_or(Isa::detect()).set();
    let options = PlanOptions {
        batch,
        isa,
        threads,
        ..options.clone()
    };
    let plan = plan::build(&network.graph, &network.shapes, &options).expect("a plan");
    let object = Object::new(&plan, weights, threads).expect("code");
    let offset = object.code.len().next_multiple_of(64);
    let mut file = tempfile::tempfile().expect("a file");
    let padding = vec![0; offset - object.code.len()];
    for bytes in [&object.code, &padding, object.constants.bytes()] {
        file.write_all(bytes).expect("room for it");
    }
    let code = CodePages::map(&file, 0, object.code.len()).expect("mapped");
    assert!(
        Executable::matches(&plan, &object.linkage, &code, 1).expect("code"),
        "another time, other code"
    );
    let constants = StoredConstants {
        file: Arc::new(MappedFile::of(&file).expect("mapped")),
        offset,
    };
    let plan = Plan::from_bytes(&plan.to_bytes().expect("bytes")).expect("a sound plan");
    let in_memory = (isa != InstructionSet::Portable).then(|| jit(network, weights, batch, threads, &options));
    let executable = Executable::load(plan, &object.linkage, code, constants, threads).expect("it fits");
    let run = run(executable);
    Box::new(move |inputs| {
        let outputs = run(inputs);
        if let Some(in_memory) = &in_memory {
            let bits = |outputs: &[Vec<f32>]| outputs.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&outputs), bits(&in_memory(inputs)));
        }
        outputs
    })
}

/// A valid graph.
pub struct Network {
    /// `raw` or `optimised`.
    pub stage: &'static str,
    /// As declared (in operators of the core), or after all passes.
    pub graph: Graph,
    /// Its shapes.
    pub shapes: Shapes,
}

/// The graph of a model file as declared and after all passes.
pub fn networks(toml: &str) -> [Network; 2] {
    let fail = |diagnostics| -> ! { panic!("{diagnostics:#?}\n{toml}") };
    let (mut raw, _) = graph_from_toml(toml).unwrap_or_else(|diagnostics| fail(diagnostics));
    let mut optimised = raw.clone();
    expand(&mut raw).unwrap_or_else(|invalid| panic!("{invalid}\n{toml}"));
    optimise(&mut optimised).unwrap_or_else(|invalid| panic!("{invalid}\n{toml}"));
    [("raw", raw), ("optimised", optimised)].map(|(stage, graph)| Network {
        stage,
        shapes: validate(&graph).unwrap_or_else(|diagnostics| fail(diagnostics)),
        graph,
    })
}
