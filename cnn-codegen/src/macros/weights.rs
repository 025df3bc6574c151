//! Weights that are given at compile time: checked, packed in the order in which they are read, and left for the
//! compiler to include.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cnn_ir::cost;
use cnn_ir::diag::Diagnostic;
use cnn_ir::span::Spanned;
use cnn_runtime::pack::PackError;
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::WeightSource;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::Files;
use super::check::Checked;
use super::declared::Declared;
use super::planned;
use crate::plan::Plan;

/// As many names as an error lists.
const LISTED: usize = 8;

/// Packed weights, and the plan that they are packed for.
pub(super) struct Packed {
    pub(super) plan: Plan,
    /// An expression of type `&[u8; N]`, if the weights are given.
    pub(super) bytes: Option<TokenStream>,
    /// What is odd about their file.
    pub(super) warnings: Vec<Diagnostic>,
}

/// Packs the weights of a declaration's file for its plan, or for one with all of their bits if they need it. Without a
/// file, the plan alone.
///
/// # Errors
/// Tensors that are missing or do not fit, and files that cannot be read or written, at the option.
pub(super) fn pack(declared: &Declared, checked: &Checked, files: Files<'_>) -> Result<Packed, Vec<Diagnostic>> {
    let mut plan = planned::plan(declared, checked, false)?;
    let Some(path) = &declared.options.weights else {
        let (bytes, warnings) = (None, Vec::new());
        return Ok(Packed { plan, bytes, warnings });
    };
    let failed = |message: String| vec![Diagnostic::error(path.span, message)];
    let source = files.weights(&path.value).map_err(failed)?;
    let warnings = fits(path, checked, &*source)?;
    let pool = ThreadPool::new(0).map_err(|error| failed(format!("threads cannot be started: {error}")))?;
    let mut packed = plan.pack(&*source, &pool);
    if packed.as_ref().is_err_and(PackError::is_coarse) {
        plan = planned::plan(declared, checked, true)?;
        packed = plan.pack(&*source, &pool);
    }
    let block = packed.map_err(|error| failed(error.to_string()))?;
    let bytes = &block.bytes()[..plan.constant_bytes];
    let bytes = match files.build {
        Some(folder) => {
            let packed = leave(folder, &declared.name.to_string(), bytes)
                .map_err(|error| failed(format!("the packed weights cannot be written: {error}")))?;
            let packed = packed.to_string_lossy();
            quote!(::core::include_bytes!(#packed))
        }
        None => Literal::byte_string(bytes).into_token_stream(),
    };
    let bytes = Some(bytes);
    Ok(Packed { plan, bytes, warnings })
}

/// Compares the tensors that a network needs with those of a file: everything that does not fit is one error, what no
/// layer uses a warning.
fn fits(
    path: &Spanned<String>,
    checked: &Checked,
    source: &dyn WeightSource,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let needed = cost::weights(&checked.graph, &checked.shapes);
    let wrong = needed
        .iter()
        .filter_map(|tensor| source.slice(&tensor.name, &tensor.shape, 0..0).err());
    let wrong: Vec<String> = wrong.map(|error| error.to_string()).collect();
    if !wrong.is_empty() {
        let message = format!("the weights in `{}` do not fit the network", path.value);
        let error = Diagnostic::error(path.span, message);
        return Err(vec![listed(error, &wrong)]);
    }
    let used: HashSet<String> = needed.into_iter().map(|tensor| tensor.name).collect();
    let unused = source.unused(&used);
    if unused.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("no layer uses {} of the tensors in `{}`", unused.len(), path.value);
    Ok(vec![listed(Diagnostic::warning(path.span, message), &unused)])
}

/// Adds lines as notes, the first of many.
fn listed(diagnostic: Diagnostic, lines: &[String]) -> Diagnostic {
    let diagnostic = lines.iter().take(LISTED).fold(diagnostic, |all, line| all.note(line));
    match lines.len().saturating_sub(LISTED) {
        0 => diagnostic,
        more => diagnostic.note(format!("and {more} more")),
    }
}

/// Writes bytes to a file named after the network and what it holds, so that nobody reads half of one.
fn leave(folder: &Path, network: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let path = folder.join(format!("{network}-{:016x}.weights", hasher.finish()));
    if fs::metadata(&path).is_ok_and(|there| there.len() == bytes.len() as u64) {
        return Ok(path);
    }
    let unfinished = folder.join(format!("{network}-{}.unfinished", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(&unfinished, &path)?;
    Ok(path)
}
