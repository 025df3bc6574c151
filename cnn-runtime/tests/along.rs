//! Kernels along an axis, with every instruction set of the machine, compared with plain loops.

use std::cmp::Ordering;

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::along::{AlongShape, TakeShape};
use cnn_runtime::kernels::task::Kernel;

/// Images, and the sizes of a map.
type Sizes = [usize; 4];

/// Small whole numbers, with ties, both zeros, infinities and NaN.
fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| match (i * 37 + i / 5) % 23 {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => -0.0,
            number => (number % 7) as f32 - 3.0,
        })
        .collect()
}

fn steps([_, channels, rows, columns]: Sizes) -> [usize; 4] {
    [channels * rows * columns, rows * columns, columns, 1]
}

/// Sizes with another number along an axis.
fn with(mut sizes: Sizes, axis: usize, n: usize) -> Sizes {
    sizes[axis + 1] = n;
    sizes
}

fn shape(sizes: Sizes, axis: usize, results: usize, backwards: usize, variant: usize) -> AlongShape {
    let (from, to) = (steps(sizes), steps(with(sizes, axis, results)));
    let [row, column] = [[2, 3], [1, 3], [1, 2]][axis];
    AlongShape {
        rows: sizes[row],
        columns: sizes[column],
        along: sizes[axis + 1],
        results,
        from_origin: 0,
        from_image: from[0],
        from_row: from[row],
        from_column: from[column],
        from_step: from[axis + 1],
        to_origin: 0,
        to_image: to[0],
        to_row: to[row],
        to_column: to[column],
        to_step: to[axis + 1],
        backwards,
        variant,
    }
}

/// All tasks of a kernel.
fn run(kernel: Kernel, isa: Isa, tasks: usize, input: &[f32], other: &[f32], results: usize) -> Vec<f32> {
    let mut output = vec![-1.0f32; results];
    for task in 0..tasks {
        // SAFETY: the shape says what the slices have; `isa` proves the instructions.
        unsafe {
            kernel.run(
                isa,
                input.as_ptr().cast(),
                other.as_ptr().cast(),
                output.as_mut_ptr().cast(),
                task,
            );
        }
    }
    output
}

/// Every walk along an axis: the places of its elements in the array of the operand, and of its results.
fn walks(sizes: Sizes, axis: usize, results: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let lines = |n: usize| -> Vec<Vec<usize>> {
        let sizes = with(sizes, axis, n);
        let steps = steps(sizes);
        let mut lines = Vec::new();
        let mut at = [0; 4];
        for number in 0..sizes.iter().product::<usize>() / n {
            let mut rest = number;
            for other in (0..4).rev().filter(|&other| other != axis + 1) {
                (at[other], rest) = (rest % sizes[other], rest / sizes[other]);
            }
            let first: usize = (0..4)
                .filter(|&other| other != axis + 1)
                .map(|other| at[other] * steps[other])
                .sum();
            lines.push((0..n).map(|i| first + i * steps[axis + 1]).collect());
        }
        lines
    };
    lines(sizes[axis + 1]).into_iter().zip(lines(results)).collect()
}

/// NaN is greater than all others.
fn order(a: f32, b: f32) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

const CASES: [(Sizes, usize); 6] = [
    ([2, 7, 3, 150], 0),
    ([1, 5, 9, 64], 1),
    ([2, 3, 4, 17], 2),
    ([1, 33, 1, 1], 0),
    ([3, 1, 5, 70], 0),
    ([1, 2, 6, 5], 1),
];

fn same(found: &[f32], expected: &[f32], what: &str) {
    let bits = |x: f32| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
    assert_eq!(found.len(), expected.len());
    let wrong = found.iter().zip(expected).position(|(&a, &b)| bits(a) != bits(b));
    assert_eq!(wrong, None, "{what}: {found:?} {expected:?}");
}

#[test]
fn extremes_are_where_they_are() {
    for (sizes, axis) in CASES {
        let input = numbers(sizes.iter().product());
        for (least, last) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let kernel = shape(sizes, axis, 1, least, last);
            let mut expected = vec![-1.0; input.len() / sizes[axis + 1]];
            for (from, to) in walks(sizes, axis, 1) {
                let values: Vec<f32> = from.iter().map(|&at| input[at]).collect();
                let wanted = |a: f32| match values.iter().any(|x| x.is_nan()) {
                    true => a.is_nan(),
                    false => values
                        .iter()
                        .all(|&b| order(a, b) != if least == 1 { Ordering::Greater } else { Ordering::Less }),
                };
                let mut places = (0..values.len()).filter(|&i| wanted(values[i]));
                let place = if last == 1 { places.next_back() } else { places.next() };
                expected[to[0]] = place.expect("an extreme") as f32;
            }
            for isa in Isa::available() {
                let found = run(
                    Kernel::Extreme(kernel),
                    isa,
                    sizes[0] * kernel.rows,
                    &input,
                    &[],
                    expected.len(),
                );
                same(&found, &expected, &format!("{sizes:?} {axis} {least} {last} {isa:?}"));
            }
        }
    }
}

#[test]
fn the_few_greatest_are_in_order() {
    for (sizes, axis) in CASES {
        let input = numbers(sizes.iter().product());
        for (least, indices) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            for k in [1, sizes[axis + 1].div_ceil(2), sizes[axis + 1]] {
                let kernel = shape(sizes, axis, k, least, indices);
                let mut expected = vec![-1.0; input.len() / sizes[axis + 1] * k];
                for (from, to) in walks(sizes, axis, k) {
                    let mut places: Vec<usize> = (0..from.len()).collect();
                    places.sort_by(|&a, &b| {
                        let found = order(input[from[a]], input[from[b]]);
                        if least == 1 { found } else { found.reverse() }
                    });
                    for (&place, &to) in places.iter().zip(&to) {
                        expected[to] = if indices == 1 { place as f32 } else { input[from[place]] };
                    }
                }
                for isa in Isa::available() {
                    let found = run(
                        Kernel::Top(kernel),
                        isa,
                        sizes[0] * kernel.rows,
                        &input,
                        &[],
                        expected.len(),
                    );
                    same(
                        &found,
                        &expected,
                        &format!("{sizes:?} {axis} {least} {indices} {k} {isa:?}"),
                    );
                }
            }
        }
    }
}

#[test]
fn sums_run_along() {
    for (sizes, axis) in CASES {
        let input: Vec<f32> = (0..sizes.iter().product::<usize>())
            .map(|i| ((i * 31) % 17) as f32 * 0.25)
            .collect();
        for (reverse, exclusive) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let n = sizes[axis + 1];
            let kernel = shape(sizes, axis, n, reverse, exclusive);
            let mut expected = vec![-1.0; input.len()];
            for (from, to) in walks(sizes, axis, n) {
                for i in 0..n {
                    let taken = |j: &usize| {
                        let before = if reverse == 1 { *j > i } else { *j < i };
                        before || (exclusive == 0 && *j == i)
                    };
                    // Not `sum`, whose zero is negative.
                    expected[to[i]] = (0..n).filter(taken).fold(0.0, |sum, j| sum + input[from[j]]);
                }
            }
            for isa in Isa::available() {
                let found = run(
                    Kernel::RunningSum(kernel),
                    isa,
                    sizes[0] * kernel.rows,
                    &input,
                    &[],
                    expected.len(),
                );
                same(
                    &found,
                    &expected,
                    &format!("{sizes:?} {axis} {reverse} {exclusive} {isa:?}"),
                );
            }
        }
    }
}

#[test]
fn elements_are_taken_from_where_it_is_said() {
    for (sizes, axis) in CASES {
        let input = numbers(sizes.iter().product());
        let (n, k) = (sizes[axis + 1], 9);
        // From the end, not there, no number.
        let mut places: Vec<f32> = (0..k).map(|i| (i * 5 % (2 * n)) as f32 - n as f32).collect();
        (places[3], places[5], places[7]) = (n as f32, f32::NAN, -1e30);
        let walk = shape(sizes, axis, k, 0, 0);
        let kernel = TakeShape {
            rows: walk.rows,
            columns: walk.columns,
            along: walk.along,
            results: k,
            from_origin: 0,
            from_image: walk.from_image,
            from_row: walk.from_row,
            from_column: walk.from_column,
            from_step: walk.from_step,
            places_origin: 0,
            places_image: 0,
            places_row: 0,
            places_column: 0,
            places_step: 1,
            to_origin: 0,
            to_image: walk.to_image,
            to_row: walk.to_row,
            to_column: walk.to_column,
            to_step: walk.to_step,
        };
        let mut expected = vec![-1.0; input.len() / n * k];
        for (from, to) in walks(sizes, axis, k) {
            for (&to, &place) in to.iter().zip(&places) {
                let place = if place < 0.0 { place + n as f32 } else { place };
                let there = place >= 0.0 && place < n as f32;
                expected[to] = if there { input[from[place as usize]] } else { f32::NAN };
            }
        }
        for isa in Isa::available() {
            let found = run(
                Kernel::Take(kernel),
                isa,
                sizes[0] * kernel.rows,
                &input,
                &places,
                expected.len(),
            );
            same(&found, &expected, &format!("{sizes:?} {axis} {isa:?}"));
        }
    }
}
