//! Weight files, sound and damaged: every error names what was expected and what was found.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs;

use cnn_runtime::weights::{MapSource, Safetensors, SafetensorsFile, Synthetic, WeightError, WeightSource};
use half::{bf16, f16};
use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// A file of `(name, dtype, shape, data)`.
fn file(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views: HashMap<_, _> = tensors
        .iter()
        .map(|&(name, dtype, shape, data)| (name, TensorView::new(dtype, shape.to_vec(), data).unwrap()))
        .collect();
    safetensors::serialize(views, None).unwrap()
}

/// A file with the header `json` and `data`.
fn handmade(json: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.extend(data);
    bytes
}

fn bytes_of<const N: usize>(elements: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    elements.into_iter().flatten().collect()
}

fn parse(bytes: Vec<u8>) -> Result<Safetensors<Vec<u8>>, WeightError> {
    Safetensors::parse(bytes, "`w.safetensors`")
}

const VALUES: [f32; 4] = [0.5, -1.25, 3.0, -0.0];

#[test]
fn converts_every_float_type() {
    let bytes = file(&[
        ("a", Dtype::F32, &[2, 2], &bytes_of(VALUES.map(f32::to_le_bytes))),
        (
            "b",
            Dtype::F16,
            &[4],
            &bytes_of(VALUES.map(|v| f16::from_f32(v).to_le_bytes())),
        ),
        (
            "c",
            Dtype::BF16,
            &[4],
            &bytes_of(VALUES.map(|v| bf16::from_f32(v).to_le_bytes())),
        ),
        (
            "d",
            Dtype::F64,
            &[1, 4],
            &bytes_of(VALUES.map(|v| f64::from(v).to_le_bytes())),
        ),
    ]);
    let source = parse(bytes).unwrap();
    for (name, shape) in [("a", &[2, 2][..]), ("b", &[4]), ("c", &[4]), ("d", &[1, 4])] {
        let tensor = source.tensor(name, shape).unwrap();
        assert_eq!(
            tensor.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            VALUES.map(f32::to_bits)
        );
        assert_eq!(*source.slice(name, shape, 1..3).unwrap(), VALUES[1..3]);
        assert!(source.slice(name, shape, 4..4).unwrap().is_empty());
    }
    assert_eq!(source.names(), ["a", "b", "c", "d"]);
    assert_eq!(source.info("b"), Some((&[4][..], "F16".to_owned())));
}

#[test]
fn borrows_from_the_mapped_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    fs::write(
        &path,
        file(&[("a", Dtype::F32, &[4], &bytes_of(VALUES.map(f32::to_le_bytes)))]),
    )
    .unwrap();
    let source = SafetensorsFile::open(&path).unwrap();
    assert!(matches!(source.tensor("a", &[4]).unwrap(), Cow::Borrowed(v) if v == VALUES));
    assert!(source.describe().contains("w.safetensors"));
}

#[test]
fn what_was_given_back_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    // A few pages each, which the tensors' ends cut.
    let elements: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
    let bytes = bytes_of(elements.iter().map(|v| v.to_le_bytes()));
    let tensors: [(&str, Dtype, &[usize], &[u8]); 2] = [
        ("a", Dtype::F32, &[100, 100], &bytes),
        ("b", Dtype::F32, &[10_000], &bytes),
    ];
    fs::write(&path, file(&tensors)).unwrap();
    let source = SafetensorsFile::open(&path).unwrap();
    let row = source.slice("a", &[100, 100], 4200..4300).unwrap();
    for range in [
        0..5000,
        5000..10_000,
        4200..4300,
        0..usize::MAX,
        usize::MAX - 1..usize::MAX,
    ] {
        source.release("a", range);
        assert_eq!(*source.tensor("b", &[10_000]).unwrap(), elements);
        assert_eq!(*source.tensor("a", &[100, 100]).unwrap(), elements);
    }
    source.release("unknown", 0..1);
    assert_eq!(*row, elements[4200..4300]);
}

#[test]
fn made_up_tensors_are_the_same_in_pieces() {
    let (source, shape) = (Synthetic { seed: 9 }, [7, 11]);
    let whole = source.tensor("a.weight", &shape).unwrap();
    for (start, end) in [(0, 77), (0, 0), (1, 50), (76, 77), (77, 77)] {
        assert_eq!(
            *source.slice("a.weight", &shape, start..end).unwrap(),
            whole[start..end]
        );
    }
}

#[test]
fn reads_unaligned_f32() {
    let data = bytes_of(VALUES.map(f32::to_le_bytes));
    for spaces in 0..4 {
        let json = format!(
            r#"{{"a":{{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}}}{}"#,
            " ".repeat(spaces)
        );
        assert_eq!(
            *parse(handmade(&json, &data)).unwrap().tensor("a", &[4]).unwrap(),
            VALUES
        );
    }
}

#[test]
fn names_the_path_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.safetensors");
    let text = SafetensorsFile::open(&missing).unwrap_err().to_string();
    assert!(text.contains("none.safetensors` does not exist"), "{text}");
    let text = SafetensorsFile::open(folder.path()).unwrap_err().to_string();
    assert!(text.contains("is a directory"), "{text}");
    let empty = folder.path().join("empty.safetensors");
    fs::write(&empty, []).unwrap();
    let text = SafetensorsFile::open(&empty).unwrap_err().to_string();
    assert!(text.contains("expected at least 8 bytes, found 0"), "{text}");
}

#[test]
fn says_expected_and_found() {
    let f32s = bytes_of(VALUES.map(f32::to_le_bytes));
    let source = parse(file(&[
        ("c1.weight", Dtype::F32, &[2, 2], &f32s),
        ("count", Dtype::I64, &[2], &f32s),
    ]))
    .unwrap();
    let text = |name, shape| source.tensor(name, shape).unwrap_err().to_string();
    assert_eq!(
        text("c1.weigth", &[2, 2]),
        "tensor `c1.weigth`: expected shape [2, 2], found no such tensor in `w.safetensors`; \
         the nearest name present is `c1.weight` of shape [2, 2]"
    );
    assert_eq!(
        text("c1.weight", &[4]),
        "tensor `c1.weight`: expected shape [4], found shape [2, 2] in `w.safetensors`"
    );
    assert_eq!(
        text("count", &[2]),
        "tensor `count`: expected shape [2] of F32, F16, BF16 or F64, \
         found elements of I64 in `w.safetensors`"
    );
    let text = parse(handmade("{}", &[]))
        .unwrap()
        .tensor("a", &[1])
        .unwrap_err()
        .to_string();
    assert!(text.ends_with("which holds no tensors"), "{text}");
}

#[test]
fn truncation_names_the_first_tensor_cut() {
    let f32s = bytes_of(VALUES.map(f32::to_le_bytes));
    let mut bytes = file(&[("a", Dtype::F32, &[4], &f32s), ("b", Dtype::F32, &[2, 2], &f32s)]);
    let whole = bytes.len();
    bytes.truncate(whole - 1);
    let text = parse(bytes).unwrap_err().to_string();
    assert_eq!(
        text,
        format!(
            "`w.safetensors` is truncated: tensor `b` expected [2, 2], which ends at byte {whole}, \
             but the file was found to end at byte {}",
            whole - 1
        )
    );
}

#[test]
fn refuses_hostile_headers() {
    let huge = u64::MAX;
    let eighth = (1u64 << 61) - 1;
    // Nine sound tensors whose last byte is at 2^64 − 1: adding the header's length overflows.
    let mut ranges: Vec<_> = (0..8).map(|i| (i * eighth, (i + 1) * eighth)).collect();
    ranges.push((8 * eighth, huge));
    let overflow: Vec<_> = ranges
        .iter()
        .enumerate()
        .map(|(i, (start, end))| {
            format!(
                r#""t{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#,
                end - start
            )
        })
        .collect();
    let cases = [
        (
            huge.to_le_bytes().to_vec(),
            "the header claims 18446744073709551615 bytes",
        ),
        (
            100u64.to_le_bytes().to_vec(),
            "the header claims 100 bytes, only 0 follow",
        ),
        (handmade("{", &[]), "the header is wrong"),
        (handmade("[1]", &[]), "the header is wrong"),
        (handmade("\u{0}\u{ff}", &[]), "the header is wrong"),
        (handmade(&"[".repeat(100_000), &[]), "the header is wrong"),
        (
            handmade(r#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, &[0; 4]),
            "F99",
        ),
        (
            handmade(r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, &[0; 4]),
            "wrong",
        ),
        (
            handmade(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, &[0; 4]),
            "wrong",
        ),
        (
            handmade(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, &[0; 4]),
            "`a`",
        ),
        (
            handmade(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                    "b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
                &[0; 6],
            ),
            "`b`",
        ),
        (
            handmade(
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
            "overflow",
        ),
        (
            handmade(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, &[0; 5]),
            "1 bytes follow the last tensor",
        ),
        (
            handmade(&format!("{{{}}}", overflow.join(",")), &[]),
            "is truncated: tensor `t",
        ),
    ];
    for (bytes, expected) in cases {
        let text = parse(bytes).unwrap_err().to_string();
        assert!(text.contains(expected), "{text:?} should contain {expected:?}");
    }
}

#[test]
fn reports_unused_tensors_but_not_counters() {
    let f32s = bytes_of(VALUES.map(f32::to_le_bytes));
    let source = parse(file(&[
        ("a.weight", Dtype::F32, &[4], &f32s),
        ("bn.num_batches_tracked", Dtype::I64, &[2], &f32s),
        ("z.bias", Dtype::F32, &[4], &f32s),
        ("extra", Dtype::F32, &[4], &f32s),
    ]))
    .unwrap();
    let used = HashSet::from(["a.weight".to_owned()]);
    assert_eq!(source.unused(&used), ["extra", "z.bias"]);
    assert!(Synthetic { seed: 1 }.unused(&used).is_empty());
}

#[test]
fn map_checks_counts_and_shapes() {
    let mut map = MapSource::new();
    assert!(matches!(
        map.insert("a", &[3], vec![0.0; 2]),
        Err(WeightError::Count { .. })
    ));
    map.insert("a", &[1, 2], vec![1.0, 2.0]).unwrap();
    assert_eq!(*map.tensor("a", &[1, 2]).unwrap(), [1.0, 2.0]);
    assert!(matches!(map.tensor("a", &[2]), Err(WeightError::Shape { .. })));
}

proptest! {
    /// Whatever the bytes, parsing answers, and what it accepts can be read.
    #[test]
    fn damaged_files_never_panic(cuts in proptest::collection::vec((0usize..400, any::<u8>()), 1..6), end in 0usize..400) {
        let f32s = bytes_of(VALUES.map(f32::to_le_bytes));
        let mut bytes = file(&[("a", Dtype::F32, &[4], &f32s), ("b", Dtype::F16, &[2, 4], &f32s)]);
        for (at, value) in cuts {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(end.max(4));
        if let Ok(source) = parse(bytes) {
            for name in source.names() {
                let shape = source.info(&name).unwrap().0.to_vec();
                let _ = source.tensor(&name, &shape);
            }
        }
    }
}
