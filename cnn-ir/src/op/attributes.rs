//! An operator's attributes: said once, in one function, from which they are read, written, documented and drawn at
//! random.
//!
//! [`Operator::attributes`](super::Operator::attributes) shows each field to [`Attributes`] with its key, type and
//! default. What then happens is the visitor's affair: reading fills the fields in from a declaration, writing
//! collects the keys that differ from their defaults, describing lists them.

use cnn_types::Quantisation;

use super::range::Range;
use super::reader::Reader;
use super::{Activation, Dialect, FoldedNorm, Padding, Pair, Sides, activation, values};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// The type of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An integer from 1 up.
    Count,
    /// Any integer.
    Integer,
    /// An integer from 0 to 255.
    Byte,
    /// Height and width, or one integer for both.
    Pair {
        /// From so much up: 0 or 1.
        least: usize,
    },
    /// `"valid"`, `"same"`, or a border.
    Padding,
    /// A border: an integer, `[height, width]` or `[top, left, bottom, right]`.
    Sides,
    /// `[channels, height, width]` or `[length]`.
    Shape,
    /// A number.
    Number {
        /// The least it may be.
        least: f64,
        /// The greatest it may be.
        greatest: f64,
    },
    /// A number above 0, or one vertically and one horizontally.
    Factors,
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Word(Vec<&'static str>),
    /// An axis: 0 channels (or a vector's only one), 1 rows, 2 columns.
    Axis,
    /// A list of distinct axes.
    Axes,
    /// All three axes in another order.
    Order,
    /// The name of an activation, or a table of its name and keys.
    Activation,
    /// A list of integers from 1 up.
    Sizes,
    /// A string.
    Text,
    /// A folded batch norm (in dumps only).
    Norm,
}

/// An attribute as it is documented.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its key.
    pub key: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be written.
    pub required: bool,
    /// What it is when it is not written; nothing if it is then absent.
    pub default: Option<ValueKind>,
    /// What it means, in a few words; empty where the key says it.
    pub doc: &'static str,
    /// The attribute before it, if exactly one of the two must be written.
    pub instead_of: Option<&'static str>,
}

/// Shows an operator's attributes to whoever reads, writes or describes them.
pub(crate) struct Attributes<'v, 'a>(Visitor<'v, 'a>);

enum Visitor<'v, 'a> {
    Reads(&'v mut Reader<'a>),
    Writes(&'v mut Vec<(&'static str, ValueKind)>),
    Describes(Dialect, &'v mut Vec<Attribute>),
}

impl From<Range> for Kind {
    fn from(Range { least, greatest }: Range) -> Kind {
        Kind::Number { least, greatest }
    }
}

impl<'v, 'a> Attributes<'v, 'a> {
    /// Fills in what is shown from the keys of a declaration.
    pub(super) fn reading(reader: &'v mut Reader<'a>) -> Self {
        Attributes(Visitor::Reads(reader))
    }

    /// Collects the keys that differ from their defaults.
    pub(super) fn writing(keys: &'v mut Vec<(&'static str, ValueKind)>) -> Self {
        Attributes(Visitor::Writes(keys))
    }

    /// Lists all attributes that `dialect` has.
    pub(super) fn describing(dialect: Dialect, list: &'v mut Vec<Attribute>) -> Self {
        Attributes(Visitor::Describes(dialect, list))
    }

    /// An attribute of any type. `None` as the default: it is required. `write` gives `None` for what is absent.
    pub(super) fn attribute<T: Clone>(
        &mut self,
        key: &'static str,
        field: &mut T,
        default: Option<T>,
        kind: Kind,
        read: impl FnOnce(&mut Reader<'_>, &'static str, Option<T>) -> T,
        write: impl Fn(T) -> Option<ValueKind>,
    ) -> &mut Self {
        match &mut self.0 {
            Visitor::Reads(reader) => *field = read(reader, key, default),
            Visitor::Writes(keys) => {
                let value = write(field.clone());
                if value != default.and_then(&write)
                    && let Some(value) = value
                {
                    keys.push((key, value));
                }
            }
            Visitor::Describes(_, list) => list.push(Attribute {
                key,
                kind,
                required: default.is_none(),
                default: default.and_then(write),
                doc: "",
                instead_of: None,
            }),
        }
        self
    }

    /// What the attribute just shown means.
    pub(super) fn doc(&mut self, doc: &'static str) -> &mut Self {
        if let Visitor::Describes(_, list) = &mut self.0
            && let Some(last) = list.last_mut()
        {
            last.doc = doc;
        }
        self
    }

    /// The attribute just shown has the default of its type only here: it follows from others, as `doc` says.
    pub(super) fn follows(&mut self, doc: &'static str) -> &mut Self {
        if let Visitor::Describes(_, list) = &mut self.0
            && let Some(last) = list.last_mut()
        {
            last.default = None;
        }
        self.doc(doc)
    }

    /// Of the two attributes shown next, exactly one must be written.
    pub(super) fn one_of(&mut self, one: &'static str, other: &'static str) {
        if let Visitor::Reads(reader) = &mut self.0 {
            reader.one_of(one, other);
        }
    }

    /// The attribute just shown stands in place of the one before it.
    pub(super) fn instead_of(&mut self, other: &'static str) -> &mut Self {
        if let Visitor::Describes(_, list) = &mut self.0
            && let Some(last) = list.last_mut()
        {
            last.instead_of = Some(other);
        }
        self
    }

    /// What is wrong with values that go together, at the last of `keys`; it counts if all of these are written.
    pub(super) fn refuse(&mut self, keys: &[&'static str], fault: Option<String>) {
        let (Visitor::Reads(reader), Some(fault), Some(&last)) = (&mut self.0, fault, keys.last()) else {
            return;
        };
        if let (Some(value), true) = (
            reader.written(last),
            keys.iter().all(|key| reader.written(key).is_some()),
        ) {
            reader.error(last, value, value, fault);
        }
    }

    /// Whether what only passes make is shown too.
    pub(super) fn in_dumps(&self) -> bool {
        match &self.0 {
            Visitor::Reads(reader) => reader.dialect == Dialect::Dump,
            Visitor::Writes(_) => true,
            Visitor::Describes(dialect, _) => *dialect == Dialect::Dump,
        }
    }

    /// A count from 1 up.
    pub(super) fn count(&mut self, key: &'static str, field: &mut usize, default: Option<usize>) -> &mut Self {
        self.attribute(
            key,
            field,
            default,
            Kind::Count,
            |r, key, default| r.count(key, default),
            |count| Some(values::integer(count)),
        )
    }

    /// Any integer, or none.
    pub(super) fn integer(&mut self, key: &'static str, field: &mut Option<i64>) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.signed(key);
        let write = |integer: Option<i64>| integer.map(ValueKind::Integer);
        self.attribute(key, field, Some(None), Kind::Integer, read, write)
    }

    /// What 8-bit integers stand for: the keys `scale` and `zero_point`.
    pub(super) fn quantisation(&mut self, field: &mut Quantisation) {
        self.single("scale", &mut field.scale, None, Range::NORMAL);
        let read = |reader: &mut Reader<'_>, key, _| reader.byte(key);
        let write = |byte: u8| Some(values::integer(byte.into()));
        self.attribute("zero_point", &mut field.zero_point, Some(0), Kind::Byte, read, write);
    }

    /// Height and width from 1 up.
    pub(super) fn pair(&mut self, key: &'static str, field: &mut Pair, default: Option<Pair>) -> &mut Self {
        let kind = Kind::Pair { least: 1 };
        self.attribute(
            key,
            field,
            default,
            kind,
            |r, key, default| r.pair(key, default),
            |pair| Some(values::pair(pair)),
        )
    }

    /// Height and width from 0 up; 0 by default.
    pub(super) fn pair_from_zero(&mut self, key: &'static str, field: &mut Pair) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.pair_from_zero(key);
        let write = |pair| Some(values::pair(pair));
        self.attribute(key, field, Some(Pair::both(0)), Kind::Pair { least: 0 }, read, write)
    }

    /// The key `padding` of a window.
    pub(super) fn padding(&mut self, field: &mut Padding) -> &mut Self {
        let read = |reader: &mut Reader<'_>, _, _| reader.padding();
        let write = |padding| Some(values::padding(padding));
        self.attribute("padding", field, Some(Padding::Valid), Kind::Padding, read, write)
    }

    /// A border on four sides.
    pub(super) fn sides(&mut self, key: &'static str, field: &mut Sides, default: Option<Sides>) -> &mut Self {
        self.attribute(
            key,
            field,
            default,
            Kind::Sides,
            |r, key, default| r.sides(key, default),
            |sides| Some(values::sides(sides)),
        )
    }

    /// A shape; required.
    pub(super) fn shape(&mut self, key: &'static str, field: &mut Shape) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.shape(key);
        self.attribute(key, field, None, Kind::Shape, read, |shape| Some(values::shape(shape)))
    }

    /// A list of sizes; none by default.
    pub(super) fn sizes(&mut self, key: &'static str, field: &mut Vec<usize>) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.sizes(key);
        let write = |sizes: Vec<usize>| Some(values::integers(&sizes));
        self.attribute(key, field, Some(Vec::new()), Kind::Sizes, read, write)
    }

    /// A number of double precision.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        field: &mut f64,
        default: Option<f64>,
        range: Range,
    ) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, default| reader.number(key, default, range);
        self.attribute(key, field, default, range.into(), read, |number| {
            Some(ValueKind::Float(number))
        })
    }

    /// A number of single precision.
    pub(super) fn single(
        &mut self,
        key: &'static str,
        field: &mut f32,
        default: Option<f32>,
        range: Range,
    ) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, default| reader.single(key, default, range);
        self.attribute(key, field, default, range.into(), read, |number| {
            Some(values::single(number))
        })
    }

    /// A flag.
    pub(super) fn flag(&mut self, key: &'static str, field: &mut bool, default: bool) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.flag(key, default);
        self.attribute(key, field, Some(default), Kind::Flag, read, |flag| {
            Some(ValueKind::Boolean(flag))
        })
    }

    /// One of a few words; the first is the default.
    pub(super) fn word<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        field: &mut T,
        words: &[(&'static str, T)],
    ) -> &mut Self {
        let kind = Kind::Word(words.iter().map(|(word, _)| *word).collect());
        let read = |reader: &mut Reader<'_>, key, _| reader.choice(key, words);
        let write = |meaning: T| {
            let found = words.iter().find(|(_, other)| *other == meaning);
            found.map(|(word, _)| values::text(word))
        };
        self.attribute(key, field, Some(words[0].1), kind, read, write)
    }

    /// An axis.
    pub(super) fn axis(&mut self, key: &'static str, field: &mut usize, default: Option<usize>) -> &mut Self {
        self.attribute(
            key,
            field,
            default,
            Kind::Axis,
            |r, key, default| r.axis(key, default),
            |axis| Some(values::integer(axis)),
        )
    }

    /// Whether something is along channels (or a vector), rows, columns; all by default.
    pub(super) fn axes(&mut self, key: &'static str, field: &mut [bool; 3]) -> &mut Self {
        let read = |reader: &mut Reader<'_>, key, _| reader.reduced_axes(key);
        let write = |axes: [bool; 3]| {
            let named: Vec<_> = (0..3).filter(|&axis| axes[axis]).collect();
            Some(values::integers(&named))
        };
        self.attribute(key, field, Some([true; 3]), Kind::Axes, read, write)
            .follows("all")
    }

    /// The key `activation`: applied to the result.
    pub(super) fn activation(&mut self, field: &mut Option<Activation>) -> &mut Self {
        let read = |reader: &mut Reader<'_>, _, _| reader.activation();
        let write = |activation: Option<Activation>| activation.map(activation::value);
        self.attribute("activation", field, Some(None), Kind::Activation, read, write)
    }

    /// The key `norm`, which only dumps have.
    pub(super) fn folded_norm(&mut self, field: &mut Option<FoldedNorm>) {
        if self.in_dumps() {
            let read = |reader: &mut Reader<'_>, _, _| FoldedNorm::read(reader);
            let write = |norm: Option<FoldedNorm>| norm.as_ref().map(FoldedNorm::value);
            self.attribute("norm", field, Some(None), Kind::Norm, read, write);
        }
    }
}
