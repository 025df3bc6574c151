//! Operators' names in a plan that is stored: only names of operators come back.

use cnn_ir::op::Op;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let name: &str = Deserialize::deserialize(deserializer)?;
    Op::known_name(name).ok_or_else(|| D::Error::custom("there is no such operator"))
}
