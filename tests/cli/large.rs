//! What a file may make as large as it likes, lines, names, numbers of layers and of mistakes, is cut to what people
//! read, and takes time in proportion to it.

use std::time::{Duration, Instant};

use crate::support::{Folder, SMALL, cnn, safetensors};

/// Far more than each needs, far less than what is quadratic takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn layers(count: usize, layer: impl Fn(usize) -> String) -> String {
    let layers: String = (0..count)
        .map(|i| format!("[[layer]]\nname = \"c{i}\"\n{}", layer(i)))
        .collect();
    format!("[inputs]\nimage = [1, 2, 2]\n{layers}")
}

#[test]
fn a_line_of_megabytes_is_cut_around_its_mistake() {
    let folder = Folder::new();
    let line = format!(
        "kernel = 2 # {}\nfoo = [{}1]\n",
        "é".repeat(1 << 21),
        "1, ".repeat(1 << 20)
    );
    let path = folder.file("net.toml", SMALL.replace("kernel = 2\n", &line));
    let said = cnn(&["check", &path]).fails(1, &["net.toml:9:1", "`conv` has no key `foo`"]);
    assert!(said.len() < 2000, "{} bytes", said.len());
    // Its name is in every message.
    let path = folder.file(
        "net.toml",
        SMALL
            .replace("\"c\"", &format!("\"{}\"", "c".repeat(1 << 20)))
            .replace("= 2", "= 9"),
    );
    let said = cnn(&["check", &path]).fails(1, &["net.toml:8:10", "the kernel needs 9 rows"]);
    assert!(said.len() < 20_000, "{} bytes", said.len());
}

#[test]
fn mistakes_by_the_thousand_are_counted() {
    let folder = Folder::new();
    for (number, (layer, words)) in [
        ("op = \"cnov\"\n", "19997 more like it, in lines 14, 17, 20, 23, 26 …"),
        ("op = \"dense\"\nunits = 1\nfrom = \"image\"\n", "19997 more like it"),
        ("op = \"relu\"\nfrom = \"nothing_#\"\n", "19997 more like it"),
        ("op = \"conv\"\nfilters = \"#\"\nkernel = 1\n", "more like it"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = layers(20_000, |i| layer.replace('#', &i.to_string()));
        let path = folder.file(&format!("net{number}.toml"), text);
        let started = Instant::now();
        let said = cnn(&["check", &path]).fails(1, &[words, "20000 errors in"]);
        assert!(said.len() < 20_000, "{} bytes", said.len());
        assert!(started.elapsed() < PATIENCE, "{layer}: {:?}", started.elapsed());
    }
}

#[test]
fn tensors_are_missing_by_the_thousand() {
    let folder = Folder::new();
    let text = layers(8000, |_| "op = \"batch_norm\"\n".into());
    let path = folder.file("net.toml", text);
    let names: Vec<_> = (0..8000).map(|i| format!("k{i}.weight")).collect();
    let tensors: Vec<_> = names.iter().map(|name| (&**name, &[1][..], &[1.0][..])).collect();
    let weights = folder.file("w.safetensors", safetensors(&tensors));
    let started = Instant::now();
    cnn(&["check", &path, "--weights", &weights]).fails(1, &["at least 1000 tensors are missing or wrong"]);
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn names_of_megabytes_are_cut_in_tables() {
    let folder = Folder::new();
    let text = SMALL.replace("\"c\"", &format!("\"{}\"", "c".repeat(1 << 20)));
    let path = folder.file("net.toml", text);
    let page = folder.at("page.html");
    let emitted = folder.at("emitted");
    for arguments in [
        &["summary", &path][..],
        &["summary", &path, "--json"],
        &["check", &path, "--weights", "random", "--accuracy", "--input", "random"],
        &["run", &path, "--weights", "random", "--input", "random"],
        &["bench", &path, "--iterations", "1", "--profile"],
        &["dump", &path],
        &["dump", &path, "--stage", "planned"],
        &["dump", &path, "--format", "svg"],
        &["dump", &path, "--stage", "rust"],
        &["explain", &path, "-o", &page],
        &["emit", &path, "-o", &emitted],
    ] {
        let started = Instant::now();
        let shown = cnn(arguments).ok();
        let is_table =
            ["summary", "check", "bench"].contains(&arguments[0]) && arguments[arguments.len() - 1] != "--json";
        assert!(
            !is_table || shown.len() < 10_000,
            "{:?}: {} bytes",
            arguments[0],
            shown.len()
        );
        assert!(
            started.elapsed() < PATIENCE,
            "{:?}: {:?}",
            arguments[0],
            started.elapsed()
        );
    }
}

/// A block of as many layers as there may be, each of which names the one above.
#[test]
fn a_block_of_very_many_layers() {
    let folder = Folder::new();
    let layer = |i: usize| match i {
        0 => "[[block.u.layer]]\nname = \"c0\"\nop = \"relu\"\n".to_owned(),
        i => format!(
            "[[block.u.layer]]\nname = \"c{i}\"\nop = \"relu\"\nfrom = \"c{}\"\n",
            i - 1
        ),
    };
    let inner: String = (0..90_000).map(layer).collect();
    let text = format!("inputs.image = [1, 2, 2]\n{inner}[[layer]]\nname = \"z\"\nop = \"u\"\n");
    let path = folder.file("net.toml", text);
    let started = Instant::now();
    assert!(cnn(&["check", &path]).ok().contains("90000"));
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}
