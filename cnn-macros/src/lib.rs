//! `cnn!`: a convolutional neural network declared in Rust becomes code at compile time.

use std::path::PathBuf;

use proc_macro::TokenStream;

/// Declares networks.
#[proc_macro]
pub fn cnn(tokens: TokenStream) -> TokenStream {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    cnn_codegen::macros::expand(tokens.into(), &folder).into()
}
