//! Elementwise functions against f64: the errors that `kernels/math` states, for every
//! instruction set of the machine.

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::softmax::{log_softmax, softmax};
use cnn_types::Activation::{self, *};

const ELU_ALPHA: f32 = 1.5;

/// Every function, with parameters that are not the defaults.
fn functions() -> [RowFunction; 31] {
    RowFunction::ALL.map(|function| match function {
        RowFunction::Activation(Elu { .. }) => Elu { alpha: ELU_ALPHA }.into(),
        RowFunction::Activation(HardSigmoid { .. }) => HardSigmoid { alpha: 0.2, beta: 0.5 }.into(),
        RowFunction::Activation(LeakyRelu { .. }) => LeakyRelu { alpha: 0.1 }.into(),
        RowFunction::Activation(Clip { .. }) => Clip { min: -2.5, max: 3.5 }.into(),
        RowFunction::Activation(Celu { .. }) => Celu { alpha: 1.5 }.into(),
        RowFunction::Activation(ThresholdedRelu { .. }) => ThresholdedRelu { alpha: 0.75 }.into(),
        RowFunction::Activation(Shrink { .. }) => Shrink {
            lambda: 0.75,
            bias: 0.25,
        }
        .into(),
        RowFunction::Activation(Affine { .. }) => Affine {
            alpha: -1.5,
            beta: 0.25,
        }
        .into(),
        RowFunction::Activation(Pow { .. }) => Pow { exponent: 1.25 }.into(),
        other => other,
    })
}

/// The function in f64.
fn exact(function: RowFunction, x: f64) -> f64 {
    if x.is_nan() {
        return if function == RowFunction::Activation(Sign) {
            0.0
        } else {
            x
        };
    }
    let elu = |x: f64, slope: f64, limit: f64| if x > 0.0 { slope * x } else { limit * x.exp_m1() };
    match function {
        RowFunction::Exp => x.exp(),
        RowFunction::Log => x.ln(),
        RowFunction::Activation(activation) => match activation {
            Tanh => x.tanh(),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            // PyTorch's formulas have −∞ · 0 there.
            Silu | Gelu { .. } | HardSwish | Mish if x == f64::NEG_INFINITY => f64::NAN,
            Silu if x < -800.0 => -0.0,
            Silu => x / (1.0 + (-x).exp()),
            Gelu { .. } if x < -40.0 => -0.0,
            Gelu { tanh: true } if x > 40.0 => x,
            Gelu { tanh: true } => {
                let inner = (2.0 / core::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                x / (1.0 + (-2.0 * inner).exp())
            }
            Gelu { tanh: false } => x * 0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Elu { alpha } => elu(x, 1.0, f64::from(alpha)),
            Selu => elu(x, Activation::SELU[0], Activation::SELU[0] * Activation::SELU[1]),
            HardSigmoid { alpha, beta } => (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0),
            HardSwish if x < -3.0 => -0.0,
            HardSwish => x * ((x + 3.0) / 6.0).clamp(0.0, 1.0),
            Relu => x.max(0.0),
            Relu6 => x.clamp(0.0, 6.0),
            LeakyRelu { alpha } if x < 0.0 => f64::from(alpha) * x,
            LeakyRelu { .. } => x,
            Clip { min, max } => x.clamp(f64::from(min), f64::from(max)),
            Mish => {
                let e = (-x.abs()).exp();
                let (numerator, rest) = if x < 0.0 {
                    (e * (e + 2.0), 2.0)
                } else {
                    (1.0 + 2.0 * e, 2.0 * e * e)
                };
                x * (numerator / (numerator + rest))
            }
            Celu { alpha } => {
                let alpha = f64::from(alpha);
                if x > 0.0 { x } else { alpha * (x / alpha).exp_m1() }
            }
            Softsign => x / (1.0 + x.abs()),
            ThresholdedRelu { alpha } => {
                if x > f64::from(alpha) {
                    x
                } else {
                    0.0
                }
            }
            Shrink { lambda, bias } => {
                let (lambda, bias) = (f64::from(lambda), f64::from(bias));
                if x < -lambda {
                    x + bias
                } else if x > lambda {
                    x - bias
                } else {
                    0.0
                }
            }
            Affine { alpha, beta } => f64::from(alpha) * x + f64::from(beta),
            Exp => x.exp(),
            Log => x.ln(),
            Sqrt => x.sqrt(),
            Reciprocal => 1.0 / x,
            Pow { exponent } => x.powf(f64::from(exponent)),
            Abs => x.abs(),
            Sign if x == 0.0 => 0.0,
            Sign => x.signum(),
            Erf => libm::erf(x),
            Floor => x.floor(),
            Ceil => x.ceil(),
            Round => x.round_ties_even(),
        },
    }
}

/// The distance of neighbouring f32 around `value`.
fn ulp(value: f64) -> f64 {
    let exponent = (value.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// Greatest error in ULP over normal results, and greatest absolute error over subnormal ones
/// and, for GELU and the hard sigmoid, over negative x; with the arguments.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    ulps: f64,
    at: f32,
    absolute: f64,
    absolute_at: f32,
}

impl Errors {
    fn add(&mut self, kind: RowFunction, x: f32, got: f32) {
        let want = exact(kind, f64::from(x));
        let rounded = want as f32;
        assert_eq!(got.is_nan(), rounded.is_nan(), "{kind:?}({x:e}) = {got}");
        if got.is_nan() {
            return;
        }
        if rounded.is_infinite() || got.is_infinite() {
            // One ULP below the threshold of overflow may go either way.
            let edge = want.abs() > f64::from(f32::MAX) * (1.0 - 4e-7);
            assert!(rounded == got || edge, "{kind:?}({x:e}) = {got:e}, not {want:e}");
            return;
        }
        let error = (f64::from(got) - want).abs();
        let is_loose = matches!(kind, RowFunction::Activation(Gelu { .. } | HardSigmoid { .. }));
        let small = want.abs() < f64::from(f32::MIN_POSITIVE) || (is_loose && x < 0.0);
        if small {
            if error > self.absolute {
                (self.absolute, self.absolute_at) = (error, x);
            }
        } else if error / ulp(want) > self.ulps {
            (self.ulps, self.at) = (error / ulp(want), x);
        }
    }
}

/// Measures `kind` over every `step`-th bit pattern.
fn measure(kind: RowFunction, isa: Isa, step: u64) -> Errors {
    const BLOCK: usize = 1 << 12;
    let mut errors = Errors::default();
    let mut block = Vec::with_capacity(BLOCK);
    let mut results = vec![0.0; BLOCK];
    let mut bits = 0u64;
    while bits < 1 << 32 {
        block.clear();
        while bits < 1 << 32 && block.len() < BLOCK {
            block.push(f32::from_bits(bits as u32));
            bits += step;
        }
        let results = &mut results[..block.len()];
        kind.apply(isa, &block, results);
        for (&x, &got) in block.iter().zip(&*results) {
            errors.add(kind, x, got);
        }
    }
    errors
}

/// Limits: ULP for normal results, absolute error for subnormal ones (GELU, hard sigmoid: negative x).
fn limits(function: RowFunction) -> (f64, f64) {
    match function {
        RowFunction::Exp => (1.5, 2e-45),
        RowFunction::Log => (2.0, 0.0),
        RowFunction::Activation(activation) => match activation {
            Relu | Relu6 | Clip { .. } => (0.0, 0.0),
            Tanh | Sigmoid => (3.0, 2e-45),
            Silu => (3.5, 2e-43),
            Gelu { tanh: false } => (3.2, 1e-6),
            Gelu { tanh: true } => (2.5, 6e-8),
            Softplus => (3.0, 3e-45),
            Elu { .. } | Selu => (3.0, 2e-45),
            HardSigmoid { .. } => (1.0, 3e-8),
            HardSwish => (3.0, 2e-45),
            LeakyRelu { .. } => (0.5, 1e-45),
            Abs | Sign | Floor | Ceil | Round | ThresholdedRelu { .. } => (0.0, 0.0),
            Sqrt | Reciprocal | Shrink { .. } => (0.51, 1.5e-45),
            Softsign => (1.5, 1.5e-45),
            Affine { .. } => (f64::INFINITY, 3e-8),
            // Where e^x is subnormal, below −87.
            Mish => (46.0, 8e-44),
            Celu { .. } => (3.0, 3e-45),
            Erf => (6.0, 3e-45),
            Exp => (1.5, 2e-45),
            Log => (2.0, 0.0),
            // p · ln x is up to 110, and rounds before it is a power.
            Pow { .. } => (250.0, 1e-43),
        },
    }
}

#[expect(clippy::print_stdout, reason = "the figures to be copied into the docs")]
fn check(step: u64) {
    let mut bad = false;
    for isa in Isa::available() {
        for kind in functions() {
            let errors = measure(kind, isa, step);
            let (ulps, absolute) = limits(kind);
            println!("{isa} {kind:?}: {errors:?}");
            bad |= errors.ulps > ulps || errors.absolute > absolute;
        }
    }
    assert!(!bad, "above the limit");
}

#[test]
fn errors_over_a_million_arguments() {
    check(4_099);
}

#[test]
#[ignore = "takes minutes; gives the figures in kernels/math"]
fn errors_over_seventy_million_arguments() {
    check(61);
}

#[test]
fn limits_at_infinity_zero_and_nan() {
    // At −∞, −0, +0, +∞.
    let expected = |function| match function {
        RowFunction::Exp => [0.0, 1.0, 1.0, f32::INFINITY],
        RowFunction::Log => [f32::NAN, f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY],
        RowFunction::Activation(activation) => match activation {
            Tanh => [-1.0, -0.0, 0.0, 1.0],
            Sigmoid => [0.0, 0.5, 0.5, 1.0],
            Silu | Gelu { .. } | HardSwish | Mish => [f32::NAN, -0.0, 0.0, f32::INFINITY],
            Softplus => [0.0, std::f32::consts::LN_2, std::f32::consts::LN_2, f32::INFINITY],
            Elu { alpha } => [-alpha, 0.0, 0.0, f32::INFINITY],
            Selu => [
                -(Activation::SELU[0] * Activation::SELU[1]) as f32,
                0.0,
                0.0,
                f32::INFINITY,
            ],
            HardSigmoid { .. } => [0.0, 0.5, 0.5, 1.0],
            Relu => [0.0, 0.0, 0.0, f32::INFINITY],
            Relu6 => [0.0, 0.0, 0.0, 6.0],
            LeakyRelu { .. } => [f32::NEG_INFINITY, 0.0, 0.0, f32::INFINITY],
            Clip { min, max } => [min, 0.0, 0.0, max],
            Celu { alpha } => [-alpha, 0.0, 0.0, f32::INFINITY],
            Softsign => [f32::NAN, 0.0, 0.0, f32::NAN],
            ThresholdedRelu { .. } => [0.0, 0.0, 0.0, f32::INFINITY],
            Shrink { .. } | Floor | Ceil | Round => [f32::NEG_INFINITY, 0.0, 0.0, f32::INFINITY],
            Affine { beta, .. } => [f32::INFINITY, beta, beta, f32::NEG_INFINITY],
            Exp => [0.0, 1.0, 1.0, f32::INFINITY],
            Log => [f32::NAN, f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY],
            Sqrt => [f32::NAN, 0.0, 0.0, f32::INFINITY],
            Reciprocal => [0.0, f32::NEG_INFINITY, f32::INFINITY, 0.0],
            Pow { .. } => [f32::NAN, 0.0, 0.0, f32::INFINITY],
            Abs => [f32::INFINITY, 0.0, 0.0, f32::INFINITY],
            Sign | Erf => [-1.0, 0.0, 0.0, 1.0],
        },
    };
    for isa in Isa::available() {
        for kind in functions() {
            let mut x = [f32::NEG_INFINITY, -0.0, 0.0, f32::INFINITY, f32::NAN, -f32::NAN];
            kind.apply_in_place(isa, &mut x);
            let lost = kind == RowFunction::Activation(Sign);
            assert_eq!([x[4].is_nan(), x[5].is_nan()], [!lost; 2], "{isa} {kind:?}: {x:?}");
            for (got, want) in x.into_iter().zip(expected(kind)) {
                let near = (got - want).abs() <= 1.2e-7 * want.abs();
                assert!(
                    near || got == want || got.is_nan() && want.is_nan(),
                    "{isa} {kind:?}: {x:?}"
                );
            }
            if matches!(kind, RowFunction::Activation(Tanh | Silu | Gelu { .. })) {
                assert!(
                    x[1].is_sign_negative() && x[2].is_sign_positive(),
                    "{isa} {kind:?}: {x:?}"
                );
            }
        }
    }
}

/// Every length and offset: nothing outside is written, in place and out of place agree, and an
/// element's result does not depend on where it stands.
#[test]
fn lengths_and_neighbours() {
    let x: Vec<f32> = (0..45).map(|i| (i as f32 - 20.0) * 0.37).collect();
    for isa in Isa::available() {
        for kind in functions() {
            let mut whole = x.clone();
            kind.apply_in_place(isa, &mut whole);
            for start in 0..4 {
                for end in start..x.len() {
                    let mut out = vec![77.0; x.len()];
                    kind.apply(isa, &x[start..end], &mut out[start..end]);
                    let mut place = x.clone();
                    kind.apply_in_place(isa, &mut place[start..end]);
                    for i in 0..x.len() {
                        let inside = (start..end).contains(&i);
                        let (outer, inner) = if inside { (whole[i], whole[i]) } else { (77.0, x[i]) };
                        assert_eq!(out[i].to_bits(), outer.to_bits(), "{isa} {kind:?} {start}..{end}");
                        assert_eq!(place[i].to_bits(), inner.to_bits(), "{isa} {kind:?} {start}..{end}");
                    }
                }
            }
        }
    }
}

#[test]
fn softmax_against_f64() {
    for isa in Isa::available() {
        for len in (0..35).chain([100, 1000, 1001]) {
            for scale in [0.1f32, 3.0, 80.0] {
                let x: Vec<f32> = (0..len)
                    .map(|i| ((i * 7919 % 1009) as f32 / 500.0 - 1.0) * scale + 1e3)
                    .collect();
                let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = x.iter().map(|&x| f64::from(x - most).exp()).sum();
                let mut guarded = [&x[..], &[5.0; 9]].concat();
                softmax(isa, &mut guarded[..len]);
                assert_eq!(guarded[len..], [5.0; 9]);
                let mut logs = x.clone();
                log_softmax(isa, &mut logs);
                for i in 0..len {
                    let distance = f64::from(x[i] - most);
                    let want = distance.exp() / sum;
                    assert!(
                        (f64::from(guarded[i]) - want).abs() <= 1e-6 * want + 1e-45,
                        "{isa} {len}"
                    );
                    let want = distance - sum.ln();
                    assert!(
                        (f64::from(logs[i]) - want).abs() <= 1e-6 * want.abs().max(1.0),
                        "{isa} {len}"
                    );
                }
            }
        }
    }
}

#[test]
fn softmax_of_degenerate_rows() {
    for isa in Isa::available() {
        for bad in [f32::NAN, f32::INFINITY] {
            for len in [3, 8, 21] {
                for at in 0..len {
                    let mut row = vec![0.5; len];
                    row[at] = bad;
                    let mut logs = row.clone();
                    softmax(isa, &mut row);
                    log_softmax(isa, &mut logs);
                    assert!(row[at].is_nan() && logs[at].is_nan(), "{isa}: {row:?} {logs:?}");
                    assert!(bad.is_infinite() || row.iter().all(|x| x.is_nan()));
                }
            }
        }
        let mut row = [f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
        softmax(isa, &mut row);
        assert_eq!(row, [0.0, 1.0, 0.0]);
    }
}
