//! Why a plan does not become Rust.

use thiserror::Error;

use crate::plan::PlanFault;
use crate::tile::SpecError;

/// Why a plan did not become Rust.
#[derive(Debug, Error)]
pub enum EmitError {
    /// The plan is wrong: a mistake of the planner, not of the network.
    #[error("the plan is not sound, please report it: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanFault>),
    /// A tile kernel could not be made.
    #[error("not a tile: {0}")]
    Tile(#[from] SpecError),
}
