//! What an instruction set means for plans and kernels: one file of facts a set, and one place that chooses.
//!
//! A new set is a file here with its tile shapes, a [`Width`](crate::tile::Width) if its machine code is encoded in
//! another way, and a line each in [`facts`], `cnn_types::InstructionSet` and `cnn-runtime/src/kernels/isa.rs`.

mod avx2;
mod avx512;
mod portable;

use cnn_types::InstructionSet;

/// What is to be known about an instruction set. Vectors are of eight floats: a block of channels.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Whether tiles are machine code of this project's; else they are loop code.
    pub(crate) machine_code: bool,
    /// What Cranelift calls the instructions that every processor with the set has besides those of its architecture.
    #[cfg(feature = "jit")]
    pub(crate) cranelift: &'static [&'static str],
    /// From how many vectors on, and for how many k-steps at least, an even number of them is computed two at a time, in
    /// registers of sixteen floats; `None` if there are none.
    pub(crate) pairs: Option<Pairs>,
    /// Numbers of vectors that a panel may have, the best first, with the most pixels of a tile of so many.
    panels: &'static [(usize, usize)],
    /// Most vectors of a panel for one pixel, where weights stream from memory.
    one_pixel: usize,
    /// The same for 16-bit weights, whose tile has two sums for each vector; `None` if there is no such tile.
    fixed: Option<usize>,
    /// Bytes of weights that one pass over the pixels uses. They are read again for each tile, so they should stay in a
    /// cache that is fast enough: the first level's, or the second's if a tile has many pixels.
    pub(crate) pass_bytes: usize,
}

/// When vectors of eight floats are computed in pairs.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// From so many vectors of a panel on.
    pub(crate) vectors: usize,
    /// k-steps of a panel at least: storing pairs takes longer, as their halves go to different blocks of channels.
    steps: usize,
}

/// The facts of an instruction set.
pub(crate) fn facts(set: InstructionSet) -> &'static Facts {
    match set {
        InstructionSet::Portable => &portable::FACTS,
        InstructionSet::Avx2 => &avx2::FACTS,
        InstructionSet::Avx512 => &avx512::FACTS,
    }
}

impl Facts {
    /// Numbers of vectors that a panel of so many k-steps may have, the best first.
    pub(crate) fn vectors(&self, steps: usize) -> impl Iterator<Item = usize> {
        let vectors = self.panels.iter().map(|&(vectors, _)| vectors);
        vectors.filter(move |&vectors| match &self.pairs {
            Some(pairs) => vectors < pairs.vectors || steps >= pairs.steps,
            None => true,
        })
    }

    /// The most pixels of a tile with so many vectors: what the registers hold.
    pub(crate) fn pixels(&self, vectors: usize) -> usize {
        let panel = self.panels.iter().find(|(panel, _)| *panel == vectors);
        panel.map_or(1, |&(_, pixels)| pixels)
    }

    /// The share of the peak that the largest tile with so many vectors reaches, measured.
    pub(crate) fn share(&self, vectors: usize) -> f64 {
        match vectors {
            1 => 0.88,
            _ => 1.0,
        }
    }

    /// Vectors of a panel for one pixel, where weights stream from memory: as even as possible.
    pub(crate) fn vectors_of_one_pixel(&self, blocks: usize) -> usize {
        evenly(blocks, self.one_pixel)
    }

    /// The same for 16-bit weights.
    pub(crate) fn vectors_of_fixed(&self, blocks: usize) -> Option<usize> {
        self.fixed.map(|most| evenly(blocks, most))
    }

    /// Vectors of a panel of so many k-steps for several pixels that share its weights.
    pub(crate) fn vectors_of_many(&self, blocks: usize, steps: usize) -> usize {
        self.vectors(steps)
            .find(|vectors| blocks.is_multiple_of(*vectors))
            .unwrap_or(1)
    }
}

/// Vectors of a panel, at most `most`, so that the last has as little to spare as possible.
fn evenly(blocks: usize, most: usize) -> usize {
    let waste = |vectors: usize| blocks.div_ceil(vectors) * vectors - blocks;
    // Fewer than four accumulators wait for each other.
    (most.min(blocks).min(4)..=most.min(blocks))
        .rev()
        .min_by_key(|&vectors| waste(vectors))
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_panel_stays_within_the_padding_of_a_vector() {
        for set in InstructionSet::ALL {
            let facts = facts(set);
            for blocks in 1..200usize {
                let fixed = facts.vectors_of_fixed(blocks);
                for vectors in fixed.into_iter().chain([facts.vectors_of_one_pixel(blocks)]) {
                    assert!(
                        blocks.div_ceil(vectors) * vectors <= blocks.next_multiple_of(8),
                        "{blocks} blocks by {vectors}"
                    );
                }
            }
        }
    }
}
