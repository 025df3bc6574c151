//! x86-64 with AVX2 and FMA: sixteen registers of eight floats.

use super::Facts;

pub(super) const FACTS: Facts = Facts {
    machine_code: true,
    pairs: None,
    panels: &[(2, 6), (3, 4), (1, 12)],
    one_pixel: 8,
    fixed: Some(6),
    pass_bytes: 48 << 10,
};
