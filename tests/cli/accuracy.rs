//! `--accuracy` and `--check-finite` on good and bad numbers; tables in narrow terminals.

use crate::support::{Folder, cnn, command, npy_f32};

const NET: &str = r#"
    inputs.image = [8, 16, 16]
    layer = [
        { name = "c1", op = "conv", filters = 16, kernel = 3, padding = "same", activation = "relu" },
        { name = "c2", op = "conv", filters = 8, kernel = 3, padding = "same" },
    ]
"#;

/// An image in which one pixel is that number.
fn image(pixel: f32) -> Vec<u8> {
    let mut pixels: Vec<f32> = (0..8 * 16 * 16).map(|i| (i * 37 % 64) as f32 / 64.0).collect();
    pixels[500] = pixel;
    npy_f32(&[1, 8, 16, 16], &pixels)
}

#[test]
fn accuracy_is_told_layer_by_layer() {
    let folder = Folder::new();
    let (net, good) = (folder.file("net.toml", NET), folder.file("good.npy", image(0.5)));
    let text = cnn(&[
        "check",
        &net,
        "-w",
        "random",
        "--input",
        &good,
        "--accuracy",
        "--check-finite",
    ])
    .ok();
    assert!(text.contains("c1") && text.contains("c2"), "{text}");
    assert!(text.contains("no layer is more than 1e-4 off"), "{text}");

    let text = cnn(&["check", "lenet5", "--accuracy"]).ok();
    assert!(text.contains("probabilities"), "{text}");

    cnn(&["check", &net, "--input", &good]).fails_after(2, &["--accuracy or --check-finite"]);
}

#[test]
fn the_first_layer_without_numbers_is_named() {
    let folder = Folder::new();
    let net = folder.file("net.toml", NET);
    for pixel in [f32::NAN, f32::INFINITY] {
        let bad = folder.file("bad.npy", image(pixel));
        let check = ["check", &net, "-w", "random", "--input", &bad, "--check-finite"];
        cnn(&check).fails_after(1, &["`c1` is the first layer whose result holds NaN or infinities"]);
        let output = folder.at("y.npy");
        let run = ["run", &net, "-w", "random", "--input", &bad, "-o", &output];
        let checked = [&run[..], &["--check-finite"]].concat();
        cnn(&checked).fails(1, &["`c1` is the first layer"]);
        assert!(!std::path::Path::new(&output).exists());
        cnn(&run).ok();
        std::fs::remove_file(&output).unwrap();
    }
}

#[test]
fn tables_fit_narrow_terminals_and_say_what_they_leave_out() {
    for columns in [50, 70, 90] {
        for arguments in [
            &["summary", "lenet5"][..],
            &["bench", "lenet5", "--profile", "--iterations", "5"],
        ] {
            let output = command()
                .args(arguments)
                .env("COLUMNS", columns.to_string())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("left out for want of width: "), "{columns}: {text}");
            let rule = text.lines().find(|line| line.contains("────")).unwrap();
            assert!(rule.chars().count() <= columns, "{columns}: {text}");
        }
    }
}
