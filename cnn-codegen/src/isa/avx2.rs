//! x86-64 with AVX2 and FMA: sixteen registers of eight floats.

use super::Facts;

pub(super) const FACTS: Facts = Facts {
    machine_code: true,
    #[cfg(feature = "jit")]
    cranelift: &[
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
        "has_popcnt",
        "has_avx",
        "has_avx2",
        "has_fma",
    ],
    pairs: None,
    panels: &[(2, 6), (3, 4), (1, 12)],
    one_pixel: 8,
    fixed: Some(6),
    pass_bytes: 48 << 10,
};
