//! The loops around a tile's k-steps: unit loops dropped, short loops unrolled, long tap lists rolled up.

use super::spec::{Loop, TileSpec};

/// The loops that really run, outermost first, and the taps of the innermost body. The order of k-steps is always the
/// specification's: the weight stream is read in sequence.
///
/// Sums of steps and taps cannot overflow: `TileSpec::validate` bounded the whole extent.
pub(crate) struct Nest {
    pub(crate) loops: Vec<Loop>,
    pub(crate) taps: Vec<i32>,
}

impl Nest {
    fn plain(spec: &TileSpec) -> Self {
        let loops = spec.loops.iter().copied().filter(|l| l.count > 1).collect();
        Self {
            loops,
            taps: spec.taps.clone(),
        }
    }

    /// Unrolls from the inside, loops wholly or by a divisor of their count, while the body has at most `most` k-steps.
    pub(crate) fn unrolled(spec: &TileSpec, most: usize) -> Self {
        let Self { mut loops, mut taps } = Self::plain(spec);
        while let Some(inner) = loops.pop() {
            let count = inner.count as usize;
            let most = (most / taps.len()).min(count).max(1);
            let factor = (1..=most).rev().find(|f| count.is_multiple_of(*f)).unwrap_or(1);
            let body = taps.clone();
            for iteration in 1..factor {
                let shift = inner.input_step * iteration as i64;
                taps.extend(body.iter().map(|&tap| (i64::from(tap) + shift) as i32));
            }
            if factor < count {
                let count = (count / factor) as u32;
                loops.push(Loop {
                    count,
                    input_step: inner.input_step * factor as i64,
                });
                break;
            }
        }
        Self { loops, taps }
    }

    /// Turns taps that repeat at a constant distance into a loop of at most `most` k-steps, if they do.
    pub(crate) fn rolled(spec: &TileSpec, most: usize) -> Self {
        let Self { mut loops, mut taps } = Self::plain(spec);
        let len = taps.len();
        let repeats = |body: &usize| {
            let step = i64::from(taps[*body]) - i64::from(taps[0]);
            (*body..len).all(|i| i64::from(taps[i]) - i64::from(taps[i - body]) == step)
        };
        let bodies = (1..=most.min(len / 2)).rev().filter(|body| len.is_multiple_of(*body));
        if len > most
            && let Some(body) = bodies.into_iter().find(repeats)
        {
            let input_step = i64::from(taps[body]) - i64::from(taps[0]);
            loops.push(Loop {
                count: (len / body) as u32,
                input_step,
            });
            taps.truncate(body);
        }
        Self { loops, taps }
    }

    /// By how much the input moves at the end of an iteration of each loop, outermost first: its own step less what
    /// the loop inside it has moved already.
    pub(crate) fn advances(&self) -> Vec<i64> {
        let inner = self
            .loops
            .iter()
            .skip(1)
            .map(|l| l.input_step * i64::from(l.count))
            .chain([0]);
        self.loops
            .iter()
            .zip(inner)
            .map(|(l, moved)| l.input_step - moved)
            .collect()
    }
}
