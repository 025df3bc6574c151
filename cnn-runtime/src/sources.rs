//! This crate's own sources, for crates that are to stand alone.

use include_dir::{Dir, include_dir};

/// The folder `src`.
pub static SOURCES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src");
/// The manifest outside of this workspace.
pub const MANIFEST: &str = include_str!("sources/manifest.toml");
