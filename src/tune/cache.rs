//! The file that remembers measured times: machine → signature → algorithm → nanoseconds, as JSON.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use cnn_codegen::plan::{Choice, Times};

use crate::io::atomic;

/// The largest file that is read. A kind of convolution takes some 200 bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Where times are remembered unless said otherwise: `tune.json` in `CNN_CACHE`, in `cnn` in `XDG_CACHE_HOME`, or in
/// `.cache/cnn` in the user's home. `None` without any of these.
pub fn default_file() -> Option<PathBuf> {
    let folder = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|folder| !folder.as_os_str().is_empty())
    };
    let caches = || {
        let absolute = folder("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
        absolute.or_else(|| Some(std::env::home_dir()?.join(".cache")))
    };
    let own = folder("CNN_CACHE").or_else(|| Some(caches()?.join("cnn")))?;
    Some(own.join("tune.json"))
}

/// The file's content.
#[derive(Debug, Default)]
pub(super) struct Cache(BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>);

impl Cache {
    /// Reads the file; one that is absent is empty. `Err` says in words what is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Cache, String> {
        let wrong = |problem: &dyn std::fmt::Display| {
            let path = path.display();
            format!("`{path}`, which remembers measured times, cannot be used: {problem}; they are measured anew")
        };
        // Without opening it: a pipe would wait for a writer.
        match fs::metadata(path) {
            Ok(data) if data.is_file() => {}
            Ok(_) => return Err(wrong(&"it is not a file")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Cache::default()),
            Err(error) => return Err(wrong(&error)),
        }
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| wrong(&error))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong(&"it is too large"));
        }
        serde_json::from_slice(&bytes).map(Cache).map_err(|error| wrong(&error))
    }

    /// Writes the file, wholly or not at all, and what others added to it meanwhile. `Err` says in words why not.
    pub(super) fn write(mut self, path: &Path) -> Result<(), String> {
        if let Ok(Cache(others)) = Cache::read(path) {
            for (machine, signatures) in others {
                let own = self.0.entry(machine).or_default();
                for (signature, times) in signatures {
                    own.entry(signature).or_insert(times);
                }
            }
        }
        let written = (|| {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let text = serde_json::to_vec_pretty(&self.0)?;
            atomic::write(path, |file| file.write_all(&text)).map_err(std::io::Error::other)
        })();
        written.map_err(|error: std::io::Error| {
            format!("measured times are not remembered: `{}`: {error}", path.display())
        })
    }

    /// The times of all of a convolution's algorithms; `None` if one is missing.
    pub(super) fn times(&self, machine: &str, choice: &Choice) -> Option<Times> {
        let times = self.0.get(machine)?.get(&choice.signature.to_string())?;
        let algorithms = choice.algorithms.iter();
        algorithms
            .map(|&algorithm| Some((algorithm, *times.get(algorithm.name())?)))
            .collect()
    }

    pub(super) fn insert(&mut self, machine: &str, choice: &Choice, times: &Times) {
        let names = times
            .iter()
            .map(|&(algorithm, time)| (algorithm.name().to_owned(), time));
        self.0
            .entry(machine.to_owned())
            .or_default()
            .insert(choice.signature.to_string(), names.collect());
    }
}
