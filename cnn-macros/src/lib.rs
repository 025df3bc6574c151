//! `cnn!`: a convolutional neural network declared in Rust becomes code at compile time.

mod onnx;

use std::env;
use std::path::{self, PathBuf};

use cnn_codegen::macros::{self, Files};
use proc_macro::TokenStream;

#[doc = include_str!("cnn.md")]
#[proc_macro]
pub fn cnn(tokens: TokenStream) -> TokenStream {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let build = build_folder();
    let files = Files {
        package: &package,
        build: build.as_deref(),
        import: onnx::import,
    };
    macros::expand(tokens.into(), files).into()
}

/// Where files may be left that belong to the crate being compiled: what a build script would have, or else where the
/// compiler, whose process this is, was told to write.
fn build_folder() -> Option<PathBuf> {
    let mut arguments = env::args_os();
    let compiler = || arguments.find(|word| word == "--out-dir").and(arguments.next());
    let folder = env::var_os("OUT_DIR").or_else(compiler).map(PathBuf::from)?;
    path::absolute(folder).ok()
}
