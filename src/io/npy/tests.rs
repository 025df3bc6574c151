//! `.npy` files as NumPy writes them, and as an enemy would.

use std::path::PathBuf;

use ndarray::array;

use super::*;

/// A version-1 file with this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn read_bytes(bytes: &[u8]) -> Result<ArrayD<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("x.npy");
    std::fs::write(&path, bytes).unwrap();
    read(&path).map_err(|error| error.to_string())
}

#[test]
fn reads_all_element_types_and_orders() {
    let c = file(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }\n",
        &[1.0f64, 2.0, 3.0, 4.0].map(f64::to_le_bytes).concat(),
    );
    assert_eq!(read_bytes(&c).unwrap(), array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
    let fortran = file(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }\n",
        &[1.0f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat(),
    );
    let array = read_bytes(&fortran).unwrap();
    assert_eq!(array, array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
    assert!(array.is_standard_layout());
    let big_endian = file(
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n",
        &1.5f32.to_be_bytes(),
    );
    assert_eq!(read_bytes(&big_endian).unwrap(), array![1.5].into_dyn());
    let bytes = file("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", &[0, 255]);
    assert_eq!(read_bytes(&bytes).unwrap(), array![0.0, 255.0].into_dyn());
}

#[test]
fn writes_what_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("y.npy");
    let array = ndarray::Array4::from_shape_fn((2, 3, 4, 5), |(n, c, y, x)| (n * 60 + c * 20 + y * 5 + x) as f32);
    let transposed = array.view().permuted_axes([0, 2, 3, 1]);
    write(&path, transposed.into_dyn()).unwrap();
    assert_eq!(read(&path).unwrap(), transposed.into_dyn());
}

/// Files of earlier versions had these very bytes: what compares files goes on comparing them.
#[test]
fn headers_stay_the_same_to_the_byte() {
    for (shape, text) in [
        (&[10][..], "{'descr': '<f4', 'fortran_order': False, 'shape': (10,)}"),
        (
            &[1, 3, 8, 8],
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 8, 8)}",
        ),
    ] {
        let header = header::of("<f4", shape);
        assert_eq!(header.len(), 128);
        assert_eq!(header[..10], [&MAGIC[..], &[1, 0, 118, 0]].concat());
        assert_eq!(header[10..], *format!("{text:<117}\n").as_bytes());
    }
}

#[test]
fn every_type_has_its_numbers() {
    let read_one = |code: &str, bytes: &[u8]| {
        let header = format!("{{'descr': '{code}', 'fortran_order': False, 'shape': (), }}\n");
        read_bytes(&file(&header, bytes)).unwrap().into_raw_vec_and_offset().0
    };
    for (code, bytes, number) in [
        ("<f2", &half::f16::from_f32(-1.5).to_le_bytes()[..], -1.5),
        (">f2", &half::f16::from_f32(-1.5).to_be_bytes(), -1.5),
        (">f8", &0.1f64.to_be_bytes(), 0.1),
        ("|i1", &(-3i8).to_le_bytes(), -3.0),
        ("<i2", &(-300i16).to_le_bytes(), -300.0),
        (">i4", &(-70_000i32).to_be_bytes(), -70_000.0),
        ("<i8", &i64::MIN.to_le_bytes(), -9.223_372e18),
        ("<u2", &60_000u16.to_le_bytes(), 60_000.0),
        ("<u4", &4_000_000_000u32.to_le_bytes(), 4e9),
        ("<u8", &u64::MAX.to_le_bytes(), 1.844_674_4e19),
    ] {
        assert_eq!(read_one(code, bytes), [number], "{code}");
    }
}

#[test]
fn arrays_larger_than_a_piece_arrive_whole() {
    let values: Vec<f64> = (0..40_000).map(f64::from).collect();
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (40000L,), }\n";
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let array = read_bytes(&file(header, &bytes)).unwrap();
    assert!(
        array
            .iter()
            .zip(&values)
            .all(|(found, value)| f64::from(*found) == *value)
    );
    assert_eq!(array.shape(), [40_000]);
}

#[test]
fn other_types_are_named() {
    for (descr, word) in [
        ("'<f16'", "float128 (<f16)"),
        ("'<c8'", "complex64"),
        ("'|b1'", "bool"),
        ("'|O'", "Python objects"),
        ("'<U3'", "text"),
        ("[('a', '<f4')]", "records"),
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n");
        let error = read_bytes(&file(&header, &[0; 8])).unwrap_err();
        assert!(
            error.contains(word) && error.contains("f32, f64 or integers"),
            "{error}"
        );
    }
}

#[test]
fn hostile_headers_are_errors() {
    let header = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let deep = "(".repeat(60_000);
    let cases = [
        (header("(1152921504606846976,)"), "needs 4611686018427387904 bytes"),
        (
            header("(4294967296, 4294967296, 4294967296)"),
            "does not fit into memory",
        ),
        (header("(99999999999999999999999999,)"), "dimensions"),
        (header("(-1,)"), "dimensions"),
        (header("('a',)"), "dimensions"),
        (header("3"), "tuple"),
        (header(&format!("({})", "1,".repeat(40))), "at most 32 dimensions"),
        (header("(2,)"), "needs 8 bytes after the header, found 4"),
        (deep.clone(), "dictionary"),
        (format!("{{'descr': {deep}"), "dictionary"),
        (header("((1, 2), 3)"), "tuple"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x".to_owned(),
            "dictionary",
        ),
        ("{'descr': '<f4' 'fortran_order': False}".to_owned(), "dictionary"),
        (
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}".to_owned(),
            "neither True nor False",
        ),
        ("{}".to_owned(), "lacks `descr`"),
        ("{'descr': '<f4', 'shape': (1,)}".to_owned(), "lacks `fortran_order`"),
        ("hello".to_owned(), "dictionary"),
    ];
    for (header, word) in &cases {
        let error = read_bytes(&file(header, &[0; 4])).unwrap_err();
        assert!(error.contains(word), "{error} lacks {word}");
    }
    let long = [MAGIC.as_slice(), &[2, 0], &u32::MAX.to_le_bytes()].concat();
    assert!(read_bytes(&long).unwrap_err().contains("at most 65536 bytes"));
    assert!(read_bytes(b"\x93NUM").unwrap_err().contains("ends within the header"));
    assert!(
        read_bytes(b"PK\x03\x04aaaaaaaaaa")
            .unwrap_err()
            .contains("does not begin")
    );
    assert!(
        read_bytes(&[MAGIC.as_slice(), &[9, 0]].concat())
            .unwrap_err()
            .contains("version")
    );
}

#[test]
fn missing_files_and_directories_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read(folder.path()).unwrap_err().to_string().contains("a directory"));
    assert!(matches!(read(&folder.path().join("none.npy")), Err(Error::Io { .. })));
}
