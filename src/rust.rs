//! Networks as Rust source: what `cnn!` expands to, formatted, and crates that stand alone.

mod c;
mod package;
mod program;

use cnn_codegen::plan::Plan;
use cnn_codegen::rust::{self, Memory};
use cnn_runtime::threads::ThreadPool;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::{Error, Model, Options, Weights};

pub use package::{Package, PackageFile};

/// How a network is to be written as Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustOptions {
    /// Images of one run.
    pub batch: usize,
    /// Threads that share a run: how finely work is divided.
    pub threads: usize,
    /// As [`Options::exact`].
    pub exact: bool,
    /// Needs neither an operating system nor an allocator: the caller gives the memory.
    pub no_std: bool,
    /// Functions for C, in a static library with a header: one thread, no heap, weights in the program.
    pub c: bool,
}

impl Default for RustOptions {
    fn default() -> RustOptions {
        RustOptions {
            batch: 1,
            threads: 1,
            exact: false,
            no_std: false,
            c: false,
        }
    }
}

impl Model {
    /// The Rust source that `cnn!` makes of the network, formatted.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    ///
    /// ```
    /// let model = cnn::Model::builtin("lenet5")?;
    /// let source = model.rust(&cnn::RustOptions::default())?;
    /// assert!(source.contains("pub struct Lenet5"));
    /// # Ok::<(), cnn::Error>(())
    /// ```
    pub fn rust(&self, options: &RustOptions) -> Result<String, Error> {
        let memory = match options.no_std {
            false => Memory::System,
            true => Memory::Caller,
        };
        self.source_text(&self.plan(&plan_options(options))?, &memory, &quote!(::cnn::rt))
    }

    /// How the network is carried out as Rust, and these weights in the order in which its code reads them.
    fn plan_with_weights(&self, weights: &Weights, options: &Options) -> Result<(Plan, Vec<u8>), Error> {
        let plan = self.plan(options)?;
        let pool = ThreadPool::new(0).map_err(|error| Error::Limit(format!("threads cannot be started: {error}")))?;
        match plan.pack(weights, &pool) {
            Ok(block) => {
                let bytes = block.bytes()[..plan.constant_bytes].to_vec();
                Ok((plan, bytes))
            }
            Err(error) => match options.for_refused(&error) {
                Some(options) => self.plan_with_weights(weights, &options),
                None => Err(error.into()),
            },
        }
    }

    fn source_text(&self, plan: &Plan, memory: &Memory, runtime: &TokenStream) -> Result<String, Error> {
        let internal = |fault: String| Error::Internal(format!("{}: {fault}", self.name()));
        let item = rust::emit(&rust::Network {
            attributes: &[],
            visibility: &quote!(pub),
            name: &Ident::new(&type_name(self.name()), Span::call_site()),
            graph: self.graph(),
            shapes: self.shapes(),
            plan,
            memory,
            runtime,
        });
        let item = item.map_err(|error| internal(error.to_string()))?;
        let file = syn::parse2(item).map_err(|error| internal(error.to_string()))?;
        Ok(prettyplease::unparse(&file))
    }
}

fn plan_options(options: &RustOptions) -> Options {
    let wanted = Options::for_rust(options.batch, options.threads, options.no_std);
    Options {
        exact: wanted.exact || options.exact,
        ..wanted
    }
}

/// A network's name as a type's: `resnet-18` → `Resnet18`.
fn type_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut camel = String::new();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.extend(letters);
    }
    match camel.starts_with(|c: char| c.is_ascii_alphabetic()) && camel != "Self" {
        true => camel,
        false => format!("Network{camel}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        for (name, expected) in [
            ("lenet5", "Lenet5"),
            ("googlenet_torchvision", "GooglenetTorchvision"),
            ("my-net.v2", "MyNetV2"),
            ("18 layers", "Network18Layers"),
            ("", "Network"),
            ("self", "NetworkSelf"),
            ("größe", "GrE"),
        ] {
            assert_eq!(type_name(name), expected, "{name}");
        }
    }
}
