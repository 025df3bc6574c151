//! Activations made of straight pieces, exact up to one or two roundings.

use super::Function;
use crate::kernels::lanes::Lanes;

/// max(x, 0).
pub(in crate::kernels) struct Relu;

impl Function for Relu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.at_least(x.splat(0.0))
    }
}

/// min(max(x, 0), 6).
pub(in crate::kernels) struct Relu6;

impl Function for Relu6 {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.at_least(x.splat(0.0)).at_most(x.splat(6.0))
    }
}

/// x where x ≥ 0, αx elsewhere; parameter 0 is α.
pub(in crate::kernels) struct LeakyRelu;

impl Function for LeakyRelu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, alpha: L, _: L) -> L {
        x.if_less(x.splat(0.0), x.mul(alpha), x)
    }
}

/// min(max(x, parameter 0), parameter 1).
pub(in crate::kernels) struct Clip;

impl Function for Clip {
    #[inline(always)]
    fn of<L: Lanes>(x: L, least: L, most: L) -> L {
        x.at_least(least).at_most(most)
    }
}

/// min(max(αx + β, 0), 1); parameter 0 is α, parameter 1 β.
pub(in crate::kernels) struct HardSigmoid;

impl Function for HardSigmoid {
    #[inline(always)]
    fn of<L: Lanes>(x: L, alpha: L, beta: L) -> L {
        x.mul_add(alpha, beta).at_least(x.splat(0.0)).at_most(x.splat(1.0))
    }
}

/// x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019), −0 at −∞.
pub(in crate::kernels) struct HardSwish;

impl Function for HardSwish {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        // The bound keeps −∞ · 0 from becoming NaN.
        let gate = x.add(x.splat(3.0)).at_least(x.splat(0.0)).at_most(x.splat(6.0));
        x.at_least(x.splat(-4.0)).mul(gate.mul(x.splat(1.0 / 6.0)))
    }
}
