//! Starting the program, and files to give it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a run of the program left.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The program succeeded; gives its standard output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout
    }

    /// The program failed with that code, perhaps after printing something, and said all these words.
    #[track_caller]
    pub(crate) fn fails_after(self, code: i32, words: &[&str]) {
        let stdout = String::new();
        Outcome { stdout, ..self }.fails(code, words);
    }

    /// The program failed with that code, printed nothing, and said all these words.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in\n{}", self.stderr);
        }
        self.stderr
    }
}

/// The program, not yet started.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnn"));
    for variable in ["CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NO_COLOR", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the program. Whatever it is given, it neither panics nor is killed.
#[track_caller]
pub(crate) fn cnn(arguments: &[&str]) -> Outcome {
    let output = command().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let code = output
        .status
        .code()
        .unwrap_or_else(|| panic!("{arguments:?} was killed: {stderr}"));
    assert!(!stderr.contains("panicked"), "{stderr}");
    Outcome { code, stdout, stderr }
}

/// A folder of files for one test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a name in it, as an argument.
    pub(crate) fn at(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The names of all that is in it, sorted.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A file of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file of this repository, as an argument.
pub(crate) fn fixture(path: &str) -> String {
    repository(path).to_str().unwrap().to_owned()
}

/// A safetensors file of f32 tensors.
pub(crate) fn safetensors(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, shape, elements) in tensors {
        let start = data.len();
        data.extend(elements.iter().flat_map(|element| element.to_le_bytes()));
        let end = data.len();
        header.push(format!(
            "{name:?}:{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        ));
    }
    container(&format!("{{{}}}", header.join(",")), &data)
}

/// A safetensors file of this header and data.
pub(crate) fn container(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A `.npy` file of this NumPy type, shape and data.
pub(crate) fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let dims: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}\n");
    [
        b"\x93NUMPY\x01\x00",
        &(header.len() as u16).to_le_bytes()[..],
        header.as_bytes(),
        data,
    ]
    .concat()
}

/// A `.npy` file of f32.
pub(crate) fn npy_f32(shape: &[usize], elements: &[f32]) -> Vec<u8> {
    npy(
        "<f4",
        shape,
        &elements
            .iter()
            .flat_map(|element| element.to_le_bytes())
            .collect::<Vec<_>>(),
    )
}

/// One layer over a `[1, 2, 2]` image: a convolution with a 2×2 filter.
pub(crate) const SMALL: &str = "[inputs]\nimage = [1, 2, 2]\n\n[[layer]]\nname = \"c\"\nop = \"conv\"\nfilters = 1\n\
                                kernel = 2\n";
