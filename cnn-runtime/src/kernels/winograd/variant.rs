//! The matrices of each variant: G as numbers, Bᵀ and Aᵀ as the shortest chains of operations.
//!
//! Row p of G holds the powers of the point p over N(p), the product of its differences to the
//! other points; the signs and powers of two are moved between the matrices so that Bᵀ has few
//! factors. Pairs ±p share their even and odd parts.

use crate::kernels::lanes::Lanes;

/// Bᵀ and Aᵀ of a variant with A pixels and M outputs.
pub(super) trait Transforms<const A: usize, const M: usize> {
    /// Bᵀ d.
    fn input<L: Lanes>(d: [L; A]) -> [L; A];

    /// Aᵀ p.
    fn output<L: Lanes>(p: [L; A]) -> [L; M];
}

/// F(2, 3) with the points 0, 1, −1, ∞.
pub(super) struct F2x3;

impl F2x3 {
    pub(super) const G: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
}

impl Transforms<4, 2> for F2x3 {
    #[inline(always)]
    fn input<L: Lanes>(d: [L; 4]) -> [L; 4] {
        [d[0].sub(d[2]), d[1].add(d[2]), d[2].sub(d[1]), d[1].sub(d[3])]
    }

    #[inline(always)]
    fn output<L: Lanes>(p: [L; 4]) -> [L; 2] {
        [p[0].add(p[1]).add(p[2]), p[1].sub(p[2]).sub(p[3])]
    }
}

/// F(4, 3) with the points 0, 1, −1, 2, −2, ∞.
pub(super) struct F4x3;

impl F4x3 {
    pub(super) const G: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
}

impl Transforms<6, 4> for F4x3 {
    #[inline(always)]
    fn input<L: Lanes>(d: [L; 6]) -> [L; 6] {
        let even1 = d[2].times_plus(-4.0, d[4]);
        let odd1 = d[1].times_plus(-4.0, d[3]);
        let even2 = d[4].sub(d[2]);
        let odd2 = d[3].sub(d[1]);
        [
            d[0].times_plus(4.0, d[2].times_plus(-5.0, d[4])),
            even1.add(odd1),
            even1.sub(odd1),
            odd2.times_plus(2.0, even2),
            odd2.times_plus(-2.0, even2),
            d[1].times_plus(4.0, d[3].times_plus(-5.0, d[5])),
        ]
    }

    #[inline(always)]
    fn output<L: Lanes>(p: [L; 6]) -> [L; 4] {
        let (even1, odd1) = (p[1].add(p[2]), p[1].sub(p[2]));
        let (even2, odd2) = (p[3].add(p[4]), p[3].sub(p[4]));
        [
            p[0].add(even1).add(even2),
            odd2.times_plus(2.0, odd1),
            even2.times_plus(4.0, even1),
            odd2.times_plus(8.0, odd1).add(p[5]),
        ]
    }
}

/// F(4, 5) with the points 0, 1, −1, 2, −2, ½, −½, ∞.
pub(super) struct F4x5;

impl F4x5 {
    pub(super) const G: [[f64; 5]; 8] = [
        [1.0, 0.0, 0.0, 0.0, 0.0],
        Self::powers(1.0, -2.0 / 9.0),
        Self::powers(-1.0, -2.0 / 9.0),
        Self::powers(2.0, 1.0 / 90.0),
        Self::powers(-2.0, 1.0 / 90.0),
        Self::powers(0.5, 32.0 / 45.0),
        Self::powers(-0.5, 32.0 / 45.0),
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ];

    /// factor · (1, p, p², p³, p⁴).
    const fn powers(p: f64, factor: f64) -> [f64; 5] {
        let square = p * p;
        [
            factor,
            factor * p,
            factor * square,
            factor * square * p,
            factor * square * square,
        ]
    }
}

impl Transforms<8, 4> for F4x5 {
    #[inline(always)]
    fn input<L: Lanes>(d: [L; 8]) -> [L; 8] {
        let even1 = d[4].times_plus(-4.25, d[2].add(d[6]));
        let odd1 = d[3].times_plus(-4.25, d[1].add(d[5]));
        let even2 = d[4].times_plus(-1.25, d[2].times_plus(0.25, d[6]));
        let odd2 = d[3].times_plus(-1.25, d[1].times_plus(0.25, d[5]));
        let even3 = d[4].times_plus(-5.0, d[2].times_plus(4.0, d[6]));
        let odd3 = d[3].times_plus(-5.0, d[1].times_plus(4.0, d[5]));
        [
            d[4].sub(d[2]).times_plus(5.25, d[0].sub(d[6])),
            even1.add(odd1),
            even1.sub(odd1),
            odd2.times_plus(2.0, even2),
            odd2.times_plus(-2.0, even2),
            odd3.times_plus(0.5, even3),
            odd3.times_plus(-0.5, even3),
            d[3].sub(d[5]).times_plus(5.25, d[7].sub(d[1])),
        ]
    }

    #[inline(always)]
    fn output<L: Lanes>(p: [L; 8]) -> [L; 4] {
        let (even1, odd1) = (p[1].add(p[2]), p[1].sub(p[2]));
        let (even2, odd2) = (p[3].add(p[4]), p[3].sub(p[4]));
        let (even3, odd3) = (p[5].add(p[6]), p[5].sub(p[6]));
        [
            p[0].add(even1).add(even2.add(even3)),
            odd3.times_plus(0.5, odd2.times_plus(2.0, odd1)),
            even3.times_plus(0.25, even2.times_plus(4.0, even1)),
            odd3.times_plus(0.125, odd2.times_plus(8.0, odd1)).add(p[7]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use core::array::from_fn;

    use super::*;
    use crate::kernels::lanes::{LANES, Portable};
    use crate::kernels::winograd::Winograd;

    /// Loads the same value into all lanes.
    fn all(value: f32) -> Portable {
        // SAFETY: the array holds eight f32, and `Portable` needs no instructions.
        unsafe { Portable::load([value; LANES].as_ptr()) }
    }

    fn first(vector: Portable) -> f32 {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array holds eight f32.
        unsafe { vector.store(lanes.as_mut_ptr()) };
        lanes[0]
    }

    /// In one dimension, Aᵀ[(G g) ⊙ (Bᵀ d)] is the convolution, for every pair of unit vectors.
    fn check<V: Transforms<A, M>, const A: usize, const M: usize, const R: usize>(g: &[[f64; R]; A]) {
        let unit = |at, i| all(if i == at { 1.0 } else { 0.0 });
        for pixel in 0..A {
            let input = V::input(from_fn(|i| unit(pixel, i))).map(first);
            for tap in 0..R {
                let column = g.map(|row| row[tap]);
                let product = |i: usize| (f64::from(input[i]) * column[i]) as f32;
                let output = V::output(from_fn(|i| all(product(i)))).map(first);
                for (i, sum) in output.into_iter().enumerate() {
                    let want = if pixel == i + tap { 1.0 } else { 0.0 };
                    assert!((sum - want).abs() < 2e-6, "{pixel} {tap} {i}: {sum}");
                }
            }
        }
    }

    #[test]
    fn matrices_compute_convolutions() {
        check::<F2x3, 4, 2, 3>(&F2x3::G);
        check::<F4x3, 6, 4, 3>(&F4x3::G);
        check::<F4x5, 8, 4, 5>(&F4x5::G);
    }

    #[test]
    fn filters_are_transformed_from_both_sides() {
        // A filter of rank one, u vᵀ, becomes (G u)(G v)ᵀ.
        let (u, v) = ([1.0f32, -2.0, 0.5], [3.0f32, 0.25, -1.0]);
        let filter: Vec<f32> = u.iter().flat_map(|a| v.map(|b| a * b)).collect();
        let mut transformed = [0.0; 36];
        Winograd::F4x3.transform_filter(&filter, &mut transformed);
        let dot = |row: &[f64; 3], x: &[f32; 3]| -> f64 { row.iter().zip(x).map(|(g, &x)| g * f64::from(x)).sum() };
        for (i, row) in F4x3::G.iter().enumerate() {
            for (j, column) in F4x3::G.iter().enumerate() {
                let want = dot(row, &u) * dot(column, &v);
                assert!((f64::from(transformed[i * 6 + j]) - want).abs() < 1e-7);
            }
        }
    }
}
