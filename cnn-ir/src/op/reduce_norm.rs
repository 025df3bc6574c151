//! Reductions that are sums of functions of the elements.

use super::attributes::Attributes;
use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::{Activation, CombineKind, Fault, Op, Reduce, ReduceKind};
use crate::shape::Shape;

/// What is summed, and what becomes of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    L1,
    L2,
    LogSumExp,
}

/// A sum of functions of the elements along axes, which stay with size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceNorm {
    kind: Kind,
    sum: Reduce,
}

impl ReduceNorm {
    /// `Σ |x|`
    pub const L1: ReduceNorm = ReduceNorm::new(Kind::L1);
    /// `√(Σ x²)`
    pub const L2: ReduceNorm = ReduceNorm::new(Kind::L2);
    /// `ln Σ e^x`
    pub const LOG_SUM_EXP: ReduceNorm = ReduceNorm::new(Kind::LogSumExp);

    /// Along these axes.
    pub(super) fn over(self, axes: [bool; 3]) -> ReduceNorm {
        let sum = Reduce { axes, ..self.sum };
        ReduceNorm { sum, ..self }
    }

    const fn new(kind: Kind) -> ReduceNorm {
        let sum = Reduce::new(ReduceKind::Sum);
        ReduceNorm { kind, sum }
    }
}

impl Operator for ReduceNorm {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::L1 => "reduce_l1",
            Kind::L2 => "reduce_l2",
            Kind::LogSumExp => "reduce_log_sum_exp",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            Kind::L1 => "`Σ |x|` along axes",
            Kind::L2 => "`√(Σ x²)` along axes",
            Kind::LogSumExp => "`ln Σ e^x` along axes",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::LogSumExp => &["logsumexp"],
            Kind::L1 | Kind::L2 => &[],
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        self.sum.attributes(a);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        self.sum.shape(operands)
    }

    fn formula(&self, operands: &[Shape]) -> String {
        self.sum.formula(operands)
    }
}

impl Composed for ReduceNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0];
        let Reduce { axes, .. } = self.sum;
        match self.kind {
            Kind::L1 => {
                let sizes = to.add("sizes", Activation::Abs, &[x]);
                (self.sum.into(), vec![sizes])
            }
            Kind::L2 => {
                let kind = ReduceKind::SumSquare;
                let sum = to.add("sum", Reduce { kind, axes }, &[x]);
                (Activation::Sqrt.into(), vec![sum])
            }
            Kind::LogSumExp => {
                // Powers of what is at most 0 do not overflow; the bounds keep ∞ − ∞ from becoming NaN.
                let kind = ReduceKind::Max;
                let greatest = to.add("greatest", Reduce { kind, axes }, &[x]);
                let (min, max) = (f32::MIN, f32::MAX);
                let greatest = to.add("bounded", Activation::Clip { min, max }, &[greatest]);
                let less = to.add("less", CombineKind::Sub, &[x, greatest]);
                let powers = to.add("powers", Activation::Exp, &[less]);
                let sum = to.add("sum", self.sum, &[powers]);
                let log = to.add("log", Activation::Log, &[sum]);
                (CombineKind::Add.into(), vec![log, greatest])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{list, read};
    use super::*;

    #[test]
    fn reduced_axes_stay_with_size_1() {
        let op = read("reduce_l2", &[("axes", list(&[0, 2]))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(1, 4, 1)));
        assert!(op.shape(&[Shape::Flat(3)]).is_err());
    }
}
