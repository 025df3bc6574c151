//! The order of the multiply–adds of one sum, and which of them are unrolled. The only place that decides it: the tile
//! lowering may only join short loops that are named here.

use super::layer::bytes;
use crate::tile::Loop;

/// Unrolled k-steps that a tile should have: enough to hide the loop, few enough for the instruction cache.
const UNROLL: usize = 40;
/// The same for channels, whose loop is the outermost.
const UNROLL_CHANNELS: usize = 12;
/// k-steps that the loop over a block of 16-bit weights unrolls, the first that divide it.
const UNROLL_FIXED: [usize; 2] = [8, 4];

/// The loops and taps of one pass over `channels` channels of the input.
pub(crate) struct Reduction {
    pub(crate) loops: Vec<Loop>,
    pub(crate) taps: Vec<i32>,
}

impl Reduction {
    /// `axes` are (count, step in bytes), outermost first: the innermost ones are unrolled as far as they should be.
    pub(crate) fn new(axes: &[(usize, i64)]) -> Reduction {
        let mut taps = vec![0i64];
        let mut loops = Vec::new();
        for (position, &(count, step)) in axes.iter().enumerate().rev() {
            // Once a loop is left, everything around it is a loop too.
            let most = match (loops.is_empty(), position) {
                (false, _) => 1,
                // Channels: the lowering unrolls a short body itself, and long code is slow.
                (true, 0) => UNROLL_CHANNELS / taps.len(),
                (true, _) => UNROLL / taps.len(),
            };
            let unrolled = (1..=most.clamp(1, count))
                .rev()
                .find(|factor| count % factor == 0)
                .unwrap_or(1);
            taps = (0..unrolled as i64)
                .flat_map(|i| taps.iter().map(move |tap| i * step + tap))
                .collect();
            if unrolled < count {
                loops.insert(
                    0,
                    Loop {
                        count: (count / unrolled) as u32,
                        input_step: step * unrolled as i64,
                    },
                );
            }
        }
        Reduction {
            loops,
            taps: taps.into_iter().map(offset).collect(),
        }
    }

    /// Of `inputs` 16-bit weights in blocks of `block` that share a scale: a loop over blocks, one within a block. `None`
    /// if blocks do not divide the inputs, or cannot be unrolled evenly.
    pub(crate) fn fixed(inputs: usize, block: usize) -> Option<Reduction> {
        let unroll = UNROLL_FIXED.into_iter().find(|&steps| block.is_multiple_of(steps))?;
        let over = |count: usize, floats: usize| Loop {
            count: count as u32,
            input_step: bytes(floats),
        };
        inputs.is_multiple_of(block).then(|| Reduction {
            loops: vec![over(inputs / block, block), over(block / unroll, unroll)],
            taps: (0..unroll).map(|step| bytes(step) as i32).collect(),
        })
    }
}

/// An offset inside a tile; one that does not fit is refused when the specification is validated.
pub(crate) fn offset(bytes: i64) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
