//! A node's attributes: typed, with defaults, and an account of which were understood.

use std::cell::RefCell;

use crate::proto::{self, kind};
use crate::tensor::Tensor;

/// Attributes that say nothing about inference, or repeat what is known: found in files of many operators.
const IRRELEVANT: [&str; 5] = ["consumed_inputs", "is_test", "momentum", "storage_order", "stash_type"];

/// The attributes of a node.
pub(crate) struct Attributes<'a> {
    all: &'a [proto::Attribute],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(node: &'a proto::Node) -> Self {
        Attributes {
            all: &node.attribute,
            asked: RefCell::default(),
        }
    }

    fn find(&self, name: &'static str, kind: i32, what: &str) -> Result<Option<&'a proto::Attribute>, String> {
        self.asked.borrow_mut().push(name);
        let Some(found) = self.all.iter().find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        // Files of IR version 1 do not say the kind.
        if found.kind == kind || found.kind == 0 {
            Ok(Some(found))
        } else {
            Err(format!("attribute `{name}` must be {what}"))
        }
    }

    pub(crate) fn int(&self, name: &'static str, default: i64) -> Result<i64, String> {
        Ok(self.optional_int(name)?.unwrap_or(default))
    }

    pub(crate) fn optional_int(&self, name: &'static str) -> Result<Option<i64>, String> {
        Ok(self.find(name, kind::INT, "an integer")?.map(|found| found.i))
    }

    /// 0 or 1.
    pub(crate) fn flag(&self, name: &'static str, default: bool) -> Result<bool, String> {
        Ok(self.int(name, default.into())? != 0)
    }

    pub(crate) fn float(&self, name: &'static str, default: f32) -> Result<f32, String> {
        Ok(self.optional_float(name)?.unwrap_or(default))
    }

    pub(crate) fn optional_float(&self, name: &'static str) -> Result<Option<f32>, String> {
        Ok(self.find(name, kind::FLOAT, "a float")?.map(|found| found.f))
    }

    pub(crate) fn text(&self, name: &'static str, default: &'static str) -> Result<&'a str, String> {
        match self.find(name, kind::STRING, "a string")? {
            Some(found) => std::str::from_utf8(&found.s).map_err(|_| format!("attribute `{name}` is not UTF-8")),
            None => Ok(default),
        }
    }

    pub(crate) fn texts(&self, name: &'static str) -> Result<Option<Vec<&'a str>>, String> {
        let Some(found) = self.find(name, kind::STRINGS, "a list of strings")? else {
            return Ok(None);
        };
        let texts = found.strings.iter().map(|text| std::str::from_utf8(text));
        let texts: Result<_, _> = texts.collect();
        texts.map(Some).map_err(|_| format!("attribute `{name}` is not UTF-8"))
    }

    pub(crate) fn ints(&self, name: &'static str) -> Result<Option<&'a [i64]>, String> {
        Ok(self
            .find(name, kind::INTS, "a list of integers")?
            .map(|found| &*found.ints))
    }

    pub(crate) fn floats(&self, name: &'static str) -> Result<Option<&'a [f32]>, String> {
        Ok(self
            .find(name, kind::FLOATS, "a list of floats")?
            .map(|found| &*found.floats))
    }

    pub(crate) fn tensor(&self, name: &'static str) -> Result<Option<Tensor>, String> {
        let Some(message) = self
            .find(name, kind::TENSOR, "a tensor")?
            .and_then(|found| found.t.as_ref())
        else {
            return Ok(None);
        };
        let inside = |_: &[proto::StringStringEntry]| Err("its data cannot be in another file".to_owned());
        match Tensor::read(message, inside) {
            Ok(tensor) => Ok(Some(tensor)),
            Err(problem) => Err(format!("attribute `{name}`: {problem}")),
        }
    }

    /// Marks an attribute as understood although its value does not matter.
    pub(crate) fn ignore(&self, name: &'static str) {
        self.asked.borrow_mut().push(name);
    }

    /// An attribute that nobody asked for would be ignored silently: which there is, if any.
    pub(crate) fn finish(&self) -> Result<(), String> {
        let asked = self.asked.borrow();
        let known = |name: &str| asked.contains(&name) || IRRELEVANT.contains(&name);
        match self.all.iter().find(|attribute| !known(&attribute.name)) {
            None => Ok(()),
            Some(unknown) if asked.is_empty() => Err(format!(
                "attribute {} is not known; the operator has none here",
                crate::error::quoted(&unknown.name)
            )),
            Some(unknown) => Err(format!(
                "attribute {} is not known; known are {}",
                crate::error::quoted(&unknown.name),
                asked.join(", ")
            )),
        }
    }
}
