//! Files that are damaged, hostile, or ask for what there is not: an error that says everything, never a panic.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use prost::Message;

use crate::proto::{self, DimensionValue, kind};
use crate::{Import, ImportError, ImportOptions};

mod free;
mod large;

const MODELS: [&str; 22] = [
    "residual",
    "old",
    "channels_last",
    "shuffle",
    "signal",
    "parts",
    "views",
    "resizes",
    "resampled",
    "functions",
    "bordered",
    "reductions",
    "patterns",
    "moved",
    "standardised",
    "weighted",
    "transposed",
    "matrices",
    "elements",
    "mobile_last",
    "scopes",
    "attributes",
];

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/models/{name}.onnx"));
    fs::read(path).unwrap()
}

fn read(bytes: Vec<u8>) -> Result<Import, ImportError> {
    Import::from_bytes(bytes, "model.onnx", &ImportOptions::default())
}

/// What a model's error says.
fn told(model: &proto::Model) -> String {
    read(model.encode_to_vec()).expect_err("an error").to_string()
}

fn value(name: &str, dims: &[DimensionValue]) -> proto::ValueInfo {
    let dim = dims.iter().map(|dim| proto::Dimension {
        value: Some(dim.clone()),
    });
    let shape = proto::TensorShape { dim: dim.collect() };
    proto::ValueInfo {
        name: name.into(),
        r#type: Some(proto::Type {
            tensor_type: Some(proto::TensorType {
                elem_type: 1,
                shape: Some(shape),
            }),
        }),
    }
}

fn node(op: &str, input: &[&str], output: &str) -> proto::Node {
    proto::Node {
        op_type: op.into(),
        name: format!("{op}_of_{output}"),
        input: input.iter().map(|name| name.to_string()).collect(),
        output: vec![output.into()],
        ..proto::Node::default()
    }
}

fn int(name: &str, i: i64) -> proto::Attribute {
    proto::Attribute {
        name: name.into(),
        kind: kind::INT,
        i,
        ..proto::Attribute::default()
    }
}

fn floats(name: &str, dims: &[i64], float_data: &[f32]) -> proto::Tensor {
    proto::Tensor {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: 1,
        float_data: float_data.to_vec(),
        ..proto::Tensor::default()
    }
}

fn shape(name: &str, int64_data: &[i64]) -> proto::Tensor {
    proto::Tensor {
        name: name.into(),
        dims: vec![int64_data.len() as i64],
        data_type: 7,
        int64_data: int64_data.to_vec(),
        ..proto::Tensor::default()
    }
}

/// A model of these nodes from `x` [n, 2, 4, 4] to `y`.
fn model(node: Vec<proto::Node>, initializer: Vec<proto::Tensor>) -> proto::Model {
    use DimensionValue::{Name, Size};
    proto::Model {
        ir_version: 8,
        opset_import: vec![proto::OperatorSetId {
            domain: String::new(),
            version: 17,
        }],
        graph: Some(proto::Graph {
            node,
            initializer,
            input: vec![value("x", &[Name("n".into()), Size(2), Size(4), Size(4)])],
            output: vec![value("y", &[])],
            ..proto::Graph::default()
        }),
        ..proto::Model::default()
    }
}

#[test]
fn files_cut_off_anywhere_are_errors() {
    for name in MODELS {
        let whole = bytes(name);
        for end in 0..whole.len() {
            assert!(read(whole[..end].to_vec()).is_err(), "{name} cut off at {end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever bytes are changed, nothing panics, and what is still read is a declaration that can be printed.
    #[test]
    fn changed_bytes_are_errors_or_other_models(
        name in prop::sample::select(&MODELS[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = bytes(name);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(import) = read(bytes) {
            prop_assert!(!cnn_ir::front::write::toml(&import.net).is_empty());
        }
    }
}

#[test]
fn everything_that_cannot_be_imported_is_listed() {
    let mut lstm = node("LSTM", &["a"], "b");
    lstm.domain = "com.example".into();
    let mut leaky = node("LeakyRelu", &["x"], "a");
    leaky.attribute.push(int("alpa", 1));
    let nodes = vec![node("Relux", &["x"], "c"), leaky, lstm, node("Add", &["b", "c"], "y")];
    let told = told(&model(nodes, Vec::new()));
    for part in [
        "3 things cannot be imported",
        "node `Relux_of_c` (Relux, opset 17): this is no operator of ONNX; did you mean `Relu`?",
        "node `LeakyRelu_of_a` (LeakyRelu, opset 17): attribute `alpa` is not known; known are alpha",
        "domain `com.example`",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn circles_and_missing_tensors_are_errors() {
    let circle = vec![
        node("Add", &["x", "b"], "a"),
        node("Relu", &["a"], "b"),
        node("Relu", &["b"], "y"),
    ];
    assert!(told(&model(circle, Vec::new())).contains("circle"));
    let missing = told(&model(vec![node("Add", &["x", "nowhere"], "y")], Vec::new()));
    assert!(
        missing.contains("its input `nowhere` is nowhere in the file"),
        "{missing}"
    );
    let none = told(&model(vec![node("Relu", &["x"], "z")], Vec::new()));
    assert!(none.contains("output `y`: no node gives it"), "{none}");
    let twice = vec![node("Relu", &["x"], "y"), node("Tanh", &["x"], "y")];
    assert!(told(&model(twice, Vec::new())).contains("also something else's"));
}

#[test]
fn sizes_that_lie_are_errors() {
    let with = |tensor| told(&model(vec![node("Add", &["x", "w"], "y")], vec![tensor]));
    assert!(with(floats("w", &[3], &[1.0])).contains("shape [3] needs 12 bytes of data, found 4"));
    assert!(with(floats("w", &[i64::MAX, i64::MAX], &[1.0])).contains("too many elements"));
    assert!(with(floats("w", &[-1], &[1.0])).contains("negative"));
    let text = proto::Tensor {
        data_type: 8,
        ..floats("w", &[1], &[])
    };
    assert!(with(text).contains("strings"));
}

#[test]
fn a_small_file_cannot_ask_for_all_memory() {
    let large = |dims: &[i64]| {
        let nodes = vec![
            node("ConstantOfShape", &["s"], "c"),
            node("Concat", &["c", "c"], "d"),
            node("Add", &["x", "d"], "y"),
        ];
        told(&model(nodes, vec![shape("s", dims)]))
    };
    assert!(large(&[1 << 20, 1 << 20]).contains("more than is left"));
    assert!(large(&[i64::MAX, i64::MAX, 2]).contains("too many elements"));
    assert!(large(&[-5]).contains("negative"));
    // Many nodes of a moderate size each.
    let mut nodes: Vec<_> = (0..200)
        .map(|i| node("Concat", &["c", "c"], &format!("c{i}")))
        .collect();
    let names: Vec<String> = (0..200).map(|i| format!("c{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.extend([node("ConstantOfShape", &["s"], "c"), node("Concat", &names, "y")]);
    let options = ImportOptions {
        max_memory: Some(1 << 30),
        ..ImportOptions::default()
    };
    let many = model(nodes, vec![shape("s", &[1 << 20, 1])]).encode_to_vec();
    let error = Import::from_bytes(many, "model.onnx", &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than is left of 1073741824"), "{error}");
    // As a parameter, an axis or a scale, nobody lists its elements.
    for (op, input) in [("Resize", 2), ("Clip", 1)] {
        let mut inputs = vec!["x", "", ""];
        inputs[input] = "c";
        let nodes = vec![node("ConstantOfShape", &["s"], "c"), node(op, &inputs, "y")];
        assert!(told(&model(nodes, vec![shape("s", &[1 << 40])])).contains("expected a few numbers"));
    }
    // Messages of two bytes each that would be large in memory.
    let mut graph = Vec::new();
    (0..2 << 20).for_each(|_| graph.extend([0x0A, 0]));
    let mut file = vec![0x3A];
    prost::encoding::encode_varint(graph.len() as u64, &mut file);
    file.extend(graph);
    assert!(read(file).unwrap_err().to_string().contains("fields"));
}

#[test]
fn data_outside_the_models_folder_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(folder.path().join("secret"), 1f32.to_le_bytes()).unwrap();
    fs::write(inner.join("data"), 1f32.to_le_bytes()).unwrap();
    let error = |location: &str, more: &[(&str, &str)]| {
        let entry = |(key, value): (&str, &str)| proto::StringStringEntry {
            key: key.into(),
            value: value.into(),
        };
        let mut tensor = floats("w", &[1], &[]);
        tensor.data_location = 1;
        tensor.external_data = std::iter::once(("location", location))
            .chain(more.iter().copied())
            .map(entry)
            .collect();
        let path = inner.join("model.onnx");
        fs::write(
            &path,
            model(vec![node("Add", &["x", "w"], "y")], vec![tensor]).encode_to_vec(),
        )
        .unwrap();
        Import::open(path, &ImportOptions::default())
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(error("data", &[]), None);
    assert_eq!(error("./data", &[("offset", "0"), ("length", "4")]), None);
    let absolute = folder.path().join("secret");
    for location in ["../secret", absolute.to_str().unwrap(), "..", ""] {
        assert!(
            error(location, &[]).unwrap().contains("outside the model's folder"),
            "{location}"
        );
    }
    for (key, number) in [
        ("offset", "4"),
        ("length", "5"),
        ("offset", "18446744073709551615"),
        ("length", "-1"),
    ] {
        assert!(error("data", &[(key, number)]).is_some(), "{key} {number}");
    }
    assert!(error("absent", &[]).unwrap().contains("cannot be read"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&absolute, inner.join("link")).unwrap();
        assert!(error("link", &[]).unwrap().contains("outside the model's folder"));
    }
}

#[test]
fn what_is_no_onnx_file_says_so() {
    let told = |bytes: &[u8]| read(bytes.to_vec()).unwrap_err().to_string();
    assert!(told(b"").contains("holds no graph"));
    assert!(told(b"name = \"x\"\n[inputs]\n").contains("ONNX model"));
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| Import::open(path, &ImportOptions::default()).unwrap_err().to_string();
    assert!(open(folder.path()).contains("a directory"));
    assert!(open(&folder.path().join("none.onnx")).contains("cannot read"));
}

/// Files of a few bytes whose tensors are as large as can be: imported or refused, in little memory.
const SIZES: [[i64; 3]; 6] = [
    [2_147_483_647, 1, 1],
    [1, 2_147_483_647, 1],
    [1, 1, 2_147_483_647],
    [1 << 16, 1 << 16, 1 << 15],
    [3, 40_000, 40_000],
    [100_000, 100, 1],
];

fn blown_up() -> Vec<proto::Model> {
    use DimensionValue::Size;
    let ints = |name: &str, ints: &[i64]| proto::Attribute {
        name: name.into(),
        kind: kind::INTS,
        ints: ints.to_vec(),
        ..proto::Attribute::default()
    };
    let float = |name: &str, f: f32| proto::Attribute {
        name: name.into(),
        kind: kind::FLOAT,
        f,
        ..proto::Attribute::default()
    };
    let with = |mut node: proto::Node, attributes: &[proto::Attribute]| {
        node.attribute = attributes.to_vec();
        node
    };
    let mut models = Vec::new();
    for [c, h, w] in SIZES {
        let mut nodes = Vec::new();
        for op in ["Add", "Sub", "Mul", "Div", "Max", "PRelu"] {
            for other in ["half", "halves", "map"] {
                nodes.push(node(op, &["x", other], "y"));
                nodes.push(node(op, &[other, "x"], "y"));
            }
        }
        for op in [
            "Relu",
            "Softmax",
            "GlobalAveragePool",
            "ReduceMean",
            "Flatten",
            "Softplus",
            "HardSwish",
        ] {
            nodes.push(node(op, &["x"], "y"));
        }
        nodes.push(with(node("Selu", &["x"], "y"), &[float("alpha", 0.5)]));
        nodes.push(node("Clip", &["x", "half"], "y"));
        nodes.push(node("BatchNormalization", &["x", "ones", "ones", "ones", "ones"], "y"));
        nodes.push(node("Conv", &["x", "filters"], "y"));
        nodes.push(with(node("MatMul", &["x", "square"], "y"), &[]));
        nodes.push(with(node("Transpose", &["x"], "y"), &[ints("perm", &[0, 3, 1, 2])]));
        nodes.push(with(node("Concat", &["x", "map"], "y"), &[int("axis", 1)]));
        nodes.push(with(node("Concat", &["map", "map"], "d"), &[int("axis", 2)]));
        nodes.push(node("Pad", &["x", "pads"], "y"));
        nodes.push(node("Resize", &["x", "", "scales"], "y"));
        for op in ["AveragePool", "MaxPool"] {
            let window = [ints("kernel_shape", &[3, 3]), ints("pads", &[2, 2, 2, 2])];
            nodes.push(with(node(op, &["x"], "y"), &window));
            let window = [ints("kernel_shape", &[h, w]), ints("pads", &[h, w, h, w])];
            nodes.push(with(node(op, &["x"], "y"), &window));
        }
        for op in ["Neg", "Exp", "Sqrt", "Erf", "ReduceMean", "Relu", "Softmax", "Cast"] {
            let mut folded = node(op, &["map"], "folded");
            folded.attribute.extend((op == "Cast").then(|| int("to", 11)));
            let mut model = model(vec![folded, node("Add", &["x", "folded"], "y")], Vec::new());
            constants(&mut model, [c, h, w]);
            models.push(model);
        }
        for node in nodes {
            let mut model = model(vec![node], Vec::new());
            constants(&mut model, [c, h, w]);
            models.push(model);
        }
    }
    fn constants(model: &mut proto::Model, [c, h, w]: [i64; 3]) {
        let graph = model.graph.as_mut().unwrap();
        graph.input[0] = value("x", &[Size(1), Size(c), Size(h), Size(w)]);
        for (name, dims) in [
            ("halves", vec![1, c, 1, 1]),
            ("map", vec![1, c, h, w]),
            ("ones", vec![c]),
            ("filters", vec![c, c, 1, 1]),
            ("square", vec![w, w]),
        ] {
            graph
                .node
                .insert(0, node("ConstantOfShape", &[&format!("{name}.shape")], name));
            graph.initializer.push(shape(&format!("{name}.shape"), &dims));
        }
        graph.initializer.push(floats("half", &[], &[0.5]));
        graph.initializer.push(floats("scales", &[4], &[1.0, 1.0, 1.5, 0.5]));
        graph.initializer.push(shape("pads", &[0, c, h, 0, 0, 1, 0, w]));
    }
    models
}

/// Run by [`blown_up_files_take_little_memory`].
#[test]
#[ignore = "it is run in a process with little memory"]
fn blown_up_files() {
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/selu_2g_channels.onnx");
    let files = blown_up()
        .iter()
        .map(Message::encode_to_vec)
        .chain([fs::read(hostile).unwrap()])
        .collect::<Vec<_>>();
    let mut imported = 0;
    for file in files {
        if let Ok(import) = read(file) {
            imported += 1;
            let shapes = import
                .weights
                .tensors
                .values()
                .filter(|weight| weight.tensor().is_uniform());
            let repeated: usize = shapes.map(|weight| weight.dims().iter().product::<usize>()).sum();
            assert!(repeated <= 1 << 26, "{repeated} numbers would be written out");
        }
    }
    assert!(imported > 100, "{imported}");
}

#[cfg(unix)]
#[test]
fn blown_up_files_take_little_memory() {
    let command = "ulimit -v 500000; exec \"$0\" --exact tests::blown_up_files --ignored --test-threads 1";
    let done = std::process::Command::new("sh")
        .args(["-c", command])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert!(String::from_utf8_lossy(&done.stdout).contains("1 passed"));
}
