//! What the tests of several crates share.
//!
//! | module | what it owns |
//! |---|---|
//! | [`fixtures`] | `tests/fixtures/ops`: model files with weights, inputs and outputs that another system computed |
//! | [`random`] | valid networks, the same for the same seed everywhere |
//! | [`distance`] | how far outputs are from what is expected |
//! | `engines` | everything that can run a graph, each with its tolerance (feature `engines`) |
//!
//! ```
//! let seed = 7;
//! assert_eq!(cnn_testing::random::model(seed), cnn_testing::random::model(seed));
//! assert!(cnn_testing::fixtures::all().iter().any(|fixture| fixture.name == "dense"));
//! ```

pub mod distance;
#[cfg(feature = "engines")]
pub mod engines;
pub mod fixtures;
pub mod random;
