//! Inputs and outputs are called as their ONNX file calls them, whatever that is.

use cnn::io::npy;

use crate::support::{Folder, cnn, npy_f32};

/// A field of a protobuf message: its number and bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128);
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

/// A field that is a small integer.
fn integer(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

/// An ONNX file with the inputs `names[..2]` and the outputs `names[2..]`, each `[1, 1, 2, 2]`: their sum and difference.
fn model(names: [&str; 4]) -> Vec<u8> {
    let dims: Vec<u8> = [1, 1, 2, 2]
        .iter()
        .flat_map(|&dim| field(1, &integer(1, dim)))
        .collect();
    let tensor = field(1, &[integer(1, 1), field(2, &dims)].concat());
    let value = |name: &str| [field(1, name.as_bytes()), field(2, &tensor)].concat();
    let [a, b, sum, difference] = names;
    let node = |op: &str, result: &str| {
        let fields = [(1, a), (1, b), (2, result), (4, op)];
        fields.map(|(number, text)| field(number, text.as_bytes())).concat()
    };
    let graph = [
        field(1, &node("Add", sum)),
        field(1, &node("Sub", difference)),
        field(2, b"g"),
        field(11, &value(a)),
        field(11, &value(b)),
        field(12, &value(sum)),
        field(12, &value(difference)),
    ]
    .concat();
    assert!(graph.len() < 1 << 14);
    let length = [graph.len() as u8 | 128, (graph.len() >> 7) as u8];
    let opset = field(8, &integer(2, 13));
    [integer(1, 8), vec![7 << 3 | 2], length.to_vec(), graph, opset].concat()
}

#[test]
fn any_name_that_the_file_has_is_taken() {
    for names in [
        ["0", "1", "191", "192"],
        ["gpu_0/data_0", "gpu_0/data_1", "gpu_0/softmax_1", "out:0"],
        ["a=b", "a", "c=d", "c"],
        ["x y", "層", "é", "Ü"],
        ["data:0", "data_0", "y:0", "y_0"],
    ] {
        let folder = Folder::new();
        let onnx = folder.file("net.onnx", model(names));
        let one = folder.file("one.npy", npy_f32(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]));
        let two = folder.file("two.npy", npy_f32(&[1, 1, 2, 2], &[10.0; 4]));
        // In the other order, so that names and not places decide.
        let inputs = [format!("{}={two}", names[1]), format!("{}={one}", names[0])];
        let outputs = [3, 2].map(|at| format!("{}={}", names[at], folder.at(&format!("{at}.npy"))));
        let shape = format!("{}=1,1,2,2", names[0]);
        let arguments = ["run", &onnx, "-i", &inputs[0], "-i", &inputs[1], "--shape", &shape];
        let shown = cnn(&[&arguments[..], &["-o", &outputs[0], "-o", &outputs[1]]].concat()).ok();
        let array = |at: usize| npy::read(folder.at(&format!("{at}.npy")).as_ref()).unwrap();
        assert_eq!(array(2).as_slice().unwrap(), [11.0, 12.0, 13.0, 14.0], "{names:?}");
        assert_eq!(array(3).as_slice().unwrap(), [-9.0, -8.0, -7.0, -6.0], "{names:?}");
        assert!(shown.contains(&format!("{}: 1 × 1 × 2 × 2", names[2])), "{shown}");
        let checked = cnn(&["check", &onnx]).ok();
        for name in names {
            assert!(checked.contains(&format!("{name} [1, 2, 2]")), "{name}: {checked}");
        }
        // In order, without names.
        cnn(&["run", &onnx, "--input", &one, "--input", &two, "-o", &folder.at("all/")]).ok();
        cnn(&["run", &onnx, "--input", &format!("nobody={one}")]).fails(2, &["no input `nobody`", names[0]]);
        let nobody = format!("nobody={}", folder.at("y.npy"));
        cnn(&["run", &onnx, "-i", &one, "-i", &two, "-o", &outputs[0], "-o", &nobody])
            .fails(2, &["no output `nobody`", names[2]]);
    }
}
