//! Heights and widths that a file leaves free.

use super::*;
use DimensionValue::{Name, Size};

/// `y = Op(x)` of an `x` of these dimensions.
fn network(op: &str, dims: &[DimensionValue]) -> proto::Model {
    let mut network = model(vec![node(op, &["x"], "y")], Vec::new());
    network.graph.as_mut().unwrap().input[0] = value("x", dims);
    network
}

fn named(batch: &str, channels: DimensionValue) -> [DimensionValue; 4] {
    [
        Name(batch.into()),
        channels,
        Name("height".into()),
        Name("width".into()),
    ]
}

#[test]
fn free_sizes_are_named_and_can_be_given() {
    let free = network("Relu", &named("batch", Size(3)));
    let import = read(free.encode_to_vec()).unwrap();
    let sizes: Vec<_> = import
        .free
        .iter()
        .map(|free| (&*free.name, free.places[0].axis))
        .collect();
    assert_eq!(sizes, [("height", 1), ("width", 2)]);
    assert_eq!(import.inputs[0].dims, [3, 224, 224]);
    let other = import
        .with_sizes(&[("height".to_owned(), 5), ("width".to_owned(), 7)].into())
        .unwrap();
    assert_eq!((&*other.inputs[0].dims, other.free.len()), (&[3, 5, 7][..], 2));
    assert_eq!(other.net.inputs[0].keys[0].value.kind.to_string(), "[3, 5, 7]");

    let given = |name: &str, dims: &[usize]| {
        let options = ImportOptions {
            shapes: BTreeMap::from([(name.to_owned(), dims.to_vec())]),
            ..ImportOptions::default()
        };
        Import::from_bytes(free.encode_to_vec(), "model.onnx", &options).map_err(|error| error.to_string())
    };
    let import = given("x", &[1, 3, 8, 9]).unwrap();
    assert!(import.inputs[0].dims == [3, 8, 9] && import.free.is_empty());
    let wrong = given("x", &[1, 4, 8, 9]).unwrap_err();
    assert!(wrong.contains("[batch, 3, height, width]"), "{wrong}");
    assert!(given("z", &[1, 3, 8, 9]).unwrap_err().contains("inputs are `x`"));
}

#[test]
fn sizes_without_a_name_get_one() {
    let free = network("Relu", &[Size(1), Size(3), Size(-1), Size(0)]);
    let import = read(free.encode_to_vec()).unwrap();
    let names: Vec<_> = import.free.iter().map(|free| &*free.name).collect();
    assert_eq!(names, ["height", "width"]);
    // One name in two places is one size.
    let square = network("Relu", &[Size(1), Size(3), Name("n".into()), Name("n".into())]);
    let import = read(square.encode_to_vec()).unwrap();
    assert_eq!((import.free.len(), import.free[0].places.len()), (1, 2));
    let length = network("Relu", &[Name("n".into()), Size(3), Name("length".into())]);
    assert_eq!(read(length.encode_to_vec()).unwrap().free[0].places[0].axis, 1);
}

/// Shapes that are computed in the file follow the image.
#[test]
fn what_is_computed_from_sizes_is_computed_again() {
    let nodes = vec![
        node("Shape", &["x"], "s"),
        node("MaxPool", &["x"], "half"),
        node("Resize", &["half", "", "", "s"], "y"),
    ];
    let mut network = model(nodes, Vec::new());
    let twos = |name: &str| proto::Attribute {
        name: name.into(),
        kind: kind::INTS,
        ints: vec![2, 2],
        ..Default::default()
    };
    let pool = &mut network.graph.as_mut().unwrap().node[1];
    pool.attribute.extend(["kernel_shape", "strides"].map(twos));
    network.graph.as_mut().unwrap().input[0] = value("x", &named("n", Size(1)));
    let import = read(network.encode_to_vec()).unwrap();
    for size in [3, 6, 224] {
        let sizes = [("height".to_owned(), size), ("width".to_owned(), size + 1)].into();
        assert_eq!(import.with_sizes(&sizes).unwrap().outputs[0].dims, [1, size, size + 1]);
    }
    assert!(import.with_sizes(&[("height".to_owned(), 1)].into()).is_err());
    let again = import.with_sizes(&[("height".to_owned(), 9)].into()).unwrap();
    assert!(again.weights.is_the_same_as(&import.weights));
}

#[test]
fn what_cannot_be_free_is_told_with_an_example() {
    let channels = network("Relu", &named("batch", Name("channels".into())));
    let error = told(&channels);
    assert!(
        error.contains("`channels`") && error.contains("--shape x=1,3,"),
        "{error}"
    );
    // 225 · 225 elements are none of the sizes that are tried.
    let mut flat = network("Reshape", &named("batch", Size(1)));
    let graph = flat.graph.as_mut().unwrap();
    graph.node[0].input.push("s".into());
    graph.initializer.push(shape("s", &[1, 225 * 225]));
    let error = told(&flat);
    assert!(
        error.contains("`height` is free") && error.contains("--shape x=1,1,224,224"),
        "{error}"
    );
}
