//! From an operator's name and keys to the operator, and back.

use super::attributes::{Attribute, Attributes};
use super::operator::Operator;
use super::reader::Reader;
use super::words::{hint, list};
use super::{Input, Op, registry};
use crate::ast::{Key, ValueKind};
use crate::diag::Diagnostic;
use crate::span::Spanned;

/// Which words an operator may be written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Those of a model file or the macro.
    Declaration,
    /// Also those for what passes make: `input`, a conv's or dense's `norm = { weights = "bn1", epsilon = 1e-5 }`,
    /// a conv's `residual = true`.
    Dump,
}

impl Op {
    /// Every word that a declaration may use as `op`, in the order of the documentation.
    pub fn names() -> &'static [&'static str] {
        registry::names()
    }

    /// The operator named `op` with these keys: all of a layer's keys but `name`, `op`, `from` and `weights`.
    ///
    /// # Errors
    /// Every key that is unknown, missing, of the wrong type or out of range, each at its place.
    pub fn read(op: &Spanned<String>, keys: &[Key], dialect: Dialect) -> Result<Op, Vec<Diagnostic>> {
        let mut read = match (op.value.as_str(), dialect) {
            ("input", Dialect::Dump) => Op::Input(Input::default()),
            (name, _) => registry::with_defaults(name).ok_or_else(|| vec![unknown(op)])?,
        };
        let mut reader = Reader::new(op, keys, dialect);
        read.operator_mut().attributes(&mut Attributes::reading(&mut reader));
        reader.finish().map(|()| read)
    }

    /// Its keys that differ from their defaults, in the order of the documentation.
    /// [`Op::read`] of these gives the same operator back.
    pub fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        keys(self.clone().operator_mut())
    }

    /// The attributes of the operator named `name` that `dialect` has; `None` if there is no such operator.
    pub fn describe(name: &str, dialect: Dialect) -> Option<Vec<Attribute>> {
        let mut op = match (name, dialect) {
            ("input", Dialect::Dump) => Op::Input(Input::default()),
            (name, _) => registry::with_defaults(name)?,
        };
        let mut list = Vec::new();
        op.operator_mut()
            .attributes(&mut Attributes::describing(dialect, &mut list));
        Some(list)
    }
}

/// The keys of an operator that differ from their defaults; the operator stays what it is.
pub(super) fn keys(op: &mut dyn Operator) -> Vec<(&'static str, ValueKind)> {
    let mut keys = Vec::new();
    op.attributes(&mut Attributes::writing(&mut keys));
    keys
}

fn unknown(op: &Spanned<String>) -> Diagnostic {
    let (name, names) = (&op.value, Op::names());
    let hint = hint(name, names.iter().copied());
    let error = Diagnostic::error(op.span, format!("there is no operator `{name}`{hint}"));
    error.note(format!("operators: {}", list(names)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{OP, error, int, keys, op, read};
    use super::*;

    proptest! {
        #[test]
        fn written_keys_read_back_as_the_same_operator(op in op()) {
            let name = Spanned::new(op.name().to_owned(), OP);
            prop_assert_eq!(Op::read(&name, &keys(&op.keys()), Dialect::Dump), Ok(op));
        }

        #[test]
        fn every_operator_but_input_has_one_of_the_names(op in op()) {
            prop_assert_eq!(Op::names().contains(&op.name()), !matches!(op, Op::Input(_)));
        }
    }

    #[test]
    fn every_name_is_read() {
        for name in Op::names() {
            match read(name, &[]) {
                Ok(op) => assert_eq!(op.name(), *name),
                Err(errors) => assert!(errors[0].message.contains("needs the key"), "{errors:?}"),
            }
        }
    }

    #[test]
    fn an_unknown_name_brings_the_nearest_one() {
        let message = |name| error(name, &[("filters", int(4))]).0;
        assert_eq!(message("convv"), "there is no operator `convv`; did you mean `conv`?");
        assert_eq!(
            message("MaxPool"),
            "there is no operator `MaxPool`; did you mean `max_pool`?"
        );
        assert_eq!(
            message("Linear"),
            "there is no operator `Linear`; did you mean `dense`?"
        );
        assert_eq!(message("xyzzy"), "there is no operator `xyzzy`");
        assert_eq!(error("convv", &[]).1, OP);
    }

    #[test]
    fn inputs_are_declared_elsewhere() {
        assert!(error("input", &[]).0.starts_with("there is no operator `input`"));
    }
}
