//! Phrases that error messages share.

use crate::ast::{Value, ValueKind};
use crate::diag::nearest;

use super::registry;

/// "; did you mean `relu`?" if a candidate is meant.
pub(super) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    meant(word, candidates).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// The candidate that is near, or that another framework's word means.
pub(crate) fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    let lower = word.to_lowercase();
    let elsewhere = registry::called_elsewhere(&lower).filter(|own| candidates.contains(own));
    elsewhere.or_else(|| nearest(&lower, candidates))
}

/// A value as it is spoken of: `the string "3"`.
pub(super) fn found(value: &Value) -> String {
    match &value.kind {
        ValueKind::Integer(_) => format!("the integer {}", value.kind),
        ValueKind::Float(_) => format!("the number {}", value.kind),
        ValueKind::Boolean(_) => format!("the boolean {}", value.kind),
        ValueKind::Text(_) => format!("the string {}", value.kind),
        ValueKind::List(items) if items.len() > 8 => format!("a list of {} items", items.len()),
        ValueKind::List(_) => format!("the list {}", value.kind),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Parameter(_) => format!("the block's parameter {}", value.kind),
    }
}

/// The words of a choice: `"nearest" or "bilinear"`.
pub(super) fn quoted<T>(choices: &[(&'static str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    words.join(" or ")
}

/// "a, b, c"
pub(super) fn list(words: &[&str]) -> String {
    words.join(", ")
}
