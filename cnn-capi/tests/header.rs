//! The header in git is the one that the sources make. `CNN_BLESS=1` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_header_is_that_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(folder.join("src/status.rs"))
        .with_src(folder.join("src/load.rs"))
        .with_src(folder.join("src/describe.rs"))
        .with_src(folder.join("src/run.rs"))
        .generate()
        .unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = folder.join("include/cnn.h");
    if std::env::var_os("CNN_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        made,
        "CNN_BLESS=1 writes the header"
    );
    for function in [
        "cnn_load",
        "cnn_close",
        "cnn_run",
        "cnn_input",
        "cnn_output",
        "cnn_error_text",
        "cnn_version",
    ] {
        assert!(made.contains(&format!("{function}(")), "{function}");
    }
}
