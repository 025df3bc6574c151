//! Every so many-th place along an axis.

use super::Fault;
use super::attributes::{Attributes, Kind};
use super::axes::along;
use super::operator::Operator;
use super::reader::Reader;
use crate::ast::ValueKind;
use crate::shape::Shape;

/// `x[start:end:step]` along one axis, as Python means it: negative places count from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
    /// The first place; `None` is the first one, or the last if the step is negative.
    pub start: Option<i64>,
    /// One step past the last place; `None` is behind the last one, or before the first if the step is negative.
    pub end: Option<i64>,
    /// From one place to the next, not 0.
    pub step: i64,
}

/// The places of a slice: `first`, `first + step`, … `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The first.
    pub first: usize,
    /// From one to the next; 1 where there is only one.
    pub step: isize,
    /// How many.
    pub count: usize,
}

impl Default for Slice {
    fn default() -> Self {
        Slice {
            axis: 0,
            start: None,
            end: None,
            step: 1,
        }
    }
}

impl Slice {
    /// Start and end along an axis of `n` places, after negative ones are counted from the end and all are brought
    /// within reach (Python's `slice.indices`).
    fn bounds(&self, n: usize) -> (i128, i128) {
        let n = n as i128;
        // A walk backwards ends before place 0.
        let (least, most) = if self.step < 0 { (-1, n - 1) } else { (0, n) };
        let place = |given: Option<i64>, default: i128| match given {
            None => default,
            Some(place) if place < 0 => (i128::from(place) + n).clamp(least, most),
            Some(place) => i128::from(place).clamp(least, most),
        };
        if self.step < 0 {
            (place(self.start, most), place(self.end, least))
        } else {
            (place(self.start, least), place(self.end, most))
        }
    }

    /// The places along an axis of `n`; `None` if there are none.
    pub fn places(&self, n: usize) -> Option<Places> {
        let (start, end) = self.bounds(n);
        let step = i128::from(self.step);
        if step == 0 {
            return None;
        }
        let (way, stride) = if step > 0 {
            (end - start, step)
        } else {
            (start - end, -step)
        };
        let count = usize::try_from((way + stride - 1).div_euclid(stride)).ok()?;
        Some(Places {
            first: usize::try_from(start).ok().filter(|&first| count > 0 && first < n)?,
            step: if count == 1 { 1 } else { isize::try_from(step).ok()? },
            count,
        })
    }

    /// `⌈(end − start)/step⌉ = count`, worked out.
    fn arithmetic(&self, n: usize) -> String {
        let (start, end) = self.bounds(n);
        let count = self.places(n).map_or(0, |places| places.count);
        let (from, to) = if self.step < 0 { (end, start) } else { (start, end) };
        let minus = |n: i128| n.to_string().replace('-', "−");
        // `x − (−1)`
        let from = if from < 0 {
            format!("({})", minus(from))
        } else {
            from.to_string()
        };
        format!("⌈({} − {from})/{}⌉ = {count}", minus(to), self.step.unsigned_abs())
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn doc(&self) -> &'static str {
        "Python's `x[start:end:step]` along an axis"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, None);
        a.integer("start", &mut self.start);
        a.integer("end", &mut self.end);
        let read = |reader: &mut Reader<'_>, key, _| reader.signed(key).unwrap_or(1);
        let write = |step| Some(ValueKind::Integer(step));
        a.attribute("step", &mut self.step, Some(1), Kind::Integer, read, write);
        let still = "`step` must not be 0: it leads from one place to the next";
        a.refuse(&["step"], (self.step == 0).then(|| still.to_owned()));
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let n = along(self.axis, "axis", operands[0])?;
        let places = self.places(n).ok_or_else(|| {
            let [start, end] =
                [self.start, self.end].map(|place| place.map_or(String::new(), |place| place.to_string()));
            let message = format!("nothing is left of {n} places by [{start}:{end}:{}]", self.step);
            Fault::new(if self.start.is_some() { "start" } else { "end" }, message).note(self.arithmetic(n))
        })?;
        Ok(operands[0].with_size(self.axis, places.count).unwrap_or(operands[0]))
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first().map(|&shape| along(self.axis, "axis", shape)) {
            Some(Ok(n)) => self.arithmetic(n),
            Some(Err(_)) | None => String::new(),
        }
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn does_nothing(&self, x: Shape) -> Option<&'static str> {
        // All places are taken: only the way may differ.
        (self.step > 0 || x.dims().get(self.axis) == Some(&1)).then_some("nothing is cut off")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Op;
    use super::super::testing::{error, fault, int, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn slice(written: &[(&str, i64)]) -> Op {
        let keys: Vec<_> = written.iter().map(|&(key, value)| (key, int(value))).collect();
        read("slice", &keys).expect("a slice")
    }

    proptest! {
        /// Python: start and end are clamped, then places are counted until the end is reached.
        #[test]
        fn places_are_pythons(
            n in 1..9usize,
            start in proptest::option::of(-12..12i64),
            end in proptest::option::of(-12..12i64),
            step in prop_oneof![-4..0i64, 1..5i64],
        ) {
            let size = n as i64;
            let wrapped = |place: i64| if place < 0 { place + size } else { place };
            let mut expected = Vec::new();
            let mut place = match start {
                None if step > 0 => 0,
                None => size - 1,
                Some(start) if step > 0 => wrapped(start).max(0),
                Some(start) => wrapped(start).min(size - 1),
            };
            let within = |place: i64| match end {
                None => true,
                Some(end) if step > 0 => place < wrapped(end),
                Some(end) => place > wrapped(end),
            };
            while (0..size).contains(&place) && within(place) {
                expected.push(place);
                place += step;
            }
            let slice = Slice { axis: 0, start, end, step };
            let found: Vec<i64> = slice.places(n).map_or(Vec::new(), |places| {
                (0..places.count as i64).map(|i| places.first as i64 + i * places.step as i64).collect()
            });
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn slices_shorten_one_axis() {
        let all = slice(&[("axis", 1)]);
        assert_eq!(all.shape(&[MAP]), Ok(MAP));
        assert_eq!(all.keys().len(), 1);
        let odd = slice(&[("axis", 0), ("start", 1), ("end", -1), ("step", 3)]);
        assert_eq!(odd.shape(&[MAP]), Ok(Shape::map(4, 4, 5)));
        assert_eq!(odd.formula(&[MAP]), "⌈(11 − 1)/3⌉ = 4");
        let backwards = slice(&[("axis", 2), ("step", -2)]);
        assert_eq!(backwards.shape(&[MAP]), Ok(Shape::map(12, 4, 3)));
        assert_eq!(backwards.formula(&[MAP]), "⌈(4 − (−1))/2⌉ = 3");
        assert_eq!(
            slice(&[("axis", 0), ("end", 3)]).shape(&[Shape::Flat(7)]),
            Ok(Shape::Flat(3))
        );
        let most = i64::MAX;
        let far = slice(&[("axis", 0), ("start", -most), ("end", most), ("step", most)]);
        assert_eq!(far.shape(&[MAP]), Ok(Shape::map(1, 4, 5)));
    }

    #[test]
    fn an_empty_slice_is_explained() {
        let empty = fault(&slice(&[("axis", 1), ("start", 3), ("end", 1)]), &[MAP]);
        assert_eq!(
            (empty.key, empty.message.as_str()),
            (Some("start"), "nothing is left of 4 places by [3:1:1]")
        );
        assert_eq!(empty.notes, ["⌈(1 − 3)/1⌉ = 0"]);
        assert_eq!(
            error("slice", &[("axis", int(0)), ("step", int(0))]).0,
            "`step` must not be 0: it leads from one place to the next"
        );
        assert_eq!(fault(&slice(&[("axis", 1)]), &[Shape::Flat(3)]).key, Some("axis"));
    }
}
