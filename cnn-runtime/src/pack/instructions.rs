//! The instructions that packing makes use of.

use std::array::from_fn;

use super::LANES;

/// Eight vectors of eight.
pub(super) type Square = [[f32; LANES]; LANES];

/// An instruction set that this processor has: a value of it is the proof. Results do not depend on it.
pub(super) trait Instructions: Copy {
    /// Exchanges rows and columns.
    fn transpose(self, rows: Square) -> Square;
}

/// What every processor has.
#[derive(Clone, Copy)]
pub(super) struct Baseline;

impl Instructions for Baseline {
    #[inline(always)]
    fn transpose(self, rows: Square) -> Square {
        from_fn(|column| from_fn(|row| rows[row][column]))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Avx2;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    use super::{Instructions, Square};

    /// x86-64 with AVX2.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(());

    impl Avx2 {
        /// If this processor has it.
        pub(in super::super) fn detect() -> Option<Avx2> {
            is_x86_feature_detected!("avx2").then_some(Avx2(()))
        }
    }

    impl Instructions for Avx2 {
        #[inline(always)]
        fn transpose(self, rows: Square) -> Square {
            // SAFETY: `self` proves that the processor has the instructions.
            unsafe { transpose(rows) }
        }
    }

    /// In three rounds of exchanges: of neighbours, of pairs, of halves.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose(rows: Square) -> Square {
        const PAIRS: [i32; 2] = [0b01_00_01_00, 0b11_10_11_10];
        const HALVES: [i32; 2] = [0x20, 0x31];
        let [a, b, c, d, e, f, g, h]: [__m256; 8] = bytemuck::cast(rows);
        let (a, b) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (c, d) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        let (e, f) = (_mm256_unpacklo_ps(e, f), _mm256_unpackhi_ps(e, f));
        let (g, h) = (_mm256_unpacklo_ps(g, h), _mm256_unpackhi_ps(g, h));
        let first = [
            _mm256_shuffle_ps::<{ PAIRS[0] }>(a, c),
            _mm256_shuffle_ps::<{ PAIRS[1] }>(a, c),
            _mm256_shuffle_ps::<{ PAIRS[0] }>(b, d),
            _mm256_shuffle_ps::<{ PAIRS[1] }>(b, d),
        ];
        let last = [
            _mm256_shuffle_ps::<{ PAIRS[0] }>(e, g),
            _mm256_shuffle_ps::<{ PAIRS[1] }>(e, g),
            _mm256_shuffle_ps::<{ PAIRS[0] }>(f, h),
            _mm256_shuffle_ps::<{ PAIRS[1] }>(f, h),
        ];
        let columns: [__m256; 8] = [
            _mm256_permute2f128_ps::<{ HALVES[0] }>(first[0], last[0]),
            _mm256_permute2f128_ps::<{ HALVES[0] }>(first[1], last[1]),
            _mm256_permute2f128_ps::<{ HALVES[0] }>(first[2], last[2]),
            _mm256_permute2f128_ps::<{ HALVES[0] }>(first[3], last[3]),
            _mm256_permute2f128_ps::<{ HALVES[1] }>(first[0], last[0]),
            _mm256_permute2f128_ps::<{ HALVES[1] }>(first[1], last[1]),
            _mm256_permute2f128_ps::<{ HALVES[1] }>(first[2], last[2]),
            _mm256_permute2f128_ps::<{ HALVES[1] }>(first[3], last[3]),
        ];
        bytemuck::cast(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(instructions: impl Instructions) {
        let columns = instructions.transpose(from_fn(|row| from_fn(|column| (10 * row + column) as f32)));
        for (column, rows) in columns.iter().enumerate() {
            for (row, &value) in rows.iter().enumerate() {
                assert_eq!(value, (10 * row + column) as f32);
            }
        }
    }

    #[test]
    fn rows_become_columns() {
        check(Baseline);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            check(avx2);
        }
    }
}
