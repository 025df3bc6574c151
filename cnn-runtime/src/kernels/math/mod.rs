//! Elementary functions of one vector, branch-free.
//!
//! Polynomials and rational functions are minimax fits (Lawson iteration on the linearised
//! problem, 140 bits), their coefficients rounded to f32. The errors are the greatest over all
//! f32, measured against f64, in units in the last place (ULP) of the exact result:
//!
//! | function | AVX2 + FMA | without FMA |
//! |---|---|---|
//! TABLE

mod exp;
mod gelu;
mod log;
mod piecewise;

pub(super) use exp::{Elu, Exp, Sigmoid, Silu, Softplus, Tanh, exp_of_negative};
pub(super) use gelu::Gelu;
pub(super) use log::Log;
pub(super) use piecewise::{Clip, HardSigmoid, HardSwish, LeakyRelu, Relu, Relu6};

use super::lanes::Lanes;

/// A function of one f32 with up to two parameters. NaN gives NaN.
pub(super) trait Function {
    /// The function of each lane of `x`.
    fn of<L: Lanes>(x: L, parameter0: L, parameter1: L) -> L;
}

/// Σ cᵢ xⁱ by Horner's rule.
#[inline(always)]
fn polynomial<L: Lanes, const N: usize>(x: L, coefficients: &[f32; N]) -> L {
    let mut sum = x.splat(coefficients[N - 1]);
    for &coefficient in coefficients[..N - 1].iter().rev() {
        sum = sum.mul_add(x, x.splat(coefficient));
    }
    sum
}
