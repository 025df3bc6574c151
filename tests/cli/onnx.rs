//! ONNX files as models, and their import.

use std::fs;

use cnn::io::npy;
use cnn::onnx::{Batch, Import, ImportOptions};

use super::support::{Folder, cnn, fixture, npy_f32};

fn model(name: &str) -> String {
    fixture(&format!("cnn-onnx/tests/models/{name}.onnx"))
}

const MODELS: [&str; 21] = [
    "attributes",
    "bordered",
    "channels_last",
    "crnn",
    "elements",
    "functions",
    "matrices",
    "mobile_last",
    "old",
    "parts",
    "patterns",
    "recurrent",
    "reductions",
    "residual",
    "resizes",
    "scopes",
    "shuffle",
    "signal",
    "speech",
    "transposed",
    "views",
];

/// The ONNX file and its import as TOML give the same bits; the interpreter, which `cnn-onnx/tests` compares with ONNX
/// Runtime, gives nearly the same.
#[test]
fn an_imported_model_gives_the_same_bits_as_the_onnx_file() {
    let folder = Folder::new();
    for name in MODELS {
        let import = Import::open(model(name), &ImportOptions::default()).unwrap();
        let told = cnn(&["import", &model(name), "-o", &folder.at("models")]).ok();
        assert!(
            told.contains(&format!("{name}.toml")) && told.contains("parameters"),
            "{told}"
        );
        let [toml, weights] = ["toml", "safetensors"].map(|kind| folder.at(&format!("models/{name}.{kind}")));
        let run = |way: &str, model: &[&str]| {
            let output = format!("{}/", folder.at(way));
            let inputs = ["--input", "random:3"].repeat(import.inputs.len());
            let batch = if import.batch == Batch::None { "1" } else { "2" };
            cnn(&[&["run"], model, &inputs, &["--batch", batch, "--output", &output]].concat()).ok();
        };
        run("direct", &[&model(name)]);
        run("imported", &[&toml, "--weights", &weights]);
        run("interpreted", &[&model(name), "--backend", "interp"]);
        for port in &import.outputs {
            let array =
                |way: &str, name: &str| npy::read(&folder.path().join(way).join(format!("{name}.npy"))).unwrap();
            let direct = array("direct", &port.plain_name());
            let imported = array("imported", &port.layer);
            let interpreted = array("interpreted", &port.plain_name());
            assert!(direct.iter().eq(imported.iter()), "{name}: {}", port.name);
            let largest = interpreted.fold(0f32, |most, x| most.max(x.abs()));
            let apart = (&direct - &interpreted).fold(0f32, |most, x| most.max(x.abs()));
            assert!(apart <= 1e-4 * largest, "{name}: {}: {apart} of {largest}", port.name);
        }
        let checked = cnn(&["check", &toml, "--weights", &weights]).ok();
        assert!(checked.contains("all of the right shape"), "{checked}");
        for way in ["direct", "imported", "interpreted"] {
            fs::remove_dir_all(folder.path().join(way)).unwrap();
        }
    }
    assert_eq!(folder.entries(), ["models"]);
}

#[test]
fn an_edited_import_is_not_overwritten() {
    let folder = Folder::new();
    let import = |more: &[&str]| cnn(&[&["import", &model("residual"), "-o", &folder.at("m")], more].concat());
    import(&[]).ok();
    // The same again changes nothing.
    import(&[]).ok();
    for kind in ["toml", "safetensors"] {
        let file = folder.at(&format!("m/residual.{kind}"));
        let mut edited = fs::read(&file).unwrap();
        let last = edited.len() - 1;
        edited[last] ^= 1;
        fs::write(&file, &edited).unwrap();
        import(&[]).fails(1, &[&format!("residual.{kind}"), "--force"]);
        assert_eq!(fs::read(&file).unwrap(), edited);
        assert_eq!(fs::read_dir(folder.at("m")).unwrap().count(), 2);
        import(&["--force"]).ok();
        assert_ne!(fs::read(&file).unwrap(), edited);
    }
}

#[test]
fn arrays_have_the_shapes_and_names_of_the_onnx_file() {
    let folder = Folder::new();
    let run = |shape: &[usize]| {
        let x = folder.file("x.npy", npy_f32(shape, &vec![0.5; shape.iter().product()]));
        let out = format!("{}/", folder.at("out"));
        cnn(&["run", &model("signal"), "--input", &x, "--output", &out])
    };
    // The network's own shape, with a row, is taken too.
    for (shape, batch) in [(&[2, 3, 9][..], 2), (&[3, 9], 1), (&[4, 3, 1, 9], 4)] {
        run(shape).ok();
        for (name, dims) in [("r", &[4, 8][..]), ("best", &[4])] {
            let array = npy::read(&folder.path().join(format!("out/{name}.npy"))).unwrap();
            assert_eq!(array.shape(), [&[batch], dims].concat(), "{name} of {shape:?}");
        }
    }
    run(&[2, 9, 3]).fails(1, &["[3, 9]", "[N, 3, 9]", "found [2, 9, 3]"]);
}

#[test]
fn every_command_takes_onnx_files() {
    let residual = model("residual");
    assert!(cnn(&["check", &residual]).ok().contains("input [3, 6, 6]"));
    assert!(cnn(&["summary", &residual]).ok().contains("layer1.0.conv1"));
    assert!(
        cnn(&["dump", &residual, "--stage", "fused"])
            .ok()
            .contains("layer1.0.conv1")
    );
    assert!(
        cnn(&["bench", &residual, "--iterations", "2"])
            .ok()
            .contains("residual")
    );
    assert!(
        cnn(&["run", &residual, "--input", "random", "--backend", "interp"])
            .ok()
            .contains('%')
    );
}

#[test]
fn what_is_wrong_with_an_onnx_file_is_said() {
    let folder = Folder::new();
    let whole = fs::read(model("old")).unwrap();
    let cut = folder.file("cut.onnx", &whole[..whole.len() / 2]);
    cnn(&["check", &cut]).fails(1, &["cut.onnx", "truncated"]);
    cnn(&["check", &folder.at("cut2.onnx")]).fails(1, &["cut2.onnx", "there is `cut.onnx` beside it"]);
    let shape = "nothing=1,3,8,8";
    cnn(&["check", &model("old"), "--shape", shape]).fails(1, &["`nothing`", "the model's inputs are `x`"]);
    cnn(&["check", "lenet5", "--shape", shape]).fails(1, &["`nothing`", "the model's inputs are `image`"]);
    cnn(&["check", &model("old"), "--shape", "x=1,a"]).fails(2, &["image=1,3,224,224"]);
    cnn(&["import", "lenet5", "-o", &folder.at("out")]).fails(2, &["`import` takes an .onnx file"]);
    assert_eq!(folder.entries(), ["cut.onnx"]);
}
