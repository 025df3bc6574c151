//! A network as a crate that stands alone: its code, a program that runs it, perhaps its weights, and the sources of
//! the runtime that it calls.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use cnn_codegen::rust::Memory;
use include_dir::Dir;
use quote::quote;

use super::c::Interface;
use super::program::Program;
use super::{RustOptions, plan_options, type_name};
use crate::{Error, Model, Weights};

const LICENSES: [(&str, &str); 2] = [
    ("LICENSE-APACHE", include_str!("../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../LICENSE-MIT")),
];

/// A crate's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What programs use: the type of its network, or the header of its functions.
    pub interface: String,
    /// All files, the manifest first.
    pub files: Vec<PackageFile>,
}

/// A file of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Its path in the crate's folder.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Cow<'static, [u8]>,
}

impl Model {
    /// The network as a crate that stands alone; `weights` become part of it.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); [`Error::Weights`] for tensors that do not fit; [`Error::Option`] for C or code without an
    /// operating system that has no weights, and for C with several threads.
    pub fn package(&self, weights: Option<&Weights>, options: &RustOptions) -> Result<Package, Error> {
        if options.c && options.threads != 1 {
            let problem = "a run of a C library is on one thread: run it in several threads, each with its own arena";
            return Err(Error::Option(problem.into()));
        }
        let embedded = quote!(include_bytes!("../weights.bin"));
        let memory = match (options.no_std || options.c, weights) {
            (false, None) => Memory::System,
            (false, Some(_)) => Memory::Embedded(embedded),
            (true, Some(_)) => Memory::CallerEmbedded(embedded),
            (true, None) => {
                let problem = "a C library and code without an operating system read no file of weights: give them now";
                return Err(Error::Option(problem.into()));
            }
        };
        let planned = plan_options(options);
        let (plan, weights) = match weights {
            Some(weights) => match self.check_weights(weights).problems {
                problems if problems.is_empty() => {
                    let (plan, bytes) = self.plan_with_weights(weights, &planned)?;
                    (plan, Some(bytes))
                }
                problems => return Err(Error::Weights(problems)),
            },
            None => (self.plan(&planned)?, None),
        };
        let name = crate_name(self.name());
        let type_name = type_name(self.name());
        let source = self.source_text(&plan, &memory, &quote!(::cnn_runtime::emitted))?;
        let program = Program {
            module: name.replace('-', "_"),
            type_name: &type_name,
            plan: &plan,
        };
        let text = |path: &str, text: String| PackageFile {
            path: path.into(),
            bytes: text.into_bytes().into(),
        };
        let mut files = vec![
            text("Cargo.toml", manifest(&name, options)),
            text("README.md", self.readme(&name, &type_name, &memory, options)),
        ];
        let source = library(self.name(), options, &source);
        if options.c {
            let interface = Interface::new(&program.module, &type_name, options.no_std, &plan);
            files.push(text("src/lib.rs", source + &interface.functions()));
            files.push(text(&format!("{}.h", program.module), interface.header()));
            files.push(text("example.c", interface.example()));
        } else {
            files.push(text("src/lib.rs", source));
            files.push(text("src/main.rs", program.text(&memory)));
        }
        files.extend(weights.map(|bytes| PackageFile {
            path: "weights.bin".into(),
            bytes: bytes.into(),
        }));
        for (place, folder, manifest) in [
            (
                "cnn-runtime",
                &cnn_runtime::sources::SOURCES,
                cnn_runtime::sources::MANIFEST,
            ),
            ("cnn-types", &cnn_types::sources::SOURCES, cnn_types::sources::MANIFEST),
        ] {
            files.push(text(&format!("{place}/Cargo.toml"), manifest.into()));
            files.extend(LICENSES.map(|(name, license)| text(&format!("{place}/{name}"), license.into())));
            sources(folder, &Path::new(place).join("src"), &mut files);
        }
        let interface = match options.c {
            true => format!("{}.h", program.module),
            false => type_name.clone(),
        };
        Ok(Package { name, interface, files })
    }

    fn readme(&self, crate_name: &str, type_name: &str, memory: &Memory, options: &RustOptions) -> String {
        let module = crate_name.replace('-', "_");
        let system = if options.no_std { "" } else { " -lpthread -lm -ldl" };
        let run = match memory {
            _ if options.c => format!(
                "cargo build --release\n$ cc example.c target/release/lib{module}.a{system} -o example && ./example"
            ),
            Memory::System => "cargo run --release -- weights.safetensors".to_owned(),
            Memory::Embedded(_) | Memory::Caller | Memory::CallerEmbedded(_) => "cargo run --release".to_owned(),
        };
        let (language, where_to_look) = match options.c {
            true => (
                "a C library",
                format!("`{module}.h` says what its functions take and give."),
            ),
            false => (
                "Rust",
                format!(
                    "The type `{module}::{type_name}` is the network; `cargo doc --open` says what it takes and gives."
                ),
            ),
        };
        format!(
            "# {crate_name}\n\n\
             The network `{}` as {language}, written by `cnn emit`: {} parameters, {} multiplications an image.\n\n\
             ```console\n$ {run}\n```\n\n\
             runs it once on made-up numbers. {where_to_look} `cnn-runtime` is the part of cnn, the compiler, that it \
             calls.\n",
            self.name(),
            self.parameters(),
            self.macs(),
        )
    }
}

fn manifest(name: &str, options: &RustOptions) -> String {
    let features = if options.no_std {
        ", default-features = false"
    } else {
        ""
    };
    let library = match options.c {
        true => {
            // A panic must not reach C. Without an operating system nothing could unwind, and code of `core` that is not
            // called, which optimising all crates as one leaves out, names what would.
            let lto = if options.no_std { "lto = true\n" } else { "" };
            let panic = "panic = \"abort\"\n";
            format!("[lib]\ncrate-type = [\"staticlib\"]\n\n[profile.dev]\n{panic}\n[profile.release]\n{panic}{lto}\n")
        }
        false => String::new(),
    };
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\n\n\
         {library}[dependencies]\ncnn-runtime = {{ path = \"cnn-runtime\"{features} }}\n\n\
         [workspace]\n"
    )
}

fn library(name: &str, options: &RustOptions, source: &str) -> String {
    let no_std = if options.no_std { "#![no_std]\n\n" } else { "" };
    let name = name.escape_debug();
    format!("//! The network `{name}`, written by `cnn emit`.\n\n{no_std}{source}")
}

fn sources(folder: &Dir<'static>, place: &Path, files: &mut Vec<PackageFile>) {
    files.extend(folder.files().map(|file| PackageFile {
        path: place.join(file.path()),
        bytes: file.contents().into(),
    }));
    for folder in folder.dirs() {
        sources(folder, place, files);
    }
}

/// A network's name as a crate's: `ResNet 18` → `resnet-18`.
fn crate_name(name: &str) -> String {
    /// Crates that come with Rust, or are there already.
    const TAKEN: [&str; 8] = [
        "alloc",
        "build",
        "cnn_runtime",
        "cnn_types",
        "core",
        "proc_macro",
        "std",
        "test",
    ];
    let letters = name.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || c == '_' => c.to_ascii_lowercase(),
        _ => '-',
    });
    let name: String = letters.collect();
    let name = name.trim_matches(['-', '_']);
    let module = name.replace('-', "_");
    if name.is_empty() {
        "network".to_owned()
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        format!("network-{name}")
    } else if TAKEN.contains(&module.as_str()) || syn::parse_str::<syn::Ident>(&module).is_err() {
        format!("{name}-network")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_crates() {
        for (name, expected) in [
            ("lenet5", "lenet5"),
            ("My Net.v2", "my-net-v2"),
            ("18 layers", "network-18-layers"),
            ("", "network"),
            ("größe", "gr--e"),
            ("match", "match-network"),
            ("core", "core-network"),
        ] {
            assert_eq!(crate_name(name), expected, "{name}");
        }
    }

    #[test]
    fn the_runtimes_manifest_is_that_of_the_workspace() {
        let [workspace, runtime] = [
            include_str!("../../Cargo.toml"),
            include_str!("../../cnn-runtime/Cargo.toml"),
        ]
        .map(str::lines);
        // The other features are not for copies.
        let dependencies = runtime
            .skip_while(|line| *line != "std = [")
            .take_while(|line| *line != "]")
            .filter_map(|line| line.trim().strip_prefix("\"dep:")?.strip_suffix("\","));
        let mut count = 0;
        for name in dependencies {
            let mut lines = workspace.clone();
            let version = lines
                .find_map(|line| line.strip_prefix(&format!("{name} = ")))
                .expect(name);
            let line = format!("{name} = {{ version = {version}, optional = true }}");
            assert!(cnn_runtime::sources::MANIFEST.lines().any(|one| one == line), "{line}");
            count += 1;
        }
        assert!(count > 0);
        assert_eq!(cnn_runtime::sources::MANIFEST.matches("version = ").count(), count + 2);
    }
}
