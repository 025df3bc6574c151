//! Writing a compiled file.

use std::io;
use std::path::Path;

use cnn_codegen::compile;
use cnn_codegen::plan::InstructionSet;

use super::format::{Header, PAGE, Sections, Variant};
use super::stored::Stored;
use super::{interface, target};
use crate::io::atomic;
use crate::{Backend, Error, Model, Options, Weights};

impl Model {
    /// Compiles the network for these weights and each of the instruction sets, and writes all that is needed to run it
    /// into one file, which is loaded without being compiled again: see [`CompiledFile`](crate::CompiledFile). Gives the
    /// file's length. This machine need not have the instruction sets.
    ///
    /// `options` say the batch, whether it is exact, and for how many threads work is divided; their instruction set
    /// counts for none.
    ///
    /// # Errors
    /// As [`compile`](Self::compile); [`Error::Io`] and [`Error::File`] of writing.
    pub fn write_compiled(
        &self,
        path: impl AsRef<Path>,
        weights: &Weights,
        options: &Options,
        sets: &[InstructionSet],
    ) -> Result<u64, Error> {
        if self.compiled().is_some() {
            return Err(Error::Option(format!("`{}` is compiled already", self.name())));
        }
        if options.backend != Backend::Jit {
            return Err(Error::Option("the interpreter does not compile".into()));
        }
        if sets.is_empty() {
            return Err(Error::Option("expected an instruction set to compile for".into()));
        }
        let internal = |error: postcard::Error| Error::Internal(error.to_string());
        let stored = postcard::to_allocvec(&Stored::new(self, options)).map_err(internal)?;
        let mut failure = None;
        let mut length = 0;
        let written = atomic::write(path.as_ref(), |to| {
            let mut file = Sections::new(to)?;
            let model = file.section(&stored, 1)?;
            let mut variants = Vec::with_capacity(sets.len());
            for &isa in sets {
                let options = Options {
                    isa: Some(isa),
                    ..options.clone()
                };
                match self.variant(weights, &options, isa, &mut file) {
                    Ok(variant) => variants.push(variant),
                    Err(VariantError::Compile(error)) => {
                        failure = Some(error);
                        return Err(io::Error::other("not compiled"));
                    }
                    Err(VariantError::Io(error)) => return Err(error),
                }
            }
            length = file.finish(&Header {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                target: target(),
                interface: interface(),
                model,
                variants,
            })?;
            Ok(())
        });
        match failure {
            Some(error) => Err(error),
            None => written.map(|()| length),
        }
    }

    /// Compiles the network for one instruction set and writes it.
    fn variant(
        &self,
        weights: &Weights,
        options: &Options,
        isa: InstructionSet,
        file: &mut Sections<'_>,
    ) -> Result<Variant, VariantError> {
        let made = compile::object(self.graph(), weights.source(), options);
        let (plan, object) =
            made.map_err(|error| VariantError::Compile(self.all_weight_errors(weights, error.into())))?;
        let plan = plan.to_bytes();
        let plan = plan.map_err(|error| VariantError::Compile(Error::Internal(error.to_string())))?;
        Ok(Variant {
            isa,
            plan: file.section(&plan, 1)?,
            linkage: file.section(&object.linkage, 1)?,
            code: file.section(&object.code, PAGE)?,
            weights: file.section(object.constants.bytes(), PAGE)?,
        })
    }
}

/// Why an instruction set's part was not written.
enum VariantError {
    Compile(Error),
    Io(io::Error),
}

impl From<io::Error> for VariantError {
    fn from(error: io::Error) -> VariantError {
        VariantError::Io(error)
    }
}
