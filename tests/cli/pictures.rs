//! Pictures in and out: turned, fitted, several at once, from standard input, as a `.png`.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use cnn::io::npy;
use serde_json::Value;

use crate::support::{Folder, cnn, command, fixture};

const SAME: &str = "[inputs]\nx = [3, 20, 30]\n\n[[layer]]\nname = \"y\"\nop = \"identity\"\n";

fn picture(name: &str) -> String {
    fixture(&format!("tests/fixtures/pictures/{name}"))
}

fn digit(number: usize) -> String {
    fixture(&format!("tests/fixtures/mnist/digit_{number}.png"))
}

#[test]
fn photos_are_turned_as_their_camera_says() {
    let folder = Folder::new();
    let model = folder.file("id.toml", SAME);
    for turn in ["exif3", "exif6"] {
        let output = folder.at("y.npy");
        let run = cnn(&[
            "run",
            &model,
            "--input",
            &picture(&format!("{turn}.png")),
            "--output",
            &output,
        ]);
        assert_eq!(run.stderr, "", "{turn}");
        let expected = npy::read(picture(&format!("exp_{turn}.npy")).as_ref()).unwrap();
        let array = npy::read(output.as_ref()).unwrap();
        assert!(array.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{turn}");
    }
}

#[test]
fn stretching_is_said_unless_it_is_asked_for() {
    let folder = Folder::new();
    let model = folder.file("id.toml", SAME.replace("20, 30", "16, 16"));
    let photo = picture("exif6.jpg");
    let run = |more: &[&str]| cnn(&[&["run", &model, "--input", &photo], more].concat());
    let warning = run(&[]).stderr;
    assert!(warning.contains("30 × 20 pixels are stretched to 16 × 16"), "{warning}");
    for more in [
        &["--fit", "stretch"][..],
        &["--fit", "cover"],
        &["--fit", "contain"],
        &["--resize", "18", "--crop", "16"],
        &["--resize", "16"],
    ] {
        let outcome = run(more);
        assert_eq!(outcome.stderr, "", "{more:?}");
        outcome.ok();
    }
    run(&["--crop", "15"]).fails(1, &["a crop of 15 × 15 does not give the input's 16 × 16"]);
    run(&["--resize", "15"]).fails(1, &["resize it to more"]);
    run(&["--fit", "contain", "--crop", "16"]).fails(1, &["go with the fit `cover`"]);
    run(&["--fit", "squeeze"]).fails(2, &["stretch, cover or contain"]);
}

#[test]
fn several_files_and_folders_are_a_table() {
    let folder = Folder::new();
    for number in [3, 1, 2] {
        fs::copy(digit(number), folder.at(&format!("d{number}.png"))).unwrap();
    }
    folder.file("notes.txt", "no picture");
    folder.file(".hidden.png", "no picture");
    let path = folder.path().to_str().unwrap();
    let table = cnn(&["run", "lenet5", "--input", path]).ok();
    for number in [1, 2, 3] {
        let line = table
            .lines()
            .find(|line| line.contains(&format!("d{number}.png")))
            .unwrap();
        assert!(line.contains(&format!("d{number}.png  {number} (")), "{table}");
    }
    let files = [
        digit(7),
        digit(0),
        digit(5),
        digit(7),
        digit(4),
        digit(9),
        digit(1),
        digit(8),
        digit(6),
        digit(2),
    ];
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let arguments = [&["run", "lenet5", "--json", "--input"][..], &files].concat();
    let expected = [7, 0, 5, 7, 4, 9, 1, 8, 6, 2];
    for batch in [None, Some("1"), Some("4"), Some("100")] {
        let more: Vec<_> = batch.iter().flat_map(|batch| ["--batch", batch]).collect();
        let text = cnn(&[&arguments[..], &more].concat()).ok();
        let json: Value = serde_json::from_str(&text).unwrap();
        let images = json["outputs"][0]["images"].as_array().unwrap();
        assert_eq!(images.len(), 10);
        for ((image, expected), file) in images.iter().zip(expected).zip(&files) {
            assert_eq!(image["top"][0]["class"], expected, "{text}");
            assert_eq!(image["input"], *file);
        }
    }
    // A file for each in a directory, or one for all.
    let out = folder.at("out");
    cnn(&["run", "lenet5", "-i", path, "-o", &format!("{out}/")]).ok();
    let one = npy::read(format!("{out}/d2.npy").as_ref()).unwrap();
    assert_eq!(one.shape(), [1, 10]);
    let all = folder.at("all.npy");
    cnn(&["run", "lenet5", "-i", path, "-o", &all]).ok();
    let all = npy::read(all.as_ref()).unwrap();
    assert_eq!(all.shape(), [3, 10]);
    assert_eq!(all.row(1), one.row(0));
}

/// The row of a matrix, for short.
trait Rows {
    fn row(&self, at: usize) -> Vec<f32>;
}

impl Rows for ndarray::ArrayD<f32> {
    fn row(&self, at: usize) -> Vec<f32> {
        self.index_axis(ndarray::Axis(0), at).iter().copied().collect()
    }
}

#[test]
fn standard_input_is_a_file() {
    let run = |bytes: &[u8]| {
        let mut child = command()
            .args(["run", "lenet5", "--input", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may be refused before all is read.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        child.wait_with_output().unwrap()
    };
    let output = run(&fs::read(digit(3)).unwrap());
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("\n  3   9"),
        "{output:?}"
    );
    let array = crate::support::npy("|u1", &[1, 32, 32], &[0; 1024]);
    assert!(run(&array).status.success());
    for wrong in [&b""[..], b"hello"] {
        assert_eq!(run(wrong).status.code(), Some(1));
    }
}

#[test]
fn a_model_may_follow_its_input() {
    assert!(cnn(&["run", "--input", &digit(3), "lenet5"]).ok().contains("  3   9"));
    cnn(&["run", "lenet5", &digit(3)]).fails(2, &["inputs are given with --input"]);
}

#[test]
fn a_picture_may_come_out() {
    let folder = Folder::new();
    let model = folder.file("id.toml", SAME);
    let (png, npy) = (folder.at("y.png"), folder.at("y.npy"));
    let photo = picture("exif3.png");
    cnn(&["run", &model, "--input", &photo, "-o", &png]).ok();
    cnn(&["run", &model, "--input", &png, "-o", &npy]).ok();
    let expected = npy::read(picture("exp_exif3.npy").as_ref()).unwrap();
    assert!(
        npy::read(npy.as_ref())
            .unwrap()
            .iter()
            .zip(&expected)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    // What a picture cannot show is said; a range shows it.
    let run = |more: &[&str]| cnn(&[&["run", &model, "--input", "random", "-o", &png], more].concat());
    let warning = run(&[]).stderr;
    assert!(
        warning.contains("% of the picture's values lie outside 0 … 1"),
        "{warning}"
    );
    assert_eq!(run(&["--range", "-1,1"]).stderr, "");
    run(&["--range", "1,1"]).fails(2, &["two different numbers"]);
    cnn(&["run", "lenet5", "-o", &png]).fails(1, &["an output of 1 or 3 channels", "[10]"]);
    for ending in ["jpg", "npz", "txt"] {
        let wrong = folder.at(&format!("z.{ending}"));
        cnn(&["run", "lenet5", "-o", &wrong]).fails(1, &["expected the name of a .npy file"]);
    }
    assert_eq!(folder.entries(), ["id.toml", "y.npy", "y.png"]);
}

#[test]
fn a_declared_size_is_counted() {
    let folder = Folder::new();
    let bomb = picture("bomb1.png");
    cnn(&["run", "lenet5", "--input", &bomb, "--max-memory", "100M"])
        .fails(1, &["bomb1.png", "16384 × 16384 pixels", "may take"]);
    let model = folder.file("id.toml", SAME);
    let cut = folder.file("cut.jpg", &fs::read(picture("exif6.jpg")).unwrap()[..1200]);
    cnn(&["run", &model, "--input", &cut]).fails(1, &["cut.jpg", "truncated"]);
}

/// Files of some hundred bytes whose parts claim to be larger than the picture or than the file.
#[cfg(target_os = "linux")]
const HOSTILE: [&str; 6] = [
    "exif_4gib.webp",
    "frame_exif_4gib.webp",
    "frame_2x2_in_1x1.webp",
    "frame_0x0.webp",
    "lossy_16383_in_1x1.webp",
    "frame_65535.gif",
];

/// Little memory is an error, not the end of the process.
#[cfg(target_os = "linux")]
#[test]
fn a_picture_in_little_memory() {
    let program = env!("CARGO_BIN_EXE_cnn");
    let folder = Folder::new();
    let profile = folder.at("profile.png");
    colour_profile(600 << 20, &profile);
    for kibibytes in [400_000, 1_000_000] {
        let hostile = HOSTILE.map(picture);
        for picture in hostile.iter().chain([&picture("bomb1.png"), &profile]) {
            let script = format!("ulimit -v {kibibytes}; exec \"$0\" run lenet5 --input \"$1\" --threads 1");
            let output = std::process::Command::new("bash")
                .args(["-c", &script, program, picture])
                .output()
                .unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 1)), "{picture}, {kibibytes}: {output:?}");
        }
    }
    let model = folder.file("id.toml", SAME);
    for name in HOSTILE {
        cnn(&["run", &model, "--input", &picture(name), "--max-memory", "64MiB"]).fails(1, &[name, "the picture"]);
    }
}

/// A small picture with a colour profile of so many zeros, which take a thousandth of that in the file.
#[cfg(target_os = "linux")]
fn colour_profile(bytes: usize, path: &str) {
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
    let mut encoder = PngEncoder::new(fs::File::create(path).unwrap());
    encoder.set_icc_profile(vec![0; bytes]).unwrap();
    encoder
        .write_image(&[9; 32 * 32], 32, 32, ExtendedColorType::L8)
        .unwrap();
}
