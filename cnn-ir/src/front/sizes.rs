//! Heights and widths that a model file leaves free: `image = [3, "H", "W"]`.
//!
//! Everything below the front end knows numbers only. Whoever wants a network of some size therefore fills numbers into
//! the text ([`fill`]) and reads that: the rest of the text, and the places in it that messages show, stay what they are.

use std::collections::BTreeMap;

use crate::ast::{InputDecl, NetDecl, Value, ValueKind};
use crate::diag::Diagnostic;
use crate::span::Span;

use super::names;

/// Free heights and widths by name, in pixels.
pub type Sizes = BTreeMap<String, usize>;

/// Sizes that are tried, in this order, where nobody has given any.
pub const USUAL: [usize; 8] = [224, 256, 32, 64, 128, 28, 299, 512];

/// A free height or width. One name may stand in several places: they are then of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeSize {
    /// Its name, such as `H`.
    pub name: String,
    /// Where it stands.
    pub places: Vec<FreePlace>,
}

/// A place of a [`FreeSize`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreePlace {
    /// The input's name.
    pub input: String,
    /// The axis of the user's arrays without the batch: 1 is the height of `[channels, height, width]`.
    pub axis: usize,
    /// The name, with its quotes, in the text.
    pub span: Span,
}

/// The free sizes of a declaration, in the order of their first places. Names where no size may be free are not among
/// them: reading the input reports those.
pub fn free(net: &NetDecl) -> Vec<FreeSize> {
    let mut found: Vec<FreeSize> = Vec::new();
    for input in &net.inputs {
        for (axis, item) in items(input).iter().enumerate() {
            let ValueKind::Text(name) = &item.kind else { continue };
            if refusal(input, axis, item).is_some() {
                continue;
            }
            let place = FreePlace {
                input: input.name.value.clone(),
                axis,
                span: item.span,
            };
            match found.iter_mut().find(|free| free.name == *name) {
                Some(free) => free.places.push(place),
                None => found.push(FreeSize {
                    name: name.clone(),
                    places: vec![place],
                }),
            }
        }
    }
    found
}

/// The text that `free` was read of, with numbers in place of those sizes that are given, each as wide as what stood
/// there.
///
/// ```
/// use cnn_ir::front::{sizes, toml};
///
/// let text = "[inputs]\nimage = [3, \"H\", \"W\"]\n";
/// let free = sizes::free(&toml::parse(text).net);
/// let sizes = [("H".to_owned(), 480), ("W".to_owned(), 64)].into();
/// assert_eq!(sizes::fill(text, &free, &sizes), "[inputs]\nimage = [3, 480,  64]\n");
/// ```
pub fn fill(text: &str, free: &[FreeSize], sizes: &Sizes) -> String {
    let mut places: Vec<(Span, usize)> = Vec::new();
    for free in free {
        if let Some(size) = sizes.get(&free.name) {
            places.extend(free.places.iter().map(|place| (place.span, *size)));
        }
    }
    places.sort_unstable();
    let mut filled = String::with_capacity(text.len());
    let mut done = 0;
    for (span, size) in places {
        let (Some(before), Some(word)) = (text.get(done..span.start), text.get(span.start..span.end)) else {
            continue;
        };
        let wide = word.chars().count();
        filled.push_str(before);
        filled.push_str(&format!("{size:>wide$}"));
        done = span.end;
    }
    filled.push_str(text.get(done..).unwrap_or_default());
    filled
}

/// What is wrong with the names that stand in an input's shape: each where no size may be free, or one that should have
/// been filled in.
pub(super) fn check(input: &InputDecl) -> Vec<Diagnostic> {
    let items = items(input).iter().enumerate();
    let named = items.filter_map(|(axis, item)| match &item.kind {
        ValueKind::Text(name) => Some((axis, item, name)),
        _ => None,
    });
    let told = named.map(|(axis, item, name)| {
        refusal(input, axis, item).unwrap_or_else(|| {
            let message = format!("{}: the size \"{name}\" is left free", input.name.value);
            Diagnostic::error(item.span, message)
                .label("here it has to be a number")
                .note("a network is compiled for one size; `cnn run` and `Session` fill in those of the image")
        })
    });
    told.collect()
}

/// Why the size on this axis cannot be free.
fn refusal(input: &InputDecl, axis: usize, item: &Value) -> Option<Diagnostic> {
    let ValueKind::Text(name) = &item.kind else { return None };
    let hwc = input
        .keys
        .iter()
        .any(|key| key.name.value == "layout" && matches!(&key.value.kind, ValueKind::Text(layout) if layout == "hwc"));
    let channels = if hwc { 2 } else { 0 };
    let error = |problem: &str| Some(Diagnostic::error(item.span, format!("{}: {problem}", input.name.value)));
    if items(input).len() != 3 {
        let error = error("only the height and width of a map can be free, not the length of a vector");
        return error.map(|error| error.note("the weights of a dense layer depend on it"));
    }
    if axis == channels {
        let error = error("the number of channels cannot be free");
        return error
            .map(|error| error.note("the weights of a convolution depend on it; height and width may be free"));
    }
    if !names::is_valid(name) {
        let error = error(&format!("{name:?} is not a valid name for a size"));
        return error.map(|error| error.note("write a number, or a name such as \"H\""));
    }
    None
}

/// The dimensions of an input's shape as they are written.
fn items(input: &InputDecl) -> &[Value] {
    let shape = input.keys.iter().find(|key| key.name.value == "shape");
    match shape.map(|shape| &shape.value.kind) {
        Some(ValueKind::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{graph_from_toml, toml};
    use super::*;

    fn free_of(text: &str) -> Vec<FreeSize> {
        free(&toml::parse(text).net)
    }

    #[test]
    fn one_name_in_several_places_is_one_size() {
        let text = "[inputs]\na = [3, 'H', \"W\"]\nb = { shape = [\"H\", 8, 1], layout = 'hwc' }\n";
        let free = free_of(text);
        let places = |free: &FreeSize| {
            let places = free.places.iter();
            places
                .map(|place| (place.input.clone(), place.axis))
                .collect::<Vec<_>>()
        };
        assert_eq!(free.iter().map(|free| &*free.name).collect::<Vec<_>>(), ["H", "W"]);
        assert_eq!(places(&free[0]), [("a".to_owned(), 1), ("b".to_owned(), 0)]);
        let sizes = [("H".to_owned(), 1024), ("W".to_owned(), 7)].into();
        let filled = fill(text, &free, &sizes);
        assert_eq!(
            filled,
            "[inputs]\na = [3, 1024,   7]\nb = { shape = [1024, 8, 1], layout = 'hwc' }\n"
        );
        assert!(free_of(&filled).is_empty());
        // What is not given stays free.
        let filled = fill(text, &free, &[("W".to_owned(), 7)].into());
        assert_eq!(free_of(&filled).len(), 1);
    }

    #[test]
    fn a_free_size_where_there_can_be_none_is_told() {
        let messages = |shape: &str| {
            let text = format!("[inputs]\nx = {shape}\n[[layer]]\nname = 'r'\nop = 'relu'\n");
            assert_eq!(free_of(&text).len(), usize::from(shape == "[3, 'H', 4]"), "{shape}");
            let errors = graph_from_toml(&text).expect_err(shape);
            errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(messages("['C', 3, 4]"), ["x: the number of channels cannot be free"]);
        let hwc = "{ shape = [3, 4, 'C'], layout = 'hwc' }";
        assert_eq!(messages(hwc), ["x: the number of channels cannot be free"]);
        let vector = "x: only the height and width of a map can be free, not the length of a vector";
        assert_eq!(messages("['N']"), [vector]);
        assert_eq!(messages("[3, '7 8', 4]"), ["x: \"7 8\" is not a valid name for a size"]);
        assert_eq!(messages("[3, 'H', 4]"), ["x: the size \"H\" is left free"]);
    }
}
