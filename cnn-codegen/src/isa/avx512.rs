//! x86-64 with AVX-512: thirty-two registers of sixteen floats.
//!
//! A register of sixteen holds two blocks of channels of one pixel. On Zen 4 multiply–adds are as fast in either width;
//! what is gained is that a tile of 14 × 32 reads each weight and each input half as often as AVX2's of 6 × 16. That counts
//! where weights come from the second-level cache or beyond: 3×3 512→512 at 7² goes from 89 to 97 % of the peak, 256→256
//! at 14² from 97 to 99 %. Everything else is computed by AVX2's tiles, because they are as fast or faster: one register of
//! sixteen a pixel reaches 74 % (6 × 16: 100 %), the registers of eight in AVX-512's encoding 72 % (12 × 8: 90 %), and with
//! few k-steps the halves' stores weigh (1×1 64→256: 96 for 99 %).

use super::{Facts, Pairs};

pub(super) const FACTS: Facts = Facts {
    machine_code: true,
    // Loop code gains nothing from the others.
    #[cfg(feature = "jit")]
    cranelift: super::avx2::FACTS.cranelift,
    pairs: Some(Pairs { vectors: 4, steps: 128 }),
    panels: &[(4, 14), (6, 8), (2, 6), (3, 4), (1, 12)],
    one_pixel: 8,
    fixed: Some(6),
    pass_bytes: 48 << 10,
};
