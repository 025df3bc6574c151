//! Files of other kinds that people have weights in: what they are, and how a safetensors file is made of them.

/// What a file is that is given as a safetensors file, and advice that continues the message; `None` if it may be one.
pub(super) fn recognise(bytes: &[u8], origin: &str) -> Option<(&'static str, String)> {
    // A header's length may begin with any bytes; what follows it is an object.
    if bytes.get(8) == Some(&b'{') {
        return None;
    }
    // The first name in a ZIP archive follows its header of 30 bytes.
    let is_zip = bytes.starts_with(b"PK\x03\x04");
    let first = bytes.get(30..bytes.len().min(30 + 256)).unwrap_or_default();
    let holds = |what: &[u8]| first.windows(what.len()).any(|part| part == what);
    // Pickles of protocol 2 to 5 begin with the protocol and an opcode.
    let is_pickle = matches!(bytes, [0x80, 2..=5, ..]);
    Some(match bytes {
        _ if is_zip && holds(b"data.pkl") || is_pickle => ("a PyTorch checkpoint", checkpoint(origin)),
        _ if is_zip && holds(b".npy") => (
            "an .npz archive",
            format!(
                ". In Python, two lines make one:\n    \
                 import numpy; from safetensors.numpy import save_file\n    \
                 save_file(dict(numpy.load({})), \"weights.safetensors\")",
                quoted(origin)
            ),
        ),
        _ if is_zip => ("a ZIP archive", String::new()),
        [b'\x89', b'H', b'D', b'F', ..] => (
            "an HDF5 file, as Keras writes",
            "; export the network as ONNX, or save its arrays with safetensors.numpy.save_file".to_owned(),
        ),
        [b'G', b'G', b'U', b'F', ..] => ("a GGUF file", String::new()),
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', ..] => ("a .npy array", "; arrays are given with --input".to_owned()),
        [b'\x89', b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => {
            ("a picture", "; pictures are given with --input".to_owned())
        }
        _ => return None,
    })
}

fn checkpoint(origin: &str) -> String {
    format!(
        ". In Python, two lines make one:\n    \
         import torch; from safetensors.torch import save_file\n    \
         save_file(torch.load({}, map_location=\"cpu\"), \"weights.safetensors\")\n\
         A checkpoint that holds more than weights has them under a key: torch.load(…)[\"state_dict\"]",
        quoted(origin)
    )
}

/// The path in Python's quotes, out of a message's.
fn quoted(origin: &str) -> String {
    format!("{:?}", origin.trim_matches('`'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let zip = |name: &str| [b"PK\x03\x04".as_slice(), &[0; 26], name.as_bytes()].concat();
        for (bytes, kind) in [
            (zip("archive/data.pkl"), "a PyTorch checkpoint"),
            (b"\x80\x02\x8a\x0a".to_vec(), "a PyTorch checkpoint"),
            (zip("conv.weight.npy"), "an .npz archive"),
            (zip("readme"), "a ZIP archive"),
            (b"\x89HDF\r\n".to_vec(), "an HDF5 file, as Keras writes"),
        ] {
            assert_eq!(recognise(&bytes, "`w`").unwrap().0, kind);
        }
        assert!(recognise(&[16, 0, 0, 0, 0, 0, 0, 0, b'{'], "`w`").is_none());
        assert!(recognise(&[0x80, 3, 0, 0, 0, 0, 0, 0, b'{'], "`w`").is_none());
        assert!(recognise(b"", "`w`").is_none());
        assert!(recognise(b"PK\x03\x04", "`w`").is_some());
        assert!(checkpoint("`a b.pth`").contains("torch.load(\"a b.pth\""));
    }
}
