//! Words of the text form.

use crate::diag::Diagnostic;
use crate::span::{Span, Spanned};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `conv`, `true`, `network`
    Word(String),
    /// `%c1`
    Name(String),
    /// `"tanh"`
    Text(String),
    Integer(i64),
    Float(f64),
    /// `( ) [ ] { } , =`
    Mark(char),
    /// `->`
    Arrow,
    End,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Name(name) => write!(f, "`%{name}`"),
            Token::Text(text) => write!(f, "the string {text:?}"),
            Token::Integer(number) => write!(f, "the number {number}"),
            Token::Float(number) => write!(f, "the number {number:?}"),
            Token::Mark(mark) => write!(f, "`{mark}`"),
            Token::Arrow => f.write_str("`->`"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// Splits a text into words, the last of which is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Spanned<Token>>, Vec<Diagnostic>> {
    let mut lexer = Lexer { text, at: 0 };
    let (mut tokens, mut errors) = (Vec::new(), Vec::new());
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.token();
        let span = Span::from(start..lexer.at);
        match token {
            Ok(Token::End) => {
                tokens.push(Spanned::new(Token::End, span));
                break;
            }
            Ok(token) => tokens.push(Spanned::new(token, span)),
            Err(message) => errors.push(Diagnostic::error(span, message)),
        }
    }
    if errors.is_empty() { Ok(tokens) } else { Err(errors) }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn skip_blank(&mut self) {
        loop {
            self.take(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take(|c| c != '\n');
        }
    }

    /// The next word. Always moves on, so that an error does not repeat itself.
    fn token(&mut self) -> Result<Token, String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if rest.starts_with("->") {
            self.at += 2;
            return Ok(Token::Arrow);
        }
        match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | '=' => {
                self.at += 1;
                Ok(Token::Mark(first))
            }
            '"' => self.string(),
            '%' => {
                self.at += 1;
                let name = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
                if crate::front::is_valid(name) {
                    return Ok(Token::Name(name.to_string()));
                }
                Err(
                    "`%` must be followed by a node's name: a letter or `_`, then letters, digits, `_`, `.`, `-`"
                        .into(),
                )
            }
            '-' | '+' | '0'..='9' => self.number(),
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
                Ok(Token::Word(word.to_string()))
            }
            other => {
                self.at += other.len_utf8();
                Err(format!("{other:?} means nothing here"))
            }
        }
    }

    fn number(&mut self) -> Result<Token, String> {
        let start = self.at;
        self.at += 1;
        self.take(|c| c.is_ascii_alphanumeric() || c == '.');
        // The sign of an exponent: 1e-5.
        if self.text[start..self.at].ends_with(['e', 'E']) && self.rest().starts_with(['-', '+']) {
            self.at += 1;
            self.take(|c| c.is_ascii_alphanumeric());
        }
        let digits = &self.text[start..self.at];
        if digits.contains(['.', 'e', 'E']) || digits.ends_with("inf") || digits.ends_with("NaN") {
            return digits
                .parse()
                .map(Token::Float)
                .map_err(|_| format!("`{digits}` is not a number"));
        }
        match digits.parse() {
            Ok(number) => Ok(Token::Integer(number)),
            Err(error) => Err(match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    format!("`{digits}` does not fit into 64 bits")
                }
                _ => format!("`{digits}` is not a number"),
            }),
        }
    }

    /// A string with Rust's escapes, which is how the printer writes it.
    fn string(&mut self) -> Result<Token, String> {
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        let start = self.at;
        let mut bad = None;
        while let Some((offset, c)) = chars.next() {
            self.at = start + offset + c.len_utf8();
            match c {
                '"' => return bad.map_or(Ok(Token::Text(value)), Err),
                '\n' => break,
                '\\' => {
                    let Some((offset, c)) = chars.next() else { break };
                    self.at = start + offset + c.len_utf8();
                    match c {
                        'n' => value.push('\n'),
                        'r' => value.push('\r'),
                        't' => value.push('\t'),
                        '0' => value.push('\0'),
                        '\\' | '"' | '\'' => value.push(c),
                        'u' => {
                            let digits: String = chars
                                .by_ref()
                                .map(|(_, c)| c)
                                .take_while(|c| *c != '}' && *c != '"')
                                .collect();
                            let code = digits
                                .strip_prefix('{')
                                .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                            match code.and_then(char::from_u32) {
                                Some(c) => value.push(c),
                                None => bad = Some(format!("`\\u{digits}` is not a character's number")),
                            }
                        }
                        other => bad = Some(format!("`\\{other}` means nothing in a string")),
                    }
                }
                c => value.push(c),
            }
        }
        self.at = self.at.max(start + 1);
        Err("this string has no end".to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexed(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|token| token.value).collect()
    }

    #[test]
    fn numbers_and_strings_as_printed() {
        for number in [0.0, -0.5, 1e-5, 1e300, 1e16, f64::NEG_INFINITY, 0.1] {
            assert_eq!(lexed(&format!("{number:?}"))[0], Token::Float(number));
        }
        for number in [0, -1, i64::MAX, i64::MIN] {
            assert_eq!(lexed(&format!("{number}"))[0], Token::Integer(number));
        }
        for text in ["", "a\"b", "\\", "\n\t\r\0", "ö\u{1}\u{10ffff}", "'"] {
            assert_eq!(lexed(&format!("{text:?}")), [Token::Text(text.into()), Token::End]);
        }
    }

    #[test]
    fn names_words_and_marks() {
        use Token::*;
        assert_eq!(
            lexed("%layer1.0-x=conv(%a)->[1] // all\n}"),
            [
                Name("layer1.0-x".into()),
                Mark('='),
                Word("conv".into()),
                Mark('('),
                Name("a".into()),
                Mark(')'),
                Arrow,
                Mark('['),
                Integer(1),
                Mark(']'),
                Mark('}'),
                End
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_reported_once_each() {
        for (text, count) in [
            ("\"abc", 1),
            ("\"a\\q\"", 1),
            ("§ ö", 2),
            ("%", 1),
            ("99999999999999999999", 1),
            ("\"\\u{zz}\" \"", 2),
        ] {
            assert_eq!(tokens(text).unwrap_err().len(), count, "{text}");
        }
    }
}
