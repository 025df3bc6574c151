//! Matrix products of two values.

use super::conv::count;
use super::fault::{map, sized};
use super::operator::Operator;
use super::{Arity, Fault};
use crate::shape::Shape;

/// `[C, M, K]` × `[C, K, N]` → `[C, M, N]`: for each channel a product of matrices. Where one operand has one channel, it
/// counts for every channel of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matmul;

impl Operator for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn doc(&self) -> &'static str {
        "`[C, M, K]` and `[C, K, N]` → `[C, M, N]`; one of them may have a single channel, which counts for all"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["bmm"]
    }

    fn multiplications(&self, operands: &[Shape], result: Shape) -> Option<(u128, String)> {
        let [channels, rows, columns] = result.extent();
        let [_, _, inner] = operands[0].extent();
        let mut product = format!("({rows}×{columns})×{inner}");
        if channels > 1 {
            product += &format!("×{channels}");
        }
        Some((count(&[rows, columns, inner, channels]), product))
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(2)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (a, b) = (operands[0], operands[1]);
        let (left, rows, inner) = map("matmul", a)?;
        let (right, depth, columns) = map("matmul", b)?;
        let mut faults = Vec::new();
        if inner != depth {
            let message = format!("`matmul` needs as many columns in {a} as rows in {b}: {inner} are not {depth}");
            faults.push(Fault::new("from", message).note("[C, M, K] × [C, K, N] → [C, M, N]"));
        }
        if left != right && left.min(right) != 1 {
            let message = format!("`matmul` needs as many channels in {a} as in {b}, or 1");
            faults.push(Fault::new("from", message).note("one matrix counts for every matrix of the other operand"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        sized(Shape::map(left.max(right), rows, columns), "from")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match *operands {
            [
                Shape::Map { height, width, .. },
                Shape::Map {
                    height: inner,
                    width: columns,
                    ..
                },
            ] => {
                format!("({height}×{width})·({inner}×{columns}) = {height}×{columns}")
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::fault;
    use super::*;

    const MATMUL: Op = Op::Matmul(Matmul);

    #[test]
    fn matrices_are_multiplied_channel_by_channel() {
        let (a, b) = (Shape::map(3, 4, 5), Shape::map(3, 5, 7));
        assert_eq!(MATMUL.shape(&[a, b]), Ok(Shape::map(3, 4, 7)));
        assert_eq!(MATMUL.formula(&[a, b]), "(4×5)·(5×7) = 4×7");
        assert_eq!(MATMUL.cost(&[a, b]).product, "(4×7)×5×3 = 420");
        assert_eq!(MATMUL.shape(&[Shape::map(1, 4, 5), b]), Ok(Shape::map(3, 4, 7)));
        assert_eq!(MATMUL.shape(&[a, Shape::map(1, 5, 7)]), Ok(Shape::map(3, 4, 7)));
    }

    #[test]
    fn what_does_not_fit_is_explained() {
        let a = Shape::map(3, 4, 5);
        let inner = fault(&MATMUL, &[a, Shape::map(3, 4, 5)]);
        assert_eq!(
            inner.message,
            "`matmul` needs as many columns in [3, 4, 5] as rows in [3, 4, 5]: 5 are not 4"
        );
        assert!(MATMUL.shape(&[a, Shape::map(2, 5, 5)]).is_err());
        assert!(MATMUL.shape(&[a, Shape::Flat(5)]).is_err());
        assert_eq!(
            MATMUL.shape(&[a, Shape::map(2, 4, 5)]).expect_err("two faults").len(),
            2
        );
    }
}
