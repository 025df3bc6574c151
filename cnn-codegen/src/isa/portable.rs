//! Every machine: Cranelift's vectors of four floats, or emitted Rust.

use super::Facts;

pub(super) const FACTS: Facts = Facts {
    machine_code: false,
    #[cfg(feature = "jit")]
    cranelift: &[],
    pairs: None,
    panels: &[(1, 5)],
    one_pixel: 4,
    fixed: None,
    pass_bytes: 48 << 10,
};
