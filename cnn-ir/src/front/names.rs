//! Names: which are valid, and what is said about one that is not known.

use crate::diag::Diagnostic;
use crate::op::meant;
use crate::span::Spanned;

/// Whether a name is `[A-Za-z_][A-Za-z0-9_.-]*`.
pub fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Stands for the name of the `n`th layer that has none. Nobody can write it.
pub(super) fn placeholder(n: usize) -> String {
    format!("{PLACEHOLDER}{n}")
}

const PLACEHOLDER: &str = "unnamed layer #";

/// What is wrong with a name, if anything.
pub(super) fn check(name: &Spanned<String>, what: &str) -> Option<Diagnostic> {
    if is_valid(&name.value) || name.value.starts_with(PLACEHOLDER) {
        return None;
    }
    let found = match name.value.as_str() {
        "" => "an empty name".to_string(),
        other => format!("{other:?}"),
    };
    Some(
        Diagnostic::error(name.span, format!("{found} is not a valid name for {what}"))
            .label("not a valid name")
            .note("a name begins with a letter from a to z or A to Z or with `_`, then such letters, digits, `_`, `.` and `-` follow"),
    )
}

/// A word that should be one of `candidates` but is not.
pub(super) fn unknown<'a>(
    word: &Spanned<String>,
    what: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let message = format!("unknown {what} `{}`", word.value);
    if let Some(near) = meant(&word.value, candidates.clone()) {
        return Diagnostic::error(word.span, format!("{message}; did you mean `{near}`?"));
    }
    // Nobody reads more, and there may be as many such words as others.
    let mut all: Vec<_> = candidates.into_iter().take(MANY).collect();
    all.sort_unstable();
    all.dedup();
    let error = Diagnostic::error(word.span, message);
    match all.len() {
        0 => error,
        1..=40 => error.note(format!("there is: {}", all.join(", "))),
        MANY => error.note("there are very many others"),
        n => error.note(format!("there are {n} others, none of them similar")),
    }
}

/// More candidates than this are not looked through.
const MANY: usize = 1000;

/// A second thing of the same name.
pub(super) fn duplicate(name: &Spanned<String>, first: crate::span::Span) -> Diagnostic {
    Diagnostic::error(name.span, format!("the name `{}` is given twice", name.value))
        .label("again here")
        .also(first, "first here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_names() {
        for valid in ["a", "_", "layer1.0.conv1", "fire2-squeeze", "A9"] {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in ["", "1a", ".a", "-a", "a b", "ä", "a/b", "$a", "a\n"] {
            assert!(!is_valid(invalid), "{invalid}");
        }
    }
}
