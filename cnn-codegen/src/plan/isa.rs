//! The instruction sets that tiles are cut for.

use crate::tile;

/// What the tile kernels are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileIsa {
    /// Own machine code of 256-bit fused multiply–adds: x86-64 with AVX2 and FMA.
    Avx2Fma,
    /// Cranelift's 128-bit vectors, on every machine.
    Portable,
}

impl TileIsa {
    /// The best that this machine has.
    pub fn detect() -> TileIsa {
        if tile::supported() {
            TileIsa::Avx2Fma
        } else {
            TileIsa::Portable
        }
    }

    /// Numbers of vectors that a panel may have.
    pub(crate) fn vectors(self) -> &'static [usize] {
        match self {
            TileIsa::Avx2Fma => &[2, 3, 1],
            TileIsa::Portable => &[1],
        }
    }

    /// The most pixels of a tile with so many vectors: what the sixteen vector registers hold.
    pub(crate) fn pixels(self, vectors: usize) -> usize {
        match (self, vectors) {
            (TileIsa::Avx2Fma, 1) => 12,
            (TileIsa::Avx2Fma, 2) => 6,
            (TileIsa::Avx2Fma, 3) => 4,
            (TileIsa::Portable, 1) => 5,
            (TileIsa::Avx2Fma | TileIsa::Portable, _) => 1,
        }
    }

    /// The share of the peak that the largest tile with so many vectors reaches, measured; weighted by its vectors.
    pub(crate) fn share(self, vectors: usize) -> f64 {
        match vectors {
            1 => 0.88,
            _ => 1.0,
        }
    }

    /// Vectors of a panel for one pixel, where weights stream from memory: as even as possible, at most eight
    /// accumulators.
    pub(crate) fn vectors_of_one_pixel(self, blocks: usize) -> usize {
        let most = match self {
            TileIsa::Avx2Fma => 8,
            TileIsa::Portable => 4,
        };
        evenly(blocks, most)
    }

    /// The same for 16-bit weights, whose tile has two sums for each vector and is for AVX2 only.
    pub(crate) fn vectors_of_fixed(self, blocks: usize) -> Option<usize> {
        match self {
            TileIsa::Avx2Fma => Some(evenly(blocks, 6)),
            TileIsa::Portable => None,
        }
    }

    /// Vectors of a panel for several pixels that share their weights.
    pub(crate) fn vectors_of_many(self, blocks: usize) -> usize {
        self.vectors()
            .iter()
            .copied()
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
        for isa in [TileIsa::Avx2Fma, TileIsa::Portable] {
            for blocks in 1..200usize {
                let fixed = isa.vectors_of_fixed(blocks);
                for vectors in fixed.into_iter().chain([isa.vectors_of_one_pixel(blocks)]) {
                    assert!(
                        blocks.div_ceil(vectors) * vectors <= blocks.next_multiple_of(8),
                        "{blocks} blocks by {vectors}"
                    );
                }
            }
        }
    }
}
