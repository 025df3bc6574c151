//! Plans with one number changed: each is refused, or runs with every buffer between pages that nobody may touch.
//!
//! What a plan that passes computes is compared only where the number is a hint (what is fetched ahead): it must be the
//! same to the bit. Any other number makes another plan, of another network for all that the verifier can know: an index
//! map with one other entry, a pool with one other side are as good as what they were. That the planner's own plans compute
//! what the interpreter does is tested elsewhere (`tests/{corpus,random,wide,zoo}.rs`); here it is that whatever passes the
//! verifier stays in its memory, and that only what it may be wrong in, is.
//!
//! Whoever builds a [`Plan`] outside this crate is the planner; these tests can change one, to see that the verifier would
//! refuse whatever leaves its memory.

mod guarded;
mod numbers;

use std::hash::{DefaultHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cnn_ir::front::graph_from_toml;
use cnn_ir::passes::{expand, optimise};
use cnn_ir::validate::validate;
use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::memory::Caches;
use cnn_runtime::steps::StepFn;
use cnn_runtime::threads::ThreadPool;

use super::code_memory::CodeMemory;
use super::generate;
use crate::loops::Operand;
use crate::plan::{self, Algorithm, Plan, PlanData, PlanOptions};
use guarded::Guarded;
use numbers::{Number, Numbers};

/// Layers of every kind of step, as in `tests/threads/everything.toml`, but small: they are compiled anew for each change,
/// while those are large enough to be divided between threads. Convolutions direct and by Winograd, grouped, depthwise, transposed; parts of a
/// concatenation; an index map, an interpolation, matrices; what is elementwise with and without constants; recurrent
/// layers in both directions, with states and without.
const EVERYTHING: &str = r#"
    [inputs]
    image = [16, 9, 10]
    [[layer]]
    name = "a"
    op = "conv"
    filters = 24
    kernel = 3
    padding = 1
    activation = "relu"
    [[layer]]
    name = "grouped"
    op = "conv"
    filters = 20
    kernel = [1, 3]
    groups = 4
    padding = [0, 1]
    activation = "tanh"
    [[layer]]
    name = "depthwise"
    op = "conv"
    filters = 24
    groups = 24
    kernel = 3
    padding = 1
    from = "a"
    [[layer]]
    name = "joined"
    op = "concat"
    from = ["a", "depthwise", "grouped"]
    [[layer]]
    name = "norm"
    op = "batch_norm"
    [[layer]]
    name = "slopes"
    op = "prelu"
    [[layer]]
    name = "pool"
    op = "max_pool"
    size = 3
    stride = 2
    padding = 1
    [[layer]]
    name = "average"
    op = "avg_pool"
    size = 2
    [[layer]]
    name = "shuffle"
    op = "channel_shuffle"
    groups = 4
    [[layer]]
    name = "larger"
    op = "upsample"
    scale = 2
    mode = "bilinear"
    [[layer]]
    name = "up"
    op = "conv_transpose"
    filters = 8
    kernel = 3
    stride = 2
    [[layer]]
    name = "response"
    op = "lrn"
    size = 5
    [[layer]]
    name = "square"
    op = "matmul"
    from = ["response", "response"]
    [[layer]]
    name = "few"
    op = "adaptive_avg_pool"
    size = [2, 2]
    [[layer]]
    name = "chances"
    op = "softmax"
    [[layer]]
    name = "one"
    op = "conv"
    filters = 16
    kernel = 1
    [[layer]]
    name = "sum"
    op = "add"
    from = ["one", "one"]
    [[layer]]
    name = "whole"
    op = "global_avg_pool"
    [[layer]]
    name = "flat"
    op = "flatten"
    [[layer]]
    name = "dense"
    op = "dense"
    units = 20
    [[layer]]
    name = "sequence"
    op = "lstm"
    units = 5
    direction = "both"
    from = "square"
    [[layer]]
    name = "backwards"
    op = "gru"
    units = 9
    direction = "reverse"
    [[layer]]
    name = "largest"
    op = "reduce_max"
    axes = [1]
"#;

/// Plans of the layers for different machines and options.
fn plans() -> Vec<Plan> {
    let (mut raw, _) = graph_from_toml(EVERYTHING).expect("a valid declaration");
    let mut optimised = raw.clone();
    optimise(&mut optimised).expect("a valid graph");
    expand(&mut raw).expect("a valid graph");
    let small = Caches {
        second: 4 << 10,
        last: 1 << 12,
    };
    let mut options = vec![
        PlanOptions {
            batch: 2,
            threads: 3,
            caches: small,
            force: Some(Algorithm::Direct),
            ..PlanOptions::default()
        },
        PlanOptions {
            batch: 2,
            force: Some(Algorithm::Winograd(Winograd::F2x3)),
            ..PlanOptions::default()
        },
    ];
    options.extend(Isa::available().into_iter().map(|isa| PlanOptions {
        isa: isa.set(),
        ..PlanOptions::default()
    }));
    let build = |(graph, options): (&_, &_)| plan::build(graph, &validate(graph).expect("a valid graph"), options);
    let graphs = [&raw, &optimised]
        .into_iter()
        .flat_map(|graph| options.iter().map(move |one| (graph, one)));
    graphs.map(|one| build(one).expect("a plan")).collect()
}

/// Another number, near or far.
fn changed(number: i128, random: &mut fastrand::Rng) -> i128 {
    let far = [
        0,
        1,
        -1,
        i128::from(i64::MAX),
        i128::from(i64::MIN),
        i128::from(u64::MAX),
        1 << 32,
        (1 << 32) + 1,
    ];
    match random.u8(..8) {
        0 => number + 1,
        1 => number - 1,
        2 => number * 2,
        3 => number + 8,
        4 => number - 32,
        5 => number + 32,
        6 => 1 << random.u8(..64),
        _ => far[random.usize(..far.len())],
    }
}

/// Changes the number of that index; how many there are, and whether this one is a hint.
fn change(plan: &mut PlanData, index: usize, random: &mut fastrand::Rng) -> (usize, bool) {
    let (mut next, mut hint) = (0, false);
    Numbers(|number: Number<'_>| {
        if next == index {
            hint = matches!(number, Number::Ahead(_) | Number::Prefetch(_));
            // What does not fit wraps around: that is a number too.
            match number {
                Number::Size(size) => *size = changed(*size as i128, random) as usize,
                Number::Bytes(bytes) => *bytes = changed(i128::from(*bytes), random) as i64,
                Number::Offset(offset) => *offset = changed(i128::from(*offset), random) as i32,
                Number::Count(count) => *count = changed(i128::from(*count), random) as u32,
                Number::Ahead(bytes) => *bytes = changed(i128::from(*bytes), random) as i64,
                Number::Prefetch(bytes) => *bytes = changed(i128::from(*bytes), random) as u32,
            }
        }
        next += 1;
    })
    .plan(plan);
    (next, hint)
}

/// Runs all steps of a plan that is verified; a digest of all buffers after it.
fn run(plan: &Plan, pool: &ThreadPool, at_end: bool) -> u64 {
    let code = generate(plan, pool, false).expect("what the verifier passes is compiled");
    let memory =
        CodeMemory::new(&code.image, Isa::new(plan.isa).unwrap_or(Isa::PORTABLE)).expect("there is memory for it");
    let sizes = plan.buffers.iter().map(|buffer| (buffer.bytes, 0.5));
    let buffers: Vec<Guarded> = sizes.map(|(bytes, fill)| Guarded::new(bytes, at_end, fill)).collect();
    let floats = plan.constants.iter().map(|constant| constant.recipe.floats());
    let constants: Vec<Guarded> = floats.map(|floats| Guarded::new(floats * 4, at_end, 0.01)).collect();
    let scratch = Guarded::new(plan.scratch_bytes(), at_end, 0.0);
    for step in &code.program.steps {
        let address = |operand: &Operand| match *operand {
            Operand::Buffer(buffer) => buffers[buffer.0].start,
            Operand::Constant(constant) => constants[constant.0].start,
        };
        let operands: Vec<*mut u8> = step.operands.iter().map(address).collect();
        let function = memory.function(code.functions()[step.function]);
        // SAFETY: a step's function with its operands; that it stays within them is what is tested.
        unsafe {
            let function = std::mem::transmute::<*const u8, StepFn>(function);
            function(operands.as_ptr(), 0, step.tasks, scratch.start);
        }
    }
    let mut digest = DefaultHasher::new();
    buffers.iter().for_each(|buffer| digest.write(buffer.bytes()));
    digest.finish()
}

/// How a run in a process of its own ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Ran,
    /// It takes more than a second of the processor: loops may be as long as they stay in place.
    Long,
    /// It left other bytes than expected.
    Different,
    /// The status that `waitpid` told.
    Fault(i32),
}

/// Runs a plan in a child, so that one that is long can be stopped and one that faults can be named.
fn run_in_child(plan: &Plan, pool: &ThreadPool, at_end: bool, expected: Option<u64>) -> End {
    // SAFETY: the child has this thread alone, uses no lock that another could hold (the pool is of no other thread, glibc
    // keeps its allocator usable), and ends without what `exit` would run.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0, "no process");
        if child == 0 {
            let second = libc::rlimit {
                rlim_cur: 1,
                rlim_max: 2,
            };
            libc::setrlimit(libc::RLIMIT_CPU, &raw const second);
            let ran = catch_unwind(AssertUnwindSafe(|| run(plan, pool, at_end)));
            libc::_exit(match ran {
                Ok(digest) if expected.is_none_or(|expected| expected == digest) => 0,
                Ok(_) => DIFFERENT,
                Err(_) => 1,
            });
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        match status {
            0 => End::Ran,
            _ if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == DIFFERENT => End::Different,
            _ if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGXCPU => End::Long,
            _ => End::Fault(status),
        }
    }
}

/// Bytes that the run of a plan takes.
fn taken(plan: &PlanData) -> u128 {
    let buffers = plan.buffers.iter().map(|buffer| buffer.bytes as u128);
    let constants = plan.constants.iter().map(|one| one.recipe.floats() as u128 * 4);
    buffers.chain(constants).sum::<u128>() + plan.scratch_bytes() as u128
}

/// The exit code of a child whose buffers hold what was not expected.
const DIFFERENT: i32 = 3;
/// Changes of each plan.
const CHANGES: usize = 120;
/// A run that takes more memory would be refused by the budget.
const MOST: u128 = 256 << 20;

#[test]
fn a_changed_plan_is_refused_or_stays_within_its_memory() {
    let pool = ThreadPool::new(1).expect("a pool of this thread");
    let mut random = fastrand::Rng::with_seed(11);
    let (mut refused, mut ran, mut long, mut same) = (0, 0, 0, 0);
    for plan in plans() {
        let digest = run(&plan, &pool, true);
        assert_eq!(run_in_child(&plan, &pool, true, Some(digest)), End::Ran);
        assert_eq!(run_in_child(&plan, &pool, false, Some(digest)), End::Ran);
        let (count, _) = change(&mut PlanData::clone(&plan), usize::MAX, &mut random);
        for _ in 0..CHANGES {
            let mut data = PlanData::clone(&plan);
            let index = random.usize(..count);
            let (_, hint) = change(&mut data, index, &mut random);
            if plan::verify(&data).is_err() || taken(&data) > MOST {
                refused += 1;
                continue;
            }
            let at_end = random.bool();
            match run_in_child(&Plan::new(data), &pool, at_end, hint.then_some(digest)) {
                End::Ran => ran += 1,
                End::Long => long += 1,
                fault @ (End::Different | End::Fault(_)) => panic!("{fault:?} with number {index} changed"),
            }
        }
    }
    // Hints are few among the numbers: all are changed once.
    let plan = &plans()[0];
    let digest = run(plan, &pool, true);
    let (count, _) = change(&mut PlanData::clone(plan), usize::MAX, &mut random);
    for index in 0..count {
        let mut data = PlanData::clone(plan);
        let (_, hint) = change(&mut data, index, &mut random);
        if hint && same < CHANGES && plan::verify(&data).is_ok() {
            assert_eq!(
                run_in_child(&Plan::new(data), &pool, true, Some(digest)),
                End::Ran,
                "number {index}"
            );
            same += 1;
        }
    }
    assert!(same > 20, "{same} hints");
    // About half of the numbers are entries of index maps and the like, which may be others.
    assert!(
        ran > 100 && refused > 100,
        "{refused} refused, {ran} ran, {long} stopped"
    );
}
