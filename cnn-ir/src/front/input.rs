//! Inputs: shape and layout.

use crate::ast::{InputDecl, ValueKind};
use crate::diag::Diagnostic;
use crate::op::{Dialect, Input, InputLayout, Op};
use crate::shape::Shape;
use crate::span::{Span, Spanned};

use super::{Report, sizes};

const FORM: &str =
    "a shape is [channels, height, width], with `layout = \"hwc\"` [height, width, channels], or [length]";

/// Reads an input's keys; `None` after an error.
pub(super) fn read(input: &InputDecl, report: &mut Report) -> Option<Input> {
    let name = &input.name.value;
    let free = sizes::check(input);
    if !free.is_empty() {
        free.into_iter().for_each(|error| report.add(error));
        return None;
    }
    let shape = input
        .keys
        .iter()
        .find(|key| key.name.value == "shape")
        .map(|key| &key.value);
    let dims = match shape.map(|shape| &shape.kind) {
        Some(ValueKind::List(items)) => items.len(),
        _ => 0,
    };
    let word = Spanned::new("input".to_string(), input.name.span);
    match Op::read(&word, &input.keys, Dialect::Dump) {
        Ok(Op::Input(read)) => {
            let place = shape.map_or(input.name.span, |shape| shape.span);
            if read.layout == InputLayout::Hwc && matches!(read.shape, Shape::Flat(_)) {
                let message = format!("{name}: `layout = \"hwc\"` needs a `shape` of three dimensions");
                report.add(Diagnostic::error(place, message).note(FORM));
                return None;
            }
            warn_of_wrong_order(name, place, &read, report);
            Some(read)
        }
        Ok(_) => None,
        Err(errors) => {
            for mut error in errors {
                error.message = format!("{name}: {}", error.message);
                error.notes = vec![FORM.to_string()];
                if dims == 4 {
                    error
                        .notes
                        .push("the batch does not belong to it: it is chosen when the network is compiled".into());
                }
                report.add(error);
            }
            None
        }
    }
}

/// `[32, 32, 3]` read as 32 channels, or `[3, 32, 32]` read as 3 rows, is a network that compiles and learns nothing.
fn warn_of_wrong_order(name: &str, place: Span, input: &Input, report: &mut Report) {
    let image =
        |side: usize, other: usize, channels: usize| side == other && side >= 8 && matches!(channels, 1 | 3 | 4);
    let (read_as, advice) = match (input.layout, input.array_dims().as_slice()) {
        (InputLayout::Chw, &[h, w, c]) if image(h, w, c) => (
            format!("{h} channels of {w}×{c} pixels"),
            format!("images stored as height, width, channels are `{{ shape = [{h}, {w}, {c}], layout = \"hwc\" }}`"),
        ),
        (InputLayout::Hwc, &[c, h, w]) if image(h, w, c) => (
            format!("{w} channels of {c}×{h} pixels"),
            "with `layout = \"hwc\"` the shape is [height, width, channels]".to_string(),
        ),
        _ => return,
    };
    report.add(Diagnostic::warning(place, format!("the input `{name}` has {read_as}")).note(advice));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{Key, Value};

    fn input(shape: &[i64], layout: Option<&str>) -> InputDecl {
        let key = |name: &str, kind| Key {
            name: Spanned::new(name.to_string(), Span::NONE),
            value: Value::unplaced(kind),
        };
        let dims = shape
            .iter()
            .map(|dim| Value::unplaced(ValueKind::Integer(*dim)))
            .collect();
        let mut keys = vec![key("shape", ValueKind::List(dims))];
        keys.extend(layout.map(|layout| key("layout", ValueKind::Text(layout.into()))));
        InputDecl {
            name: Spanned::new("image".into(), Span::NONE),
            keys,
        }
    }

    fn messages(shape: &[i64], layout: Option<&str>) -> Vec<String> {
        let mut report = Report::default();
        read(&input(shape, layout), &mut report);
        match report.finish(()) {
            Ok((_, warnings)) => warnings.into_iter().map(|d| d.message).collect(),
            Err(errors) => errors.into_iter().map(|d| d.message).collect(),
        }
    }

    #[test]
    fn hwc_is_turned_into_chw() {
        let mut report = Report::default();
        let read = read(&input(&[24, 32, 3], Some("hwc")), &mut report).unwrap();
        assert_eq!(read.shape, Shape::map(3, 24, 32));
        assert_eq!(read.layout, InputLayout::Hwc);
        assert!(report.finish(()).unwrap().1.is_empty());
    }

    #[test]
    fn bad_shapes_are_refused() {
        assert_eq!(messages(&[3, 8, 8], None), [""; 0]);
        assert!(messages(&[3, 8], None)[0].contains("found the list [3, 8]"));
        assert!(messages(&[8], Some("hwc"))[0].contains("three dimensions"));
        assert!(messages(&[3, -1, 8], None)[0].contains("found -1"));
        assert!(messages(&[1 << 30, 1 << 30, 1 << 30], None)[0].contains("2^48"));
        assert!(messages(&[3, 8, 8], Some("hcw"))[0].contains("\"hcw\""));
    }

    #[test]
    fn a_wrong_order_is_warned_of() {
        assert!(messages(&[32, 32, 3], None)[0].contains("32 channels of 32×3 pixels"));
        assert!(messages(&[3, 32, 32], Some("hwc"))[0].contains("32 channels of 3×32 pixels"));
        assert_eq!(messages(&[32, 32, 16], None), [""; 0]);
    }
}
