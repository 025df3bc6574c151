//! The part of a source that one diagnostic shows, with what is too long for a screen left out of its lines.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

/// Longer lines, in bytes, are cut around the places that are shown.
pub(super) const LONGEST_LINE: usize = 400;
/// What stays on both sides of a place, in bytes.
const AROUND: usize = 60;

/// Some lines of a source. Lines and columns are counted as there.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    name: &'a str,
    source: &'a str,
    text: String,
    lines: Vec<Line>,
    /// How many lines of the source come before these.
    skipped: usize,
}

#[derive(Debug)]
struct Line {
    /// Where it begins in the text.
    start: usize,
    /// Where it is in the source, without what ends it.
    origin: Range<usize>,
    /// What is left of it, in order.
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    /// Where it begins in the text.
    at: usize,
    origin: Range<usize>,
}

impl<'a> Excerpt<'a> {
    /// The lines of `source` from the first to the last of `places`, each of which stays visible at both ends, and the
    /// line before and after them. Of lines between that hold no place as little is kept.
    pub(super) fn new(name: &'a str, source: &'a str, places: &[Range<usize>]) -> Excerpt<'a> {
        let mut ends: Vec<usize> = places.iter().flat_map(|place| [place.start, place.end]).collect();
        ends.sort_unstable();
        let first = ends.first().copied().unwrap_or(0);
        let last = ends.last().copied().unwrap_or(0);
        let line_before = |at: usize| source[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = line_before(line_before(first).saturating_sub(1));
        let mut excerpt = Excerpt {
            name,
            source,
            text: String::new(),
            lines: Vec::new(),
            skipped: source[..start].matches('\n').count(),
        };
        let mut at = start;
        let mut after = 0;
        for line in source[start..].split('\n') {
            let origin = at..at + line.len();
            at = origin.end + 1;
            let held = &ends[ends.partition_point(|&end| end < origin.start)..];
            let held = &held[..held.partition_point(|&end| end <= origin.end)];
            after += usize::from(origin.start > last);
            excerpt.push(origin, held);
            if after > 0 {
                break;
            }
        }
        excerpt
    }

    fn push(&mut self, origin: Range<usize>, held: &[usize]) {
        let whole = &self.source[origin.clone()];
        let kept = match (origin.len() <= LONGEST_LINE, held) {
            (true, _) => vec![origin.clone()],
            (false, []) => vec![self.around(origin.start, &origin)],
            (false, held) => {
                let mut kept: Vec<Range<usize>> = Vec::new();
                for range in held.iter().map(|&place| self.around(place, &origin)) {
                    match kept.last_mut() {
                        Some(last) if range.start <= last.end => last.end = range.end,
                        _ => kept.push(range),
                    }
                }
                kept
            }
        };
        let mut line = Line {
            start: self.text.len(),
            origin,
            pieces: Vec::new(),
        };
        let mut end = line.origin.start;
        for piece in kept {
            if piece.start > end {
                self.text.push('…');
            }
            let part = &whole[piece.start - line.origin.start..piece.end - line.origin.start];
            end = piece.end;
            line.pieces.push(Piece {
                at: self.text.len(),
                origin: piece,
            });
            self.text += part;
        }
        if end < line.origin.end {
            self.text.push('…');
        }
        self.text.push('\n');
        self.lines.push(line);
    }

    fn around(&self, place: usize, line: &Range<usize>) -> Range<usize> {
        let start = self.source.ceil_char_boundary(place.saturating_sub(AROUND));
        let end = self.source.floor_char_boundary(place.saturating_add(AROUND));
        start.max(line.start)..end.min(line.end)
    }

    /// Where a place of the source is in the excerpt's text.
    pub(super) fn moved(&self, place: usize) -> usize {
        let line = self.lines.partition_point(|line| line.origin.start <= place).max(1);
        let Some(line) = self.lines.get(line - 1) else {
            return 0;
        };
        let piece = line.pieces.partition_point(|piece| piece.origin.start <= place).max(1);
        let piece = &line.pieces[piece - 1]; // every line has a piece
        piece.at + place.clamp(piece.origin.start, piece.origin.end) - piece.origin.start
    }

    fn line(&self, index: usize) -> Result<&Line, Error> {
        let max = self.lines.len().saturating_sub(1);
        let missing = Error::LineTooLarge { given: index, max };
        self.lines.get(index).ok_or(missing)
    }
}

impl<'f> Files<'f> for Excerpt<'_> {
    type FileId = ();
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, (): ()) -> Result<&'f str, Error> {
        Ok(self.name)
    }

    fn source(&'f self, (): ()) -> Result<&'f str, Error> {
        Ok(&self.text)
    }

    fn line_index(&'f self, (): (), at: usize) -> Result<usize, Error> {
        Ok(self.lines.partition_point(|line| line.start <= at).max(1) - 1)
    }

    fn line_number(&'f self, (): (), index: usize) -> Result<usize, Error> {
        Ok(self.skipped + index + 1)
    }

    fn column_number(&'f self, (): (), index: usize, at: usize) -> Result<usize, Error> {
        let line = self.line(index)?;
        let piece = line.pieces.partition_point(|piece| piece.at <= at).max(1);
        let piece = &line.pieces[piece - 1];
        let place = (piece.origin.start + at.saturating_sub(piece.at)).min(piece.origin.end);
        Ok(self.source[line.origin.start..place].chars().count() + 1)
    }

    fn line_range(&'f self, (): (), index: usize) -> Result<Range<usize>, Error> {
        let start = self.line(index)?.start;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |next| next.start);
        Ok(start..end)
    }
}
