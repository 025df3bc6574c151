//! The `weights` key: prefixes of tensor names, with block parameters inside.

use std::collections::BTreeMap;

use crate::ast::{Value, ValueKind};

/// The names of the parameters in a `weights` value: `"features.$n.conv"` has `n`.
pub(super) fn parameters_in(kind: &ValueKind) -> Vec<String> {
    let mut found = Vec::new();
    substitute(kind, |name| {
        found.push(name.to_string());
        Some(String::new())
    });
    found
}

/// The text of a `weights` value with its parameters replaced by strings or integers; `None` if that cannot be.
/// `refused` gets the arguments that are neither.
pub(super) fn text<'a>(
    kind: &ValueKind,
    arguments: &BTreeMap<&str, &'a Value>,
    mut refused: impl FnMut(&'a Value),
) -> Option<String> {
    substitute(kind, |name| {
        let argument = *arguments.get(name)?;
        match &argument.kind {
            ValueKind::Text(text) => Some(text.clone()),
            ValueKind::Integer(integer) => Some(integer.to_string()),
            _ => {
                refused(argument);
                None
            }
        }
    })
}

fn substitute(kind: &ValueKind, mut argument: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let (mut rest, dollar) = match kind {
        ValueKind::Text(text) => (text.as_str(), false),
        // A front end takes the `$` off a string that begins with it.
        ValueKind::Parameter(text) => (text.as_str(), true),
        _ => return None,
    };
    let mut result = String::new();
    let mut parameter = dollar;
    loop {
        if parameter {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                .unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            match name {
                "" => result.push('$'),
                name => result += &argument(name)?,
            }
            rest = behind;
        }
        match rest.split_once('$') {
            Some((before, behind)) => {
                result += before;
                rest = behind;
                parameter = true;
            }
            None => return Some(result + rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_replaced() {
        let n = Value::unplaced(ValueKind::Integer(3));
        let w = Value::unplaced(ValueKind::Text("layer1.0".into()));
        let list = Value::unplaced(ValueKind::List(vec![]));
        let arguments = BTreeMap::from([("n", &n), ("w", &w), ("list", &list)]);
        let value = |text: &str| match text.strip_prefix('$') {
            Some(rest) => ValueKind::Parameter(rest.into()),
            None => ValueKind::Text(text.into()),
        };
        for (from, to, names) in [
            ("features.0", Some("features.0"), &[][..]),
            ("$w", Some("layer1.0"), &["w"]),
            ("$w.conv", Some("layer1.0.conv"), &["w"]),
            ("features.$n.$w$n", Some("features.3.layer1.03"), &["n", "w", "n"]),
            ("a$", Some("a$"), &[]),
            ("$list", None, &["list"]),
            ("x.$unknown", None, &["unknown"]),
        ] {
            let mut refused = 0;
            assert_eq!(
                text(&value(from), &arguments, |_| refused += 1).as_deref(),
                to,
                "{from}"
            );
            assert_eq!(refused, usize::from(from == "$list"));
            assert_eq!(parameters_in(&value(from)), names, "{from}");
        }
        assert_eq!(text(&ValueKind::Integer(1), &arguments, |_| ()), None);
    }
}
