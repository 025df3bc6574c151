//! A plan as bytes, and back: what comes back is verified before it is a plan again.

use thiserror::Error;

use super::data::{Plan, PlanData};
use super::verify::{PlanFault, verify};

/// Bytes that are no plan.
#[derive(Debug, Error)]
pub enum StoredPlanError {
    /// They are not what a plan is stored as.
    #[error("the plan cannot be read: {0}")]
    Form(#[from] postcard::Error),
    /// They are, but what they say is not sound.
    #[error("the plan is not sound: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unsound(Vec<PlanFault>),
}

impl Plan {
    /// The plan as bytes, for [`from_bytes`](Self::from_bytes) of the same version of this library.
    ///
    /// # Errors
    /// None that a plan is known to cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredPlanError> {
        Ok(postcard::to_allocvec::<PlanData>(self)?)
    }

    /// The plan that was stored as these bytes: any bytes are a sound plan or an error.
    ///
    /// # Errors
    /// [`StoredPlanError`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Plan, StoredPlanError> {
        let data: PlanData = postcard::from_bytes(bytes)?;
        match verify(&data) {
            Ok(()) => Ok(Plan::new(data)),
            Err(faults) => Err(StoredPlanError::Unsound(faults)),
        }
    }
}
