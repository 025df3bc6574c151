//! Models that leave heights and widths free.

use cnn::io::npy;
use ndarray::{Array4, ArrayD, s};

use crate::support::{Folder, cnn, fixture};

/// Its result has the image's size where that is even, and there is none where it is odd.
const EVEN: &str = r#"
[inputs]
image = [3, "H", "W"]

[[layer]]
name = "half"
op = "max_pool"
size = 2

[[layer]]
name = "twice"
op = "resize"
scale = 2
coordinates = "asymmetric"

[[layer]]
name = "sum"
op = "add"
from = ["twice", "image"]
"#;

fn image(height: usize, width: usize) -> Array4<f32> {
    let value = |(n, c, y, x): (usize, usize, usize, usize)| ((n * 7 + c * 5 + y * 3 + x * 11) % 17) as f32;
    Array4::from_shape_fn((1, 3, height, width), value)
}

/// What [`EVEN`] computes.
fn expected(image: &Array4<f32>) -> ArrayD<f32> {
    let greatest = |(n, c, y, x): (usize, usize, usize, usize)| {
        let window = image.slice(s![n, c, y / 2 * 2..y / 2 * 2 + 2, x / 2 * 2..x / 2 * 2 + 2]);
        image[(n, c, y, x)] + window.iter().copied().fold(f32::MIN, f32::max)
    };
    Array4::from_shape_fn(image.dim(), greatest).into_dyn()
}

fn array(folder: &Folder, name: &str, height: usize, width: usize) -> String {
    let path = folder.at(name);
    npy::write(path.as_ref(), image(height, width).view().into_dyn()).unwrap();
    path
}

#[test]
fn arrays_of_any_size_are_run_at_it() {
    let folder = Folder::new();
    let model = folder.file("even.toml", EVEN);
    let mut arguments = vec![
        "run".to_owned(),
        model.clone(),
        "-o".into(),
        folder.at("out/"),
        "-i".into(),
    ];
    let sizes = [(4, 6), (4, 6), (10, 8), (4, 6), (2, 30)];
    for (number, (height, width)) in sizes.into_iter().enumerate() {
        arguments.push(array(&folder, &format!("{number}.npy"), height, width));
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let shown = cnn(&arguments).ok();
    for (number, (height, width)) in sizes.into_iter().enumerate() {
        let result = npy::read(folder.at(&format!("out/{number}.npy")).as_ref()).unwrap();
        assert_eq!(result, expected(&image(height, width)), "{number}");
        assert!(shown.contains(&format!("{number}.npy")), "{shown}");
    }
    let json = cnn(&[&arguments[..2], &arguments[4..], &["--json"]].concat()).ok();
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let images: Vec<_> = lines.iter().map(|line| line["images"].as_u64().unwrap()).collect();
    assert_eq!(images, [2, 1, 1, 1]);
    let file = folder.at("one.npy");
    cnn(&[&arguments[..2], &arguments[4..], &["-o", &file]].concat()).fails(1, &["one.npy", "expected a directory"]);
}

#[test]
fn a_picture_is_brought_to_the_nearest_size_that_fits() {
    let folder = Folder::new();
    let model = folder.file("even.toml", EVEN);
    // 30 × 20 pixels, lying on its side in the file.
    let photo = fixture("tests/fixtures/pictures/exif6.jpg");
    let run = cnn(&["run", &model, "--input", &photo]);
    assert_eq!(run.stderr, "");
    assert!(run.ok().contains("1 × 3 × 20 × 30"));
    let odd = cnn(&["run", &model, "--input", &photo, "--crop", "19"]);
    assert!(
        odd.stderr.contains("H × W = 19 × 19 is taken as 18 × 18"),
        "{}",
        odd.stderr
    );
    cnn(&[
        "run",
        &model,
        "--input",
        &photo,
        "--shape",
        "image=1,3,8,8",
        "--fit",
        "cover",
    ])
    .ok();
}

#[test]
fn which_sizes_there_can_be_is_said() {
    let folder = Folder::new();
    let model = folder.file("even.toml", EVEN);
    let checked = cnn(&["check", &model]);
    assert_eq!(checked.stderr, "");
    let checked = checked.ok();
    let sizes = "H from 2 in steps of 2, W from 2 in steps of 2; here 224 × 224";
    assert!(checked.contains(sizes), "{checked}");
    let at = cnn(&["check", &model, "--shape", "image=3,6,4"]).ok();
    assert!(at.contains("here 6 × 4"), "{at}");
    cnn(&["check", &model, "--shape", "image=3,6,5"]).fails(1, &["even.toml", "[3, 6, 4]", "[3, 6, 5]"]);
    cnn(&["check", &model, "--shape", "image=4,6,6"]).fails(1, &["[N, 3, H, W]"]);
    cnn(&["check", "lenet5", "--shape", "image=1,28,28"]).fails(1, &["[N, 1, 32, 32]"]);
    // What is given has a size.
    let wide = array(&folder, "wide.npy", 4, 12);
    let accuracy = cnn(&["check", &model, "--accuracy", "--input", &wide]);
    assert_eq!(accuracy.stderr, "");
    assert!(accuracy.ok().contains("here 4 × 12"));
    cnn(&["bench", &model, "--iterations", "1", "--input", &wide]).ok();
    let tall = array(&folder, "tall.npy", 12, 4);
    cnn(&["bench", &model, "--input", &wide, &tall]).fails(1, &["2 sizes", "--shape"]);
    // What is for one size says which.
    for arguments in [&["dump"][..], &["summary"], &["run", "--input", "random"]] {
        let run = cnn(&[&arguments[..1], &[&model], &arguments[1..]].concat());
        assert!(run.stderr.contains("H = 224, W = 224") && run.stderr.contains("--shape image=1,3,224,224"));
        run.ok();
    }
}

/// Nothing that a file or a flag says about sizes makes the program fail otherwise than with an error.
#[test]
fn sizes_beyond_sense_are_errors() {
    let folder = Folder::new();
    let model = folder.file("even.toml", EVEN);
    for shape in [
        "image=3,0,2",
        "image=3,18446744073709551615,2",
        "image=3,4294967296,4294967296",
        "image=",
        "image=3",
    ] {
        let outcome = cnn(&["check", &model, "--shape", shape]);
        assert!(outcome.code == 1 || outcome.code == 2, "{shape}: {}", outcome.code);
    }
    for (name, input, words) in [
        ("c", "['C', 4, 4]", "channels cannot be free"),
        ("n", "['N']", "not the length of a vector"),
        ("q", "[3, 'a b', 4]", "not a valid name"),
        ("e", "[3, '', 4]", "not a valid name"),
    ] {
        let text = EVEN.replace("[3, \"H\", \"W\"]", input);
        cnn(&["check", &folder.file(&format!("{name}.toml"), text)]).fails(1, &[words, &format!("{name}.toml:3")]);
    }
    // Layers that fit one size only, which nobody would try.
    let one = format!("{EVEN}\n[[layer]]\nname = 'one'\nop = 'reshape'\nshape = [3, 18, 8]\n");
    let one = folder.file("one.toml", one);
    cnn(&["check", &one]).fails(1, &["one"]);
    assert!(
        cnn(&["check", &one, "--shape", "image=3,12,12"])
            .ok()
            .contains("here 12 × 12")
    );
    // Layers that fit no size: told for the first that was tried.
    let never = EVEN.replace("size = 2", "size = 100000");
    cnn(&["check", &folder.file("never.toml", never)]).fails(1, &["half", "224"]);
    let large = array(&folder, "large.npy", 2, 2);
    cnn(&["run", &model, "--input", &large, "--max-memory", "1"]).fails(1, &["1 B"]);
}
