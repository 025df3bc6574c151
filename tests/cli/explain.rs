//! `cnn explain`: the page is written whole, small enough, and holds nothing of a model as HTML.

use std::fs;

use super::support::{Folder, cnn};

/// The page without its data and script, which are checked in a browser (`tests/page`).
fn markup(page: &str) -> String {
    let (before, rest) = page
        .split_once("<script type=\"application/octet-stream\" id=\"data\">")
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    assert!(
        data.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    );
    assert!(data.len() > 1000);
    before.to_owned()
}

#[test]
fn a_built_in_network_needs_nothing_else() {
    let folder = Folder::new();
    let file = folder.at("page.html");
    let told = cnn(&["explain", "lenet5", "-o", &file]).ok();
    assert!(told.contains("page.html"), "{told}");
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    // Nothing is fetched: no address stands in the markup.
    let markup = markup(&page);
    assert!(!markup.contains("http"), "{markup}");
    assert!(markup.contains("default-src 'none'"), "{markup}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let folder = Folder::new();
    let file = folder.at("page.html");
    cnn(&["explain", "lenet6", "-o", &file]).fails(1, &["lenet5"]);
    cnn(&["explain", "lenet5", "--input", "no.png", "-o", &file]).fails(1, &["no.png"]);
    let model = folder.file(
        "m.toml",
        "[inputs]\nx = [1, 4, 4]\n\n[[layer]]\nname = 'c'\nop = 'conv'\nfilters = 2\nkernel = 9\n",
    );
    cnn(&["explain", &model, "-o", &file]).fails(1, &["m.toml:8", "9"]);
    assert!(!folder.path().join("page.html").exists());
}
