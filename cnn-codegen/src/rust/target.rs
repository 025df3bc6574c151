//! What Rust code is planned for: machines of which nothing is known yet.

use cnn_runtime::memory::Caches;

use crate::plan::{Accuracy, Measurements, PlanOptions, TileIsa};

/// How networks are planned that become Rust, for batches of so many images and runs that so many threads share.
pub fn plan_options(batch: usize, threads: usize, no_std: bool) -> PlanOptions {
    PlanOptions {
        batch,
        // Tiles of the larger set also run everywhere, from a table.
        isa: if no_std { TileIsa::Portable } else { TileIsa::Avx2Fma },
        // Winograd's transformed weights and tiles take several times the memory, which is scarce without a system.
        accuracy: if no_std { Accuracy::Exact } else { Accuracy::Fast },
        threads: if no_std { 1 } else { threads },
        caches: Caches::TYPICAL,
        force: None,
        measured: Measurements::NONE,
    }
}
