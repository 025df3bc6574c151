//! `cnn!`: tokens are understood as a model file would be, and become Rust code or errors at the guilty tokens.
//!
//! ```text
//! tokens ── parse ──▶ Declarations ── check ──▶ Graph, Shapes ── expand_network ──▶ tokens
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `tokens` | trees of tokens to walk, the table of their spans |
//! | `declared` | networks: attributes, visibility, name, body or file |
//! | `options` | weights, memory, batch, `no_std` |
//! | `body` | inputs, blocks, layers, `return` |
//! | `calls`, `values` | operators with operands and keys; the keys' values |
//! | `layers` | calls as layers; names for those inside of others |
//! | `files` | files that are read and left |
//! | `check` | a declared network → its graph and shapes, or everything that is wrong |
//! | `errors` | diagnostics as `compile_error!`s |
//! | `planned` | its plan, within the bounds that it sets |
//! | `weights` | weights that are packed at compile time |
//! | `expand` | all of it → its type, by [`rust::emit`](crate::rust::emit) |

mod body;
mod calls;
mod check;
mod declared;
mod errors;
mod expand;
mod files;
mod layers;
mod options;
mod planned;
mod tokens;
mod values;
mod weights;

use proc_macro2::TokenStream;

pub use check::{Checked, check};
pub use declared::{Body, Declarations, Declared, parse};
pub use errors::message;
use expand::{Expanded, expand_network};
pub use files::{Files, Imported, Importer};
pub use options::Options;
pub use tokens::SpanTable;

/// Expands the tokens of a `cnn!` call.
///
/// Every network becomes a type; one with errors becomes these, each at its token.
pub fn expand(tokens: TokenStream, files: Files<'_>) -> TokenStream {
    let Declarations {
        networks,
        diagnostics,
        spans,
    } = parse(tokens);
    let mut expanded = errors::outside(&diagnostics, &spans);
    for declared in &networks {
        let code = check(declared, files).and_then(|checked| {
            let Expanded { mut code, warnings } = expand_network(declared, &checked, files)?;
            let warnings = checked.warnings.iter().chain(&warnings);
            code.extend(warnings.map(|warning| errors::warning(warning, declared.place, &spans)));
            Ok(code)
        });
        expanded.extend(code.unwrap_or_else(|errors| errors::refused(declared, &errors, &spans)));
    }
    expanded
}
