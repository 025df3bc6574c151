//! The page of all operators, `docs/operators.md`, from what they say of themselves.

use std::fmt::Write as _;

use super::attributes::{Attribute, Kind};
use super::registry::{FAMILIES, Family};
use super::{Arity, Dialect, Op};

const INTRODUCTION: &str = "\
# Operators

What `op` may be in a model file, in `cnn!` and in the text form of graphs, with its keys; a key with a value in brackets
may be left out. Shapes are those of one image: `[C, H, W]` for a map, `[N]` for a vector. Meanings are PyTorch's where
nothing else is said. This page is written by `cnn-ir/src/op/page.rs` from the operators themselves.

A *pair* is an integer or `[height, width]`, a *border* an integer, a pair or `[top, left, bottom, right]`. *Padding* is a
border, `\"valid\"` (none) or `\"same\"` (TensorFlow's: the output is `⌈n / stride⌉`, the odd pixel at the bottom and right). An
*activation* is the name of a function of each element, or a table with its keys: `{ op = \"leaky_relu\", alpha = 0.1 }`. An
*axis* is a number: 0 channels (or a vector's only one), 1 rows, 2 columns.
";

/// The page as Markdown.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    FAMILIES.iter().for_each(|family| section(&mut page, family));
    page
}

fn section(page: &mut String, family: &Family) {
    // Writing to a string does not fail.
    let _ = write!(page, "\n## {}\n\n", family.title);
    if !family.introduction.is_empty() {
        let _ = write!(page, "{}\n\n", family.introduction);
    }
    let weighted = family
        .operators
        .iter()
        .any(|op| !op.operator().weights_doc().is_empty());
    let (heading, rule) = if weighted { (" weights |", "---|") } else { ("", "") };
    let _ = writeln!(page, "| operator | keys | meaning |{heading}\n|---|---|---|{rule}");
    for op in &family.operators {
        let attributes = Op::describe(op.name(), Dialect::Declaration).unwrap_or_default();
        let keys: Vec<_> = attributes.iter().map(key).collect();
        let operands = match op.arity() {
            Arity::Exactly(count @ 2..) => format!("{count} operands: "),
            Arity::AtLeast(2) => "two or more operands: ".to_owned(),
            Arity::Exactly(_) | Arity::AtLeast(_) => String::new(),
        };
        let weights = if weighted {
            format!(" {} |", op.operator().weights_doc())
        } else {
            String::new()
        };
        let (name, keys, doc) = (op.name(), keys.join(", "), op.operator().doc());
        let _ = writeln!(
            page,
            "| `{name}` | {keys} | {operands}{doc} |{}",
            weights.replace("  |", " |")
        );
    }
}

/// `stride` (pair, 1)
fn key(attribute: &Attribute) -> String {
    let mut notes = Vec::new();
    match &attribute.kind {
        Kind::Pair { .. } => notes.push("pair".to_owned()),
        Kind::Sides => notes.push("border".to_owned()),
        Kind::Factors => notes.push("a number, or one for each axis".to_owned()),
        Kind::Axis => notes.push("axis".to_owned()),
        Kind::Axes => notes.push("axes".to_owned()),
        Kind::Order => notes.push("three axes".to_owned()),
        Kind::Word(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            notes.push(words.join(", "));
        }
        Kind::Byte => notes.push("0 to 255".to_owned()),
        Kind::Count
        | Kind::Integer
        | Kind::Padding
        | Kind::Shape
        | Kind::Number { .. }
        | Kind::Flag
        | Kind::Activation
        | Kind::Sizes
        | Kind::Text
        | Kind::Norm => {}
    }
    // The first of the words is the default.
    if let (Some(default), false) = (&attribute.default, matches!(attribute.kind, Kind::Word(_))) {
        notes.push(default.to_string().replace('"', ""));
    }
    if !attribute.doc.is_empty() {
        notes.push(attribute.doc.to_owned());
    }
    let or = attribute
        .instead_of
        .map_or_else(String::new, |other| format!(" instead of `{other}`"));
    if notes.is_empty() {
        format!("`{}`{or}", attribute.key)
    } else {
        format!("`{}` ({}){or}", attribute.key, notes.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE=1 cargo test -p cnn-ir page` writes it anew.
    #[test]
    fn the_page_is_what_the_operators_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, page()).expect("the page is written");
        }
        let written = std::fs::read_to_string(path).expect("there is a page");
        assert!(
            written == page(),
            "docs/operators.md is old: UPDATE=1 cargo test -p cnn-ir page"
        );
    }
}
