//! Weights, arrays, images and places for output that are not what they should be. Each is an error that says what
//! is wrong, and leaves nothing behind.

use std::fs;

use crate::support::{Folder, SMALL, cnn, container, fixture, npy, npy_f32, repository, safetensors};

fn weights() -> Vec<u8> {
    safetensors(&[
        ("c.weight", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]),
        ("c.bias", &[1], &[0.5]),
    ])
}

#[test]
fn damaged_weights() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let whole = weights();
    for length in [0, 7, 8, 20, whole.len() - 1] {
        let path = folder.file("w.safetensors", &whole[..length]);
        cnn(&["check", &model, "--weights", &path]).fails(1, &["w.safetensors"]);
        cnn(&["run", &model, "--weights", &path, "--input", "random"]).fails(1, &["w.safetensors"]);
    }
    let entry = |offsets: &str, shape: &str| {
        format!("{{\"c.weight\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}")
    };
    let hostile = [
        u64::MAX.to_le_bytes().to_vec(),
        (1u64 << 40).to_le_bytes().to_vec(),
        [&100u64.to_le_bytes()[..], b"{"].concat(),
        container("not json", &[]),
        container("[]", &[]),
        container(&"[".repeat(100_000), &[]),
        container(&entry("[0,16]", "[1,1,2,2]"), &[0; 15]),
        container(&entry("[0,18446744073709551615]", "[1,1,2,2]"), &[0; 16]),
        container(&entry("[16,0]", "[1,1,2,2]"), &[0; 16]),
        container(&entry("[0,16]", "[4294967296,4294967296,4294967296]"), &[0; 16]),
        container(&entry("[0,16]", "[1,1,2]"), &[0; 16]),
    ];
    for (i, bytes) in hostile.iter().enumerate() {
        let path = folder.file("h.safetensors", bytes);
        let stderr = cnn(&["run", &model, "--input", "random", "--weights", &path]).fails(1, &["h.safetensors"]);
        assert!(stderr.len() < 2000, "case {i}: {stderr}");
    }
}

#[test]
fn weights_that_do_not_fit() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let path = folder.file(
        "w.safetensors",
        safetensors(&[
            ("cc.weight", &[1, 1, 2, 2], &[0.0; 4]),
            ("c.bias", &[2], &[0.0; 2]),
            ("d", &[1], &[0.0]),
        ]),
    );
    for command in ["run", "check"] {
        let arguments = [command, &model, "--weights", &path];
        let more: &[&str] = if command == "run" { &["--input", "random"] } else { &[] };
        cnn(&[&arguments[..], more].concat()).fails(
            1,
            &[
                "`c.weight`: expected shape [1, 1, 2, 2], found no such tensor",
                "nearest name present is `cc.weight`",
                "`c.bias`: expected shape [1], found shape [2]",
                "2 tensors are missing or wrong",
                "warning: 2 tensors of",
                "are used by no layer: `cc.weight`, `d`",
            ],
        );
    }
    cnn(&[
        "run",
        &model,
        "--input",
        "random",
        "--weights",
        folder.path().to_str().unwrap(),
    ])
    .fails(1, &["a directory"]);
    cnn(&[
        "run",
        &model,
        "--input",
        "random",
        "--weights",
        &folder.at("none.safetensors"),
    ])
    .fails(1, &["none.safetensors", "does not exist"]);
    cnn(&["run", &model, "--input", "random"]).fails(2, &["needs 2 tensors of weights", "--weights"]);
}

#[test]
fn files_of_other_kinds_are_told() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let checkpoint = fixture("tests/fixtures/weights/checkpoint.pth");
    for command in [&["run", &model, "--input", "random"][..], &["check", &model]] {
        cnn(&[command, &["--weights", &checkpoint]].concat()).fails(
            1,
            &[
                "is a PyTorch checkpoint",
                "safetensors.torch import save_file",
                "checkpoint.pth\", map_location",
            ],
        );
    }
    let picture = fixture("tests/fixtures/mnist/digit_3.png");
    cnn(&["check", &model, "--weights", &picture]).fails(1, &["is a picture"]);
}

#[test]
fn what_stands_before_all_names_is_left_out() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    for prefix in ["module.", "model.", "state_dict.", "state_dict.module."] {
        let (weight, bias) = (format!("{prefix}c.weight"), format!("{prefix}c.bias"));
        let tensors: [(&str, &[usize], &[f32]); 3] = [
            (&weight, &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]),
            (&bias, &[1], &[0.5]),
            ("epoch", &[1], &[3.0]),
        ];
        let path = folder.file("w.safetensors", safetensors(&tensors));
        let outcome = cnn(&["check", &model, "--weights", &path]);
        assert!(
            outcome
                .stderr
                .contains(&format!("begin with `{prefix}`, which is left out")),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("used by no layer: `epoch`"),
            "{}",
            outcome.stderr
        );
        outcome.ok();
        let ones = folder.file("x.npy", npy_f32(&[1, 2, 2], &[1.0; 4]));
        let text = cnn(&["run", &model, "--weights", &path, "--input", &ones]).ok();
        assert!(text.contains("10.5"), "{text}");
        let path = folder.file("w.safetensors", safetensors(&tensors[..1]));
        cnn(&["check", &model, "--weights", &path]).fails(1, &[&bias, "give it `bias = false`"]);
    }
}

#[test]
fn nan_weights_propagate() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let nan = safetensors(&[
        ("c.weight", &[1, 1, 2, 2], &[f32::NAN, 2.0, 3.0, 4.0]),
        ("c.bias", &[1], &[0.5]),
    ]);
    let path = folder.file("w.safetensors", nan);
    let text = cnn(&["run", &model, "--weights", &path, "--input", "random"]).ok();
    assert!(text.contains("1 of 1 values are NaN"), "{text}");
    let network =
        format!("{SMALL}\n[[layer]]\nname = \"f\"\nop = \"flatten\"\n\n[[layer]]\nname = \"s\"\nop = \"softmax\"\n");
    let model = folder.file("softmax.toml", network);
    cnn(&["run", &model, "--weights", &path, "--input", "random", "--top", "3"]).ok();
}

#[test]
fn arrays_that_do_not_fit() {
    let folder = Folder::new();
    let run = |file: &str| cnn(&["run", "lenet5", "--input", file]);
    let zeros = |shape: &[usize]| npy_f32(shape, &vec![0.0; shape.iter().product()]);
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        (
            "complex.npy",
            npy("<c8", &[1, 32, 32], &[0; 8192]),
            &["complex64", "expected elements of f16, f32, f64 or integers"],
        ),
        (
            "rank2.npy",
            zeros(&[32, 32]),
            &["expected an array of shape [1, 32, 32]", "found [32, 32]"],
        ),
        (
            "rank5.npy",
            zeros(&[1, 1, 1, 32, 32]),
            &["or [N, 1, 32, 32] for N images", "found [1, 1, 1, 32, 32]"],
        ),
        ("channels.npy", zeros(&[1, 3, 32, 32]), &["found [1, 3, 32, 32]"]),
        ("none.npy", zeros(&[0, 1, 32, 32]), &["found [0, 1, 32, 32]"]),
        (
            "short.npy",
            npy("<f4", &[1, 32, 32], &[0; 100]),
            &["needs 4096 bytes after the header, found 100"],
        ),
        ("huge.npy", npy("<f4", &[1 << 40, 32, 32], &[0; 100]), &["found 100"]),
        (
            "absurd.npy",
            npy("<f4", &[1 << 40, 1 << 40], &[]),
            &["does not fit into memory"],
        ),
        ("text.npy", b"hello".to_vec(), &["text.npy"]),
    ];
    for (name, bytes, words) in cases {
        run(&folder.file(name, bytes)).fails(1, words);
    }
    let three = folder.file("three.npy", zeros(&[3, 1, 32, 32]));
    cnn(&["run", "lenet5", "--input", &three, "--batch", "2"]).fails(1, &["expected a batch of 2", "found 3"]);
    assert!(run(&three).ok().contains("3 images"));
    run(&folder.at("missing.npy")).fails(1, &["missing.npy"]);
    let empty = Folder::new();
    run(empty.path().to_str().unwrap()).fails(1, &["found a directory without pictures"]);
}

#[test]
fn images_that_are_none() {
    let folder = Folder::new();
    let run = |file: &str| cnn(&["run", "lenet5", "--input", file]);
    run(&folder.file("x.png", b"hello")).fails(1, &["x.png", "a PNG, JPEG, WebP, BMP or GIF picture"]);
    run(&folder.file("x.png", b"II*\0\x08\0\0\0")).fails(1, &["found TIFF"]);
    let digit = fs::read(repository("tests/fixtures/mnist/digit_3.png")).unwrap();
    run(&folder.file("half.png", &digit[..digit.len() / 2])).fails(1, &["half.png", "cannot be decoded"]);
    run(&folder.at("missing.png")).fails(1, &["missing.png"]);
    let deep = folder.file("deep.toml", SMALL.replace("[1, 2, 2]", "[4, 2, 2]"));
    let png = fixture("tests/fixtures/mnist/digit_3.png");
    cnn(&["run", &deep, "--weights", "random", "--input", &png]).fails(1, &["1 or 3 channels, the input needs 4"]);
    let flat = folder.file(
        "flat.toml",
        "[inputs]\nx = [4]\n\n[[layer]]\nname = \"r\"\nop = \"relu\"\n",
    );
    cnn(&["run", &flat, "--input", &png]).fails(1, &["expected a vector of 4, found a picture"]);
    cnn(&["run", "lenet5", "--std", "0"]).fails(1, &["std not 0"]);
    cnn(&["run", "lenet5", "--mean", "1,2,3"]).fails(1, &["1 channels, found 3"]);
}

#[test]
fn models_that_need_more_memory_than_there_is() {
    let folder = Folder::new();
    cnn(&["run", "lenet5", "--max-memory", "100K"]).fails(1, &["but may take 100.0 KiB", "`c1` [6, 28, 28]"]);
    cnn(&[
        "run",
        "lenet5",
        "--max-memory",
        "100K",
        "--input",
        "random",
        "--batch",
        "1000",
    ])
    .fails(1, &["at batch 1000", "a smaller batch needs less"]);
    cnn(&["run", "lenet5", "--max-memory", "1G"]).ok();
    // 2^46 bytes for each value: more than any machine that runs this has.
    let vast = "[inputs]\nimage = [16, 1048576, 1048576]\n\n[[layer]]\nname = \"r\"\nop = \"relu\"\n";
    let model = folder.file("vast.toml", vast);
    cnn(&["run", &model, "--input", "random"]).fails(1, &["the network needs", "TiB", "but may take"]);
    cnn(&["bench", &model]).fails(1, &["the network needs"]);
    let weighty = "[inputs]\nx = [2000000]\n\n[[layer]]\nname = \"d\"\nop = \"dense\"\nunits = 20000000\n";
    let model = folder.file("weighty.toml", weighty);
    cnn(&["run", &model, "--input", "random", "--weights", "random"]).fails(1, &["weights 145", "TiB"]);
    cnn(&["run", "lenet5", "--input", "random", "--batch", "18446744073709551615"]).fails(1, &["but may take"]);
}

#[test]
fn output_that_cannot_be_written_leaves_nothing() {
    let folder = Folder::new();
    folder.file("file", "x");
    cnn(&["run", "lenet5", "--output", &folder.at("no/y.npy")]).fails(1, &["cannot write", "y.npy"]);
    cnn(&["run", "lenet5", "--output", &folder.at("file/y.npy")]).fails(1, &["cannot write", "y.npy"]);
    cnn(&["run", "lenet5", "--output", "/proc/y.npy"]).fails(1, &["cannot write `/proc/y.npy`"]);
    let two = SMALL.replace("[inputs]", "outputs = [\"image\", \"c\"]\n\n[inputs]");
    let model = folder.file("two.toml", two);
    let arguments = ["run", &model, "--weights", "random", "--input", "random", "--output"];
    let run = |output: &str| cnn(&[&arguments[..], &[output]].concat());
    run(&folder.at("file")).fails(1, &["expected a directory for the 2 outputs, found a file"]);
    run(&folder.at("y.npy")).fails(1, &["expected a directory for the 2 outputs"]);
    run(&folder.at("no/where")).fails(1, &["cannot make the directory"]);
    assert_eq!(folder.entries(), ["file", "two.toml"]);
    assert_eq!(fs::read_to_string(folder.at("file")).unwrap(), "x");
    // An error while running does not leave an output either.
    cnn(&["run", "lenet5", "--max-memory", "1K", "--output", &folder.at("y.npy")]).fails(1, &["memory"; 0]);
    assert_eq!(folder.entries(), ["file", "two.toml"]);
}

#[test]
fn labels_that_do_not_fit() {
    let folder = Folder::new();
    let labels = folder.file("labels.txt", "zero\none\n");
    cnn(&["run", "lenet5", "--labels", &labels]).fails(1, &["expected 10 lines", "found 2"]);
    cnn(&["run", "lenet5", "--labels", folder.path().to_str().unwrap()]).fails(1, &["found a directory"]);
    let binary = folder.file("binary.txt", b"\xff\xfe");
    cnn(&["run", "lenet5", "--labels", &binary]).fails(1, &["UTF-8"]);
}
