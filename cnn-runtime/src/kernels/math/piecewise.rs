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

/// x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019), NaN at −∞ as in PyTorch.
pub(in crate::kernels) struct HardSwish;

impl Function for HardSwish {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let gate = x.add(x.splat(3.0)).at_least(x.splat(0.0)).at_most(x.splat(6.0));
        x.mul(gate.mul(x.splat(1.0 / 6.0)))
    }
}

/// αx + β; parameter 0 is α, parameter 1 β.
pub(in crate::kernels) struct Affine;

impl Function for Affine {
    #[inline(always)]
    fn of<L: Lanes>(x: L, alpha: L, beta: L) -> L {
        // Two roundings, as kernels make them that apply it to their sums.
        x.mul(alpha).add(beta)
    }
}

/// |x|.
pub(in crate::kernels) struct Abs;

impl Function for Abs {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.splat(0.0).sub(x.neg_abs())
    }
}

/// −1 below 0, 1 above, 0 else.
pub(in crate::kernels) struct Sign;

impl Function for Sign {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let zero = x.splat(0.0);
        x.if_less(zero, x.splat(-1.0), zero.if_less(x, x.splat(1.0), zero))
    }
}

/// x / (1 + |x|).
pub(in crate::kernels) struct Softsign;

impl Function for Softsign {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.div(x.splat(1.0).sub(x.neg_abs()))
    }
}

/// 0 where x < parameter 0, x elsewhere.
pub(in crate::kernels) struct ThresholdedRelu;

impl Function for ThresholdedRelu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, bound: L, _: L) -> L {
        x.if_less(bound, x.splat(0.0), x)
    }
}

/// x + β below −λ, x − β above λ, 0 between; parameter 0 is λ, parameter 1 β.
pub(in crate::kernels) struct Shrink;

impl Function for Shrink {
    #[inline(always)]
    fn of<L: Lanes>(x: L, lambda: L, bias: L) -> L {
        let zero = x.splat(0.0);
        // NaN, which is neither below nor above, stays.
        let between = x.mul(zero);
        let above = lambda.if_less(x, x.sub(bias), between);
        x.if_less(zero.sub(lambda), x.add(bias), above)
    }
}
