//! Between real numbers and 8-bit integers.

use cnn_types::Quantisation;

use super::attributes::Attributes;
use super::operator::{Operator, Takes};
use super::reader::Reader;
use crate::ast::ValueKind;
use crate::value::ElementType;

impl Reader<'_> {
    /// An integer from 0 to 255; 0 if it is not written.
    pub(super) fn byte(&mut self, key: &'static str) -> u8 {
        let Some(value) = self.value(key, false) else {
            return 0;
        };
        let byte = match value.kind {
            ValueKind::Integer(integer) => u8::try_from(integer).ok(),
            _ => self.wrong_type(key, value, "an integer"),
        };
        byte.unwrap_or_else(|| {
            if let ValueKind::Integer(integer) = value.kind {
                let message = format!("`{key}` must be from 0 to 255, found {integer}");
                self.error(key, value, value, message);
            }
            0
        })
    }
}

/// Real numbers as 8-bit integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantize {
    /// What the integers stand for.
    pub to: Quantisation,
}

impl Default for Quantize {
    fn default() -> Self {
        Quantize {
            to: Quantisation {
                scale: 1.0,
                zero_point: 0,
            },
        }
    }
}

impl Operator for Quantize {
    fn name(&self) -> &'static str {
        "quantize"
    }

    fn doc(&self) -> &'static str {
        "`x / scale` rounded to the nearest integer (ties to the even one), plus `zero_point`, cut off at 0 and 255"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["quantizelinear", "quantise"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.quantisation(&mut self.to);
    }

    fn element(&self, _: &[ElementType]) -> ElementType {
        ElementType::U8(self.to)
    }
}

/// The real numbers that 8-bit integers stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dequantize;

impl Operator for Dequantize {
    fn name(&self) -> &'static str {
        "dequantize"
    }

    fn doc(&self) -> &'static str {
        "`scale · (q − zero_point)` with the operand's own `scale` and `zero_point`"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["dequantizelinear", "dequantise"]
    }

    fn takes(&self) -> Takes {
        Takes::Integers
    }

    fn element(&self, _: &[ElementType]) -> ElementType {
        ElementType::F32
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, int, read};
    use super::*;
    use crate::op::Op;
    use crate::shape::Shape;
    use crate::value::ValueType;

    fn value(element: ElementType) -> ValueType {
        ValueType {
            element,
            shape: Shape::Flat(3),
        }
    }

    #[test]
    fn a_value_knows_what_its_integers_stand_for() {
        let op = read("quantize", &[("scale", ValueKind::Float(0.5)), ("zero_point", int(3))]).expect("a quantize");
        let to = Quantisation {
            scale: 0.5,
            zero_point: 3,
        };
        let integers = value(ElementType::U8(to));
        assert_eq!(op.value_type(&[value(ElementType::F32)]), Ok(integers));
        let back = Op::Dequantize(Dequantize);
        assert_eq!(back.value_type(&[integers]), Ok(value(ElementType::F32)));
        assert!(back.value_type(&[value(ElementType::F32)]).is_err());
        let faults = op.value_type(&[integers]).expect_err("they are integers already");
        assert_eq!(
            faults[0].message,
            "`quantize` computes with real numbers, but its operand holds 8-bit integers"
        );
    }

    #[test]
    fn a_zero_point_is_one_of_the_integers() {
        let written = [("scale", ValueKind::Float(0.5)), ("zero_point", int(256))];
        assert_eq!(
            error("quantize", &written).0,
            "`zero_point` must be from 0 to 255, found 256"
        );
        let written = [("scale", ValueKind::Float(0.0))];
        assert!(
            error("quantize", &written)
                .0
                .starts_with("`scale` must be a finite number above 0")
        );
    }
}
