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
    assert!(!markup.contains("://"), "{markup}");
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
    let limited = ["explain", "lenet5", "--max-memory", "100KiB", "-o", &file];
    cnn(&limited).fails(1, &["may take 100.0 KiB"]);
    assert!(!folder.path().join("page.html").exists());
}

#[test]
fn graphs_and_plans_are_drawn() {
    for stage in ["parsed", "shaped", "fused", "planned"] {
        for model in ["lenet5", "resnet18", "googlenet"] {
            let drawing = cnn(&["dump", model, "--stage", stage, "--format", "svg"]).ok();
            assert!(
                drawing.starts_with("<svg") && drawing.trim_end().ends_with("</svg>"),
                "{model} {stage}"
            );
            assert!(drawing.matches("<rect").count() > 5, "{model} {stage}");
        }
    }
    let dot = cnn(&["dump", "lenet5", "--stage", "planned", "--format", "dot"]).ok();
    assert!(
        dot.starts_with("digraph \"lenet5\" {") && dot.contains("s0 -> s1"),
        "{dot}"
    );
}

#[test]
fn each_pass_shows_what_it_changed() {
    let told = cnn(&["dump", "resnet18", "--stage", "fused", "--steps"]).ok();
    let (before, after) = (
        "-   %bn1 = batch_norm(%conv1, activation = \"relu\") -> [64, 112, 112]",
        "+   %bn1 = conv(%image, filters = 64, kernel = 7, stride = 2, padding = 3, bias = false, activation = \"relu\"",
    );
    assert!(told.contains(before) && told.contains(after), "{told}");
    assert!(
        told.contains("// fold_pad: ") && told.contains("//   nothing to do"),
        "{told}"
    );
    cnn(&["dump", "resnet18", "--steps"]).fails(2, &["--stage fused"]);
}
