//! What a file may make as long as it likes, cut to what a person reads.

use std::borrow::Cow;

/// The longest name that is printed whole where names stand in sentences and tables.
pub const NAME: usize = 120;

/// `text`, or its beginning and its end with `…` between them if it has more than `longest` characters.
///
/// ```
/// assert_eq!(cnn_ir::brief::cut("conv2d", 6), "conv2d");
/// assert_eq!(cnn_ir::brief::cut("convolution", 6), "con…on");
/// ```
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if text.char_indices().nth(longest).is_none() {
        return Cow::Borrowed(text);
    }
    let tail = longest.saturating_sub(1) / 2;
    let head = longest.saturating_sub(1) - tail;
    let head = text.char_indices().nth(head).map_or(text.len(), |(at, _)| at);
    let tail = match tail {
        0 => text.len(),
        tail => text.char_indices().nth_back(tail - 1).map_or(0, |(at, _)| at),
    };
    Cow::Owned(format!("{}…{}", &text[..head], &text[tail..]))
}

/// What kind of message it is: the same for messages that differ only in what they quote, in numbers, and in the name
/// before the first colon.
///
/// ```
/// use cnn_ir::brief::kind;
/// assert_eq!(kind("c1: `size` must be at least 1, found 0"), kind("p27: `size` must be at least 1, found -40"));
/// assert_ne!(kind("`size` must be at least 1"), kind("`size` is missing"));
/// ```
pub fn kind(message: &str) -> String {
    let message = match message.split_once(": ") {
        Some((name, rest)) if !name.contains(' ') => rest,
        _ => message,
    };
    let mut kind = String::new();
    let mut chars = message.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '`' | '"' => {
                chars.by_ref().find(|&other| other == char);
                kind.push(char);
            }
            '0'..='9' | '-' | '−' => {
                while chars.next_if(|char| char.is_ascii_digit()).is_some() {}
                if !kind.ends_with('#') {
                    kind.push('#');
                }
            }
            other => kind.push(other),
        }
    }
    kind
}

/// The first three of `names` in backquotes, with `…` if there are more.
pub fn first_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let mut names = names.into_iter();
    let shown = names.by_ref().take(SHOWN);
    let shown: Vec<_> = shown
        .map(|name| format!("`{}`", cut(name, NAME).escape_debug()))
        .collect();
    let more = if names.next().is_some() { " …" } else { "" };
    shown.join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_as_long_as_was_asked() {
        let text = "ä".repeat(50) + &"ö".repeat(50);
        for longest in 1..120 {
            let short = cut(&text, longest);
            assert_eq!(short.chars().count(), longest.min(100));
            assert_eq!(short.contains('…'), longest < 100);
        }
        assert_eq!(cut(&text, 0), "…");
    }

    #[test]
    fn kinds() {
        assert_eq!(kind("`a` and \"b\" have [1, 20] − 3"), "` and \" have [#, #] # #");
        assert_eq!(kind("an unclosed `quote"), "an unclosed `");
        assert_eq!(kind("two words: no name"), "two words: no name");
    }
}
