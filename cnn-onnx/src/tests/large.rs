//! Files that have very much of something, or very long axes of nothing: time in proportion to the file, and little memory.

use std::time::{Duration, Instant};

use super::*;

/// Far more than each needs, far less than what is quadratic takes.
const PATIENCE: Duration = Duration::from_secs(60);
const MANY: usize = 50_000;

/// What importing gives or says.
fn tried(model: &proto::Model) -> Result<Import, String> {
    let started = Instant::now();
    let result = read(model.encode_to_vec()).map_err(|error| error.to_string());
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    result
}

/// A chain of as many nodes, each made from its number, what it takes and what it gives.
fn chain(count: usize, link: impl Fn(usize, &str, &str) -> proto::Node) -> Vec<proto::Node> {
    let name = |i: usize| match i {
        0 => "x".to_owned(),
        i if i == count => "y".to_owned(),
        i => format!("v{i}"),
    };
    (0..count).map(|i| link(i, &name(i), &name(i + 1))).collect()
}

#[test]
fn nodes_of_one_name() {
    let nodes = chain(MANY, |_, from, to| proto::Node {
        name: "same".into(),
        ..node("Abs", &[from], to)
    });
    let import = tried(&model(nodes, Vec::new())).unwrap();
    assert_eq!(import.net.layers.len(), MANY);
}

/// Each sum is with what a convolution long ago gave.
#[test]
fn sums_far_from_their_convolutions() {
    let count = MANY / 5;
    let mut nodes: Vec<_> = (0..count)
        .map(|i| node("Conv", &["x", "w"], &format!("c{i}")))
        .collect();
    let name = |i: usize| format!("s{i}");
    nodes.extend((0..count).map(|i| node("Add", &[&format!("c{i}"), "b"], &name(i))));
    let names: Vec<String> = (0..count).map(name).collect();
    let sum = proto::Node {
        input: names,
        ..node("Sum", &[], "y")
    };
    nodes.push(sum);
    let weights = floats("w", &[2, 2, 1, 1], &[1.0; 4]);
    let bias = floats("b", &[1, 2, 1, 1], &[0.5; 2]);
    let import = tried(&model(nodes, vec![weights, bias])).unwrap();
    assert_eq!(import.net.layers.len(), count + 1, "biases are the convolutions'");
}

#[test]
fn inputs_that_all_have_pixels() {
    use DimensionValue::Size;
    let mut model = model(chain(MANY, |_, from, to| node("Abs", &[from], to)), Vec::new());
    let graph = model.graph.as_mut().unwrap();
    let shape = [1, 2, 4, 4].map(Size);
    graph.input = (0..MANY).map(|i| value(&format!("i{i}"), &shape)).collect();
    graph.input.push(value("x", &shape));
    assert!(tried(&model).is_ok());
}

#[test]
fn axes_and_shapes_without_end() {
    let long = shape("long", &vec![1; 1 << 18]);
    for (op, words) in [
        ("Reshape", "a list of a few integers"),
        ("Unsqueeze", "a list of a few integers"),
        ("Expand", "a list of a few integers"),
    ] {
        let nodes = (0..MANY).map(|i| node(op, &["x", "long"], &format!("v{i}")));
        let mut nodes: Vec<_> = nodes.collect();
        let names = nodes.iter().map(|node| node.output[0].clone()).collect();
        nodes.push(proto::Node {
            input: names,
            ..node("Sum", &[], "y")
        });
        let said = tried(&model(nodes, vec![long.clone()])).unwrap_err();
        assert!(said.contains(words), "{op}: {said:.300}");
    }
    let ranks = shape("ranks", &vec![1; 70]);
    let said = tried(&model(vec![node("Reshape", &["ranks", "ranks"], "y")], vec![ranks])).unwrap_err();
    assert!(said.contains("70 axes; at most 64"), "{said}");
    let deep = floats("deep", &[1; 100], &[0.0]);
    let said = tried(&model(vec![node("Add", &["x", "deep"], "y")], vec![deep])).unwrap_err();
    assert!(said.contains("100 axes; at most 64"), "{said}");
    let mut model = model(vec![node("Abs", &["x"], "y")], Vec::new());
    let dims = vec![DimensionValue::Size(1); 1 << 21];
    model.graph.as_mut().unwrap().input = vec![value("x", &dims)];
    let said = tried(&model).unwrap_err();
    assert!(said.contains("fields in its graph"), "{said}");
}

/// A tensor without elements has axes all the same, and what is one number everywhere is not written out for it.
#[test]
fn long_axes_of_nothing() {
    const LONG: i64 = 1 << 40;
    let empty = |dims: &[i64]| floats("empty", dims, &[]);
    let axis = |axis: i64, node: proto::Node| proto::Node {
        attribute: vec![int("axis", axis)],
        ..node
    };
    let uniform = || node("ConstantOfShape", &["shape"], "u");
    let index = shape("index", &[0]);
    let cases = [
        (
            vec![axis(1, node("Concat", &["empty", "empty"], "y"))],
            empty(&[LONG, 0]),
            index.clone(),
        ),
        (
            vec![axis(1, node("Gather", &["empty", "index"], "y"))],
            empty(&[LONG, 3, 0]),
            index.clone(),
        ),
        (
            vec![uniform(), node("Add", &["u", "empty"], "y")],
            empty(&[0]),
            shape("shape", &[LONG, 1]),
        ),
        (
            vec![uniform(), node("Where", &["u", "u", "empty"], "y")],
            empty(&[0]),
            shape("shape", &[LONG, 1]),
        ),
        (
            vec![uniform(), node("Cast", &["u"], "y")],
            empty(&[0]),
            shape("shape", &[LONG, LONG, 0]),
        ),
        (
            vec![axis(0, node("Gather", &["empty", "index"], "y"))],
            empty(&[0, LONG, LONG]),
            index,
        ),
    ];
    for (nodes, empty, other) in cases {
        let said = tried(&model(nodes, vec![empty, other])).unwrap_err();
        assert!(said.contains("too long axes beside an empty one"), "{said}");
    }
}

/// First states of zeros are left out, however many there would be.
#[test]
fn states_that_are_one_number() {
    let hidden = proto::Attribute {
        name: "hidden_size".into(),
        kind: kind::INT,
        i: 3,
        ..proto::Attribute::default()
    };
    let nodes = vec![
        node("Reshape", &["x", "steps"], "s"),
        node("ConstantOfShape", &["states"], "h"),
        proto::Node {
            attribute: vec![hidden],
            ..node("GRU", &["s", "w", "r", "", "", "h"], "y")
        },
    ];
    let weights = vec![
        shape("steps", &[4, 1, 8]),
        shape("states", &[1, 1 << 40, 3]),
        floats("w", &[1, 9, 8], &[0.5; 72]),
        floats("r", &[1, 9, 3], &[0.5; 27]),
    ];
    // Whatever it says of the shape, it says so at once.
    let _ = tried(&model(nodes, weights));
}

/// What a few bytes declare is refused before it is written out.
#[test]
fn classes_and_values_that_are_only_declared() {
    let one_hot = |depth: i64, values: proto::Tensor, more: Vec<proto::Node>| {
        let mut nodes = more;
        nodes.push(node("OneHot", &["x", "depth", "values"], "y"));
        let mut depth = shape("depth", &[depth]);
        depth.dims.clear();
        model(nodes, vec![depth, values])
    };
    let options = ImportOptions {
        max_memory: Some(64 << 20),
        ..ImportOptions::default()
    };
    let deep = one_hot(i64::from(i32::MAX), floats("values", &[2], &[0.0, 1.0]), Vec::new());
    let error = Import::from_bytes(deep.encode_to_vec(), "model.onnx", &options).unwrap_err();
    assert!(error.to_string().contains("more than is left"), "{error}");
    let made = node("ConstantOfShape", &["long"], "values");
    let mut uniform = one_hot(3, shape("long", &[1 << 40]), vec![made]);
    uniform.graph.as_mut().unwrap().initializer[1].name = "long".into();
    let error = tried(&uniform).unwrap_err();
    assert!(error.contains("expected a few numbers"), "{error}");
}

/// Joining nothing along long axes, thousands of times.
#[test]
fn nothing_joined() {
    let names = vec!["empty"; 4_000];
    let nodes = vec![
        node("ConstantOfShape", &["s"], "empty"),
        proto::Node {
            attribute: vec![int("axis", 1)],
            ..node("Concat", &names, "joined")
        },
        node("Shape", &["joined"], "y"),
    ];
    // Whatever is said of the result, it is said soon.
    let started = Instant::now();
    let _ = tried(&model(nodes, vec![shape("s", &[1 << 20, 0])]));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn an_equation_of_very_many_letters() {
    let mut einsum = model(vec![node("Einsum", &["x"], "y")], Vec::new());
    einsum.graph.as_mut().unwrap().node[0].attribute.push(proto::Attribute {
        name: "equation".into(),
        kind: kind::STRING,
        s: vec![b'a'; 400_000].into(),
        ..proto::Attribute::default()
    });
    let error = tried(&einsum).unwrap_err();
    assert!(error.contains("400000 letters") && error.len() < 1_000, "{error}");
}
