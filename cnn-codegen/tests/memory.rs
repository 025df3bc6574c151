//! Networks that reach the limits of what emitted code may touch: many operands, sizes that only just fit.

use std::fmt::Write;

use cnn_codegen::jit;
use cnn_codegen::plan::{self, Gather, Interpolate, Plan, PlanData, PlanOptions, PoolWindow, Sweep, View, Work};
use cnn_ir::shape::Shape;
use cnn_runtime::weights::{Synthetic, synthetic_input};
use cnn_testing::distance::distance;
use cnn_testing::engines::{ENGINES, networks};

/// Runs a network of one input on every engine.
fn agree(toml: &str, elements: usize, batch: usize) {
    let networks = networks(toml);
    let weights = Synthetic { seed: 7 };
    let image = synthetic_input("image", batch * elements, 7);
    let expected = (ENGINES[0].compile)(&networks[0], &weights, batch)(&[&image]);
    for engine in &ENGINES[1..] {
        for network in &networks {
            let found = (engine.compile)(network, &weights, batch)(&[&image]);
            for (expected, found) in expected.iter().zip(&found) {
                let distance = distance(expected, found);
                assert!(
                    distance <= engine.tolerance,
                    "{}, {}: {distance}",
                    engine.name,
                    network.stage
                );
            }
        }
    }
}

/// The sum of so many convolutions.
fn sum(operands: usize) -> String {
    let mut toml = "[inputs]\nimage = [5, 6, 7]\n".to_owned();
    let mut names = Vec::new();
    for index in 0..operands {
        let _ = write!(
            toml,
            "\n[[layer]]\nname = \"c{index}\"\nop = \"conv\"\nfrom = \"image\"\nfilters = 11\nkernel = 1\n"
        );
        names.push(format!("\"c{index}\""));
    }
    let names = names.join(", ");
    let _ = write!(toml, "\n[[layer]]\nname = \"sum\"\nop = \"add\"\nfrom = [{names}]\n");
    toml
}

#[test]
fn a_sum_may_have_any_number_of_operands() {
    for operands in [2, 7, 8, 20] {
        agree(&sum(operands), 5 * 6 * 7, 2);
    }
}

/// Eight channels are one vector: what stands in the lanes behind the last must not reach anything.
#[test]
fn quotients_behind_the_last_channel_are_not_seen() {
    let quotient =
        |divisor: &str| format!("\n[[layer]]\nname = \"ratio\"\nop = \"div\"\nfrom = [\"image\", \"{divisor}\"]\n");
    let mean = "\n[[layer]]\nname = \"mean\"\nop = \"global_avg_pool\"\n";
    for channels in [1, 5, 11] {
        let image = format!("[inputs]\nimage = [{channels}, 6, 7]\n");
        for ratio in [quotient("image"), format!("{mean}{}", quotient("mean"))] {
            for next in [
                "op = \"conv\"\nfilters = 9\nkernel = 3",
                "op = \"softmax\"",
                "op = \"lrn\"",
                "op = \"flatten\"",
            ] {
                let next = format!("\n[[layer]]\nname = \"next\"\n{next}\n");
                agree(&format!("{image}{ratio}{next}"), channels * 6 * 7, 2);
            }
        }
    }
}

/// A plan with everything that can be wrong: sweeps, a concatenation, a pool, an elementwise step, elements taken by
/// index maps, an interpolation, a dense layer.
fn plan() -> Plan {
    let toml = r#"
        [inputs]
        image = [5, 9, 10]

        [[layer]]
        name = "a"
        op = "conv"
        filters = 32
        kernel = 3
        padding = "same"
        activation = "tanh"

        [[layer]]
        name = "b"
        op = "conv"
        filters = 13
        kernel = 3
        padding = "same"

        [[layer]]
        name = "ab"
        op = "concat"
        from = ["a", "b"]

        [[layer]]
        name = "norm"
        op = "batch_norm"

        [[layer]]
        name = "max_pool"
        op = "max_pool"
        size = 2

        [[layer]]
        name = "slice"
        op = "slice"
        axis = 0
        start = 3
        step = 2

        [[layer]]
        name = "resize"
        op = "resize"
        size = [3, 7]
        mode = "bilinear"

        [[layer]]
        name = "flatten"
        op = "flatten"

        [[layer]]
        name = "dense"
        op = "dense"
        units = 20
    "#;
    let network = &networks(toml)[0];
    let options = PlanOptions {
        batch: 2,
        ..PlanOptions::default()
    };
    plan::build(&network.graph, &network.shapes, &options).expect("a plan")
}

/// The message about a plan after a change.
fn fault(change: impl Fn(&mut PlanData)) -> String {
    let mut plan = PlanData::clone(&plan());
    assert_eq!(plan::verify(&plan), Ok(()));
    change(&mut plan);
    let faults = plan::verify(&plan).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The first step whose work is of a kind.
fn find<'a, T: ?Sized>(plan: &'a mut PlanData, pick: impl Fn(&'a mut Work) -> Option<&'a mut T>) -> &'a mut T {
    plan.steps
        .iter_mut()
        .find_map(|step| pick(&mut step.work))
        .expect("such a step")
}

fn sweep(plan: &mut PlanData) -> &mut Sweep {
    find(plan, |work| match work {
        Work::Sweep(sweep) => Some(&mut **sweep),
        _ => None,
    })
}

#[test]
fn a_plan_that_leaves_its_memory_is_refused() {
    let says = |change: fn(&mut PlanData), expected: &str| {
        let found = fault(change);
        assert!(found.contains(expected), "expected {expected}, found {found}");
    };
    says(|plan| plan.buffers[1].bytes -= 4, "has not the size of its layout");
    says(
        |plan| plan.buffers[1].strides.image -= 8,
        "has not the size of its layout",
    );
    says(
        |plan| plan.inputs[0].shape = Shape::map(5, 9, 9),
        "is not the user's array",
    );
    says(|plan| plan.arena_bytes -= 64, "ends after the arena");
    says(|plan| sweep(plan).start.input -= 4, "of their input");
    says(|plan| sweep(plan).nest.panels.count += 1, "of their weights");
    says(|plan| sweep(plan).nest.images.count += 1, "of their output");
    let pool = |plan: &mut PlanData, change: fn(&mut PoolWindow)| {
        change(find(plan, |work| match work {
            Work::Pool(pool) => Some(pool),
            _ => None,
        }));
    };
    let fault_of_pool = fault(|plan| pool(plan, |pool| pool.input.channel += 8));
    assert!(fault_of_pool.contains("ends after"), "{fault_of_pool}");
    let fault_of_pool = fault(|plan| pool(plan, |pool| pool.output.shape = Shape::map(45, 5, 5)));
    assert!(fault_of_pool.contains("ends after"), "{fault_of_pool}");
    let fault_of_pool = fault(|plan| pool(plan, |pool| pool.output.shape = Shape::map(40, 4, 5)));
    assert!(fault_of_pool.contains("do not fit each other"), "{fault_of_pool}");
    let gather = |change: fn(&mut Gather)| {
        fault(|plan| {
            change(find(plan, |work| match work {
                Work::Gather(gather) => Some(gather),
                _ => None,
            }));
        })
    };
    let changes: [fn(&mut Gather); 4] = [
        |gather| gather.index_map[0][20] += 6 * 4 * 5 * 8,
        |gather| gather.index_map[1][3] += 8 * 6,
        |gather| gather.index_map[2][0] = usize::MAX,
        |gather| gather.index_map[2].truncate(4),
    ];
    for change in changes {
        let found = gather(change);
        assert!(found.contains("do not fit each other"), "{found}");
    }
    let interpolate = |change: fn(&mut Interpolate)| {
        fault(|plan| {
            change(find(plan, |work| match work {
                Work::Interpolate(interpolate) => Some(interpolate),
                _ => None,
            }));
        })
    };
    let changes: [fn(&mut Interpolate); 3] = [
        |interpolate| interpolate.rows[2].second = 4,
        |interpolate| interpolate.columns[0].first = 5,
        |interpolate| interpolate.columns.truncate(6),
    ];
    for change in changes {
        let found = interpolate(change);
        assert!(found.contains("do not fit each other"), "{found}");
    }
}

#[test]
fn matrices_that_do_not_fit_are_refused() {
    let toml =
        "[inputs]\nimage = [3, 4, 4]\n\n[[layer]]\nname = \"square\"\nop = \"matmul\"\nfrom = [\"image\", \"image\"]\n";
    let network = &networks(toml)[0];
    let plan = plan::build(&network.graph, &network.shapes, &PlanOptions::default()).expect("a plan");
    assert_eq!(plan::verify(&plan), Ok(()));
    let shapes: [fn(&mut View, &mut View, &mut View); 4] = [
        |left, _, _| left.shape = Shape::map(3, 4, 3),
        |_, right, _| right.shape = Shape::map(2, 4, 4),
        |_, _, output| output.shape = Shape::map(3, 5, 4),
        |left, _, output| *output = *left,
    ];
    for change in shapes {
        let mut plan = PlanData::clone(&plan);
        for step in &mut plan.steps {
            if let Work::Matmul { left, right, output } = &mut step.work {
                change(left, right, output);
            }
        }
        assert!(plan::verify(&plan).is_err());
    }
}

/// A layer that no plan is made for, and what is said about it.
#[track_caller]
fn beyond(layer: &str, expected: &str) {
    let toml = format!("[inputs]\nimage = [1, 3, 4]\n\n[[layer]]\nname = \"wide\"\n{layer}\n");
    let network = &networks(&toml)[0];
    let found = plan::build(&network.graph, &network.shapes, &PlanOptions::default()).expect_err("a limit");
    assert_eq!(found.to_string(), expected);
}

#[test]
fn code_larger_than_any_networks_is_refused() {
    beyond(
        "op = \"resize\"\nsize = [1, 2147483647]",
        "layer `wide`: the index map of [1, 1, 2147483647] is more than compiled code holds",
    );
    beyond(
        "op = \"conv_transpose\"\nfilters = 1\nkernel = 1\nstride = [100, 65536]",
        "layer `wide`: its strides make 6553600 convolutions of it, more than compiled code holds",
    );
}

#[test]
fn a_plan_whose_tasks_interfere_is_refused() {
    let says = |change: fn(&mut PlanData), expected: &str| {
        let found = fault(change);
        assert!(found.contains(expected), "expected {expected}, found {found}");
    };
    says(|plan| sweep(plan).nest.images.step.output = 32, "two images write");
    says(|plan| sweep(plan).nest.panels.step.output -= 32, "evenly apart");
    says(
        |plan| sweep(plan).nest.regions[0].segments[0].start.output += 32,
        "other places than its task wrote",
    );
    says(
        |plan| sweep(plan).nest.regions[0].runs[0].1 -= 8,
        "other places than its task wrote",
    );
    says(
        |plan| sweep(plan).nest.regions[0].rows.step.output -= 32,
        "two tiles write",
    );
    says(
        |plan| {
            let elementwise = find(plan, |work| match work {
                Work::Elementwise(elementwise) => Some(elementwise),
                _ => None,
            });
            let shape = Shape::map(16, 9, 10);
            elementwise.operands = vec![View {
                channel: 0,
                shape,
                ..elementwise.output
            }];
            elementwise.output = View {
                channel: 8,
                shape,
                ..elementwise.output
            };
        },
        "reads what other tasks of it write",
    );
}

#[test]
fn an_absurd_batch_is_an_error() {
    let toml = sum(20);
    let network = &networks(&toml)[0];
    for bits in [30, 36, 45, 50, 63] {
        let options = PlanOptions {
            batch: 1 << bits,
            ..PlanOptions::default()
        };
        let weights = Synthetic { seed: 7 };
        if let Ok(plan) = plan::build(&network.graph, &network.shapes, &options) {
            assert!(jit::compile(&plan, &weights, 1).is_err(), "2^{bits} images");
        }
    }
}

#[test]
fn steps_beyond_every_map_are_planned() {
    for layer in [
        "op = \"conv\"\nfilters = 9\nkernel = 1\nstride = 2147483647",
        "op = \"conv\"\nfilters = 9\nkernel = 1\ndilation = 2147483647",
        "op = \"conv\"\nfilters = 9\nkernel = [1, 3]\nstride = [2147483647, 1]\npadding = \"same\"",
        "op = \"conv\"\nfilters = 3\nkernel = 1\ngroups = 3\nstride = 2147483647",
        "op = \"max_pool\"\nsize = 1\nstride = 2147483647",
        "op = \"avg_pool\"\nsize = 3\nstride = 2147483647",
        "op = \"max_pool\"\nsize = 1\nstride = 1\ndilation = 2147483647",
        "op = \"avg_pool\"\nsize = 2\nstride = 1\ndilation = 4\npadding = 2\ncount_include_pad = true",
        "op = \"avg_pool\"\nsize = [300, 3]\nstride = 1\ndilation = [1, 3]\npadding = [150, 3, 150, 3]\n\
         count_include_pad = true",
        "op = \"max_pool\"\nsize = [300, 1]\nstride = [1, 1]\npadding = [150, 0, 150, 0]",
        "op = \"lrn\"\nsize = 2147483647",
        "op = \"conv_transpose\"\nfilters = 9\nkernel = 2\nstride = 5\noutput_padding = 4",
        "op = \"conv_transpose\"\nfilters = 3\nkernel = 3\nstride = [1, 2]\ngroups = 3\npadding = 2",
        "op = \"conv_transpose\"\nfilters = 2\nkernel = [1, 16]\nstride = [2, 8]\npadding = [0, 4]",
    ] {
        agree(
            &format!("[inputs]\nimage = [3, 6, 7]\n\n[[layer]]\nname = \"layer\"\n{layer}\n"),
            3 * 6 * 7,
            2,
        );
    }
}
