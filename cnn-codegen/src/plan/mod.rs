//! The plan: everything that is decided about running a network, as data.
//!
//! [`build`] turns a validated graph into steps over buffers. Afterwards nothing looks at the graph any more: back
//! ends carry out the plan and cannot disagree about it.
//!
//! - Maps inside the network are [blocked](Layout::Blocked) by eight channels, so that a vector is eight channels of
//!   one pixel; vectors, inputs and outputs are planar.
//! - Convolutions and dense layers are [sweeps](Sweep) of a register tile over pixels and panels of filters;
//!   depthwise ones too, with a tile that multiplies lane by lane.
//! - A concatenation's operands are written into its buffer at once where they begin at a whole block.
//! - Maps of 8-bit integers are pixel by pixel, with the integer that stands for 0 around them.
//! - Weights are [recipes](Recipe), carried out when they are loaded.
//!
//! | room | what it owns | may use |
//! |---|---|---|
//! | `data` | the plan as data: types, layouts, lifetimes, text | |
//! | `options` | what a plan is made for, and why there may be none | `data` |
//! | `convolution` | how a convolution or dense layer gets its kernel: read it from top to bottom | `data`, `options` |
//! | `build` | graph → plan: aliasing, buffers, order, one step after the other | all above |
//! | `verify` | checks a plan without trusting the planner | `data` |
//! | `stored` | a plan as bytes, verified when it is read | `data`, `verify` |

mod build;
mod convolution;
mod data;
mod options;
#[cfg(feature = "jit")]
mod stored;
mod verify;

pub use build::build;
pub use cnn_types::InstructionSet;
pub use data::{
    Access, Algorithm, AlongKind, AlongWork, Buffer, BufferId, Combination, Constant, ConstantId, Copy, Elementwise,
    Gather, GatherSource, IntegerKind, IntegerWork, Interpolate, Lanes, Layout, Move, Nest, OperatorName, Peak, Plan,
    PlanData, PoolWindow, Port, Recipe, RecurrentMemory, RecurrentTiles, RecurrentWork, Region, Repeat, Segment, Step,
    StepWeights, Storage, Strides, Sweep, View, Windows, WinogradWork, Work, layout, peak, to_json, to_text,
};
pub use options::{Accuracy, PlanError, PlanOptions};
#[cfg(feature = "jit")]
pub use stored::StoredPlanError;
pub use verify::{PlanFault, verify};
