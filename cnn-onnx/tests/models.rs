//! Small models of every kind give ONNX's own answers (made by `tests/onnx/make.py`), and read back from TOML the same.

use std::path::PathBuf;

use cnn_codegen::interp::Interpreter;
use cnn_ir::front::{Parsed, graph, graph_from_toml, write};
use cnn_ir::validate::validate;
use cnn_onnx::{Batch, Import, ImportOptions};
use cnn_runtime::weights::{SafetensorsFile, WeightSource};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

fn import(name: &str) -> Import {
    Import::open(folder().join(format!("{name}.onnx")), &ImportOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Imports a model, runs it on its input, and compares; gives the import and its TOML.
fn check(name: &str) -> (Import, String) {
    let import = import(name);
    let parsed = Parsed {
        net: import.net.clone(),
        complete: true,
        ..Parsed::default()
    };
    let (direct, _) = graph(parsed).expect("a valid declaration");
    let toml = write::toml(&import.net);
    let (read, _) = graph_from_toml(&toml).expect("valid TOML");
    let arrays = SafetensorsFile::open(folder().join(format!("{name}.safetensors"))).unwrap();
    let shape = |key: &str| arrays.info(key).unwrap_or_else(|| panic!("{key}")).0.to_vec();
    let tensor = |key: &str| arrays.tensor(key, &shape(key)).unwrap().into_owned();
    let inputs: Vec<_> = import
        .inputs
        .iter()
        .map(|port| tensor(&format!("input/{}", port.name)))
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let first = shape(&format!("input/{}", import.inputs[0].name));
    let batch = if import.batch == Batch::None { 1 } else { first[0] };
    let run = |graph: &cnn_ir::graph::Graph| {
        let shapes = validate(graph).expect("valid shapes");
        let interpreter = Interpreter::new(graph, &shapes, &import.weights).expect("weights load");
        interpreter.run(&inputs, batch).expect("inputs fit")
    };
    let outputs = run(&direct);
    assert_eq!(outputs, run(&read), "{name}: the same bits from TOML");
    assert_eq!(outputs.len(), import.outputs.len());
    for (port, found) in import.outputs.iter().zip(&outputs) {
        let expected = tensor(&format!("output/{}", port.name));
        let largest = expected.iter().fold(0f32, |most, x| most.max(x.abs()));
        assert_eq!(found.len(), expected.len(), "{name}: {}", port.name);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * largest,
                "{name}: {}: {found} {expected}",
                port.name
            );
        }
    }
    (import, toml)
}

fn names(import: &Import) -> Vec<&str> {
    import.net.layers.iter().map(|layer| &*layer.name.value).collect()
}

fn ops(import: &Import) -> Vec<&str> {
    import.net.layers.iter().map(|layer| &*layer.op.value).collect()
}

#[test]
fn windows_of_a_sound_are_signals_then_steps() {
    let (import, _) = check("speech");
    assert_eq!(import.batch, Batch::None);
}

#[test]
fn a_residual_network_as_pytorch_exports_it() {
    let (import, toml) = check("residual");
    assert_eq!(import.batch, Batch::Free);
    assert_eq!(
        names(&import),
        [
            "layer1.0.conv1",
            "layer1.0.bn1",
            "layer1.0.relu",
            "layer1.0.conv2",
            "layer1.0",
            "act",
            "pool",
            "Reshape",
            "fc",
            "Softmax"
        ]
    );
    assert!(import.weights.names().contains(&"layer1.0.conv1.weight".to_owned()));
    let expected = "\n[[layer]]\nname = \"layer1.0.conv2\"\nop = \"conv\"\nfilters = 4\nkernel = 3\npadding = 1\n\
                    groups = 2\nbias = false\n\n[[layer]]\nname = \"layer1.0\"\nop = \"add\"\n\
                    from = [\"layer1.0.conv2\", \"layer1.0.conv1\"]\n";
    assert!(toml.contains(expected), "{toml}");
}

#[test]
fn operators_of_early_versions() {
    let (import, _) = check("old");
    assert_eq!(import.batch, Batch::Fixed(1));
    assert_eq!(import.inputs.len(), 1);
    check("attributes");
}

#[test]
fn transposes_around_channels_last_cancel() {
    let (import, toml) = check("channels_last");
    assert_eq!(
        ops(&import),
        [
            "conv",
            "relu",
            "conv",
            "concat",
            "global_avg_pool",
            "flatten",
            "dense",
            "softmax"
        ]
    );
    assert!(
        toml.contains("image_0 = { shape = [7, 6, 3], layout = \"hwc\" }"),
        "{toml}"
    );
}

#[test]
fn views_that_shuffle_channels_are_one_layer() {
    let (import, _) = check("shuffle");
    assert_eq!(ops(&import), ["conv", "channel_shuffle"]);
}

#[test]
fn signals_have_one_row_and_weights_may_lie_beside() {
    let (import, _) = check("signal");
    assert_eq!(import.outputs[0].dims, [4, 8]);
    assert_eq!(import.weights.shape("conv.weight"), Some(vec![4, 3, 1, 3]));
}

#[test]
fn channels_last_all_the_way_from_a_padded_image() {
    let (import, toml) = check("mobile_last");
    assert_eq!(
        ops(&import),
        [
            "pad",
            "conv",
            "batch_norm",
            "relu",
            "conv",
            "batch_norm",
            "relu6",
            "add",
            "max_pool",
            "transpose",
            "flatten",
            "dense"
        ]
    );
    assert!(toml.contains("layout = \"hwc\""), "{toml}");
}

#[test]
fn parts_and_borders() {
    check("bordered");
    let (import, _) = check("parts");
    // Names go on to the layers that are left.
    assert_eq!(import.outputs[1].layer, "swapped");
    assert!(ops(&import).iter().all(|op| *op != "channel_shuffle"));
}

#[test]
fn views_become_operators() {
    let (import, _) = check("views");
    let count = |op: &str| ops(&import).iter().filter(|other| **other == op).count();
    assert_eq!((count("depth_to_space"), count("space_to_depth")), (4, 2));
}

#[test]
fn sizes_that_change() {
    check("resizes");
    check("transposed");
}

/// As PyTorch and ONNX Runtime resize, where the ONNX project's evaluator takes other pixels.
#[test]
fn sizes_that_change_by_scales_that_are_not_whole() {
    check("resize_third");
    check("resize_tenth");
    check("resize_half_of_odd");
    check("resampled");
}

#[test]
fn operations_that_exporters_write_as_many() {
    let (import, _) = check("patterns");
    assert_eq!(ops(&import), ["gelu", "gelu", "hard_sigmoid", "hard_swish"]);
    let (import, _) = check("gelu_by_erf");
    assert_eq!(ops(&import), ["conv", "gelu"]);
    let (import, _) = check("softplus_where");
    assert_eq!(ops(&import), ["conv", "softplus"]);
}

#[test]
fn reductions_and_products_of_vectors() {
    let (import, _) = check("reductions");
    // Between layers with channels last, nothing moves.
    let count = |op: &str| ops(&import).iter().filter(|other| **other == op).count();
    assert_eq!(count("conv"), 3);
    assert!(count("transpose") <= 2, "{:?}", ops(&import));
}

#[test]
fn norms_and_functions_of_elements() {
    check("functions");
}

#[test]
fn a_batch_that_moves_is_one_image() {
    let (import, _) = check("moved");
    assert_eq!(import.batch, Batch::None);
    assert_eq!(import.outputs[0].dims, [5, 1, 3]);
    assert!(ops(&import).contains(&"dense"));
}

#[test]
fn weights_that_are_computed() {
    // From constants they are constants, whatever the operators.
    let (import, _) = check("standardised");
    assert_eq!(ops(&import), ["conv", "relu"]);
    let (import, _) = check("weighted");
    assert_eq!(import.batch, Batch::None);
}

#[test]
fn matrices_and_tensors_without_a_batch() {
    let (import, _) = check("matrices");
    assert_eq!(import.batch, Batch::None);
    assert_eq!(import.outputs[0].dims, [3, 2, 3, 2]);
}

#[test]
fn functions_of_elements() {
    let (import, _) = check("elements");
    assert!(ops(&import).contains(&"silu"));
    // A map that is the same everywhere is one number.
    assert_eq!(import.weights.shape("a.running_var"), Some(vec![3]));
}

#[test]
fn modules_are_named_in_metadata() {
    let (import, _) = check("scopes");
    assert_eq!(
        names(&import),
        ["stem.0", "stem.2", "block.act", "node_relu_1", "block"]
    );
    assert_eq!(ops(&import)[1], "hard_swish");
}

#[test]
fn recurrent_layers() {
    let (import, toml) = check("recurrent");
    assert_eq!(import.batch, Batch::None);
    assert!(
        toml.contains("op = \"gru\"") && toml.contains("reset_after = false"),
        "{toml}"
    );
    // A batch that moves to the second axis and comes back.
    let (import, toml) = check("crnn");
    assert_eq!(import.batch, Batch::None);
    assert_eq!(toml.matches("op = \"lstm\"").count(), 2, "{toml}");
    assert_eq!(toml.matches("op = \"gru\"").count(), 2, "{toml}");
}
