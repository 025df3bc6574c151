//! Compiled files: a network compiled once and loaded often.
//!
//! | module | what it owns |
//! |---|---|
//! | `format` | which bytes are what, and their checksums |
//! | `stored` | what is said of the model |
//! | `write` | from a model and weights to a file |

mod format;
mod stored;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cnn_codegen::compile::{Executable, Need};
use cnn_codegen::jit::{self, CodePages, StoredConstants};
use cnn_codegen::plan::{InstructionSet, Plan};
use cnn_runtime::kernels::Isa;
use cnn_runtime::weights::MappedFile;

use crate::{Backend, Error, Options, io};
use format::{Header, Section, Variant};

pub use stored::FileArrays;
pub(crate) use stored::Stored;

/// A compiled network in a file: plan, machine code for one or several instruction sets, packed weights. Loading maps it:
/// pages of code and weights are the file's, and processes that load it share them.
///
/// **The file is trusted code, as a shared library is.** Whoever runs it lets it do whatever he may do himself. Checksums
/// find damage, not malice: a file that is damaged, cut off, of another version or for other machines is an error before
/// any code runs. The weights' checksum takes as long as reading them, so that [`check_weights`](Self::check_weights) alone
/// compares it; [`verify`](Self::verify) does too, compiles the plan anew and compares the code. Nobody may change or shorten the file while it is in use; a file
/// that is renamed over it does no harm.
///
/// ```
/// use cnn::{CompiledFile, Model, Network, Options, Weights};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("lenet5.cnnc");
/// let isa = [cnn::InstructionSet::Portable];
/// let (model, weights) = (Model::builtin("lenet5")?, Weights::builtin("lenet5")?);
/// model.write_compiled(&path, &weights, &Options::default(), &isa)?;
///
/// let network = Network::open(&path, &Options::default())?;
/// let mut probabilities = [0.0; 10];
/// network.run_into(&[&[0.5; 32 * 32]], &mut [&mut probabilities])?;
/// CompiledFile::open(&path)?.verify()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CompiledFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: File,
    map: Arc<MappedFile>,
    header: Header,
    stored: Stored,
}

/// Bytes that a byte of a plan or a declaration may become when it is read.
const GROWTH: u64 = 32;

impl CompiledFile {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// [`Error::File`] if it is damaged, cut off, of another kind or version, or for other machines; [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<CompiledFile, Error> {
        let path = path.as_ref();
        let (file, _) = io::open_regular(path)?;
        let map = MappedFile::of(&file).map_err(|source| Error::Io {
            action: "read",
            path: path.into(),
            source,
        })?;
        let wrong = |problem: String| Error::File {
            path: path.into(),
            problem,
        };
        let header = Header::read(map.as_ref()).map_err(wrong)?;
        if header.version != env!("CARGO_PKG_VERSION") || header.interface != interface() {
            return Err(wrong(format!(
                "compiled by another build of cnn ({}; this is {}): compile it again",
                header.version,
                env!("CARGO_PKG_VERSION")
            )));
        }
        if header.target != target() {
            return Err(wrong(format!("compiled for {}, this is {}", header.target, target())));
        }
        let bytes = header.model.of(map.as_ref());
        let stored = header.model.is_intact(bytes).then(|| postcard::from_bytes(bytes).ok());
        let stored: Stored = stored.flatten().ok_or_else(|| wrong(damaged("model")))?;
        Ok(CompiledFile(Arc::new(Opened {
            path: path.into(),
            file,
            map: Arc::new(map),
            header,
            stored,
        })))
    }

    /// Whether a file begins like a compiled network.
    pub(crate) fn is_one(path: &Path) -> bool {
        let mut start = [0; format::MAGIC.len()];
        // A pipe would be waited for.
        let Ok((mut file, _)) = io::open_regular(path) else {
            return false;
        };
        file.read_exact(&mut start).is_ok() && start == format::MAGIC
    }

    /// The file as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The instruction sets that it has code for.
    pub fn instruction_sets(&self) -> Vec<InstructionSet> {
        self.0.header.variants.iter().map(|variant| variant.isa).collect()
    }

    /// Images of one run.
    pub fn batch(&self) -> usize {
        self.0.stored.batch
    }

    pub(crate) fn stored(&self) -> &Stored {
        &self.0.stored
    }

    /// What the file is called in messages.
    pub(crate) fn name(&self) -> String {
        self.0.path.display().to_string()
    }

    /// Compares the checksums of the weights, which loading leaves out: it takes as long as reading them.
    ///
    /// # Errors
    /// [`Error::File`] if they are damaged.
    pub fn check_weights(&self) -> Result<(), Error> {
        let mut variants = self.0.header.variants.iter();
        variants.try_for_each(|variant| self.section(&variant.weights, "weights").map(drop))
    }

    /// Checks everything that a file can be checked for: all checksums, the weights' too, and that its code is what this
    /// version makes of its plans, which takes as long as compiling them.
    ///
    /// # Errors
    /// [`Error::File`] with what is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        self.check_weights()?;
        for variant in &self.0.header.variants {
            let (plan, linkage, code) = self.parts(variant, None)?;
            if variant.weights.bytes() < plan.constant_bytes as u64 {
                return Err(self.wrong(damaged("weights")));
            }
            let threads = Options::default().threads();
            if !jit::Executable::matches(&plan, linkage, &code, threads)? {
                let problem = format!("its code for {} is not what cnn makes of its plan", variant.isa);
                return Err(self.wrong(problem));
            }
        }
        Ok(())
    }

    /// The plan for an instruction set; without one, for the best that the file and this machine have.
    pub(crate) fn plan(&self, options: &Options) -> Result<Plan, Error> {
        Ok(self.parts(self.variant(options)?, options.max_memory)?.0)
    }

    /// The network, ready to run.
    pub(crate) fn load(&self, options: &Options) -> Result<(Executable, Need), Error> {
        self.0.stored.check(options, &self.name())?;
        if options.backend != Backend::Jit {
            let problem = format!("`{}` is compiled: the interpreter needs the model", self.name());
            return Err(Error::Option(problem));
        }
        if options.threads == Some(0) {
            return Err(Error::Option("the number of threads must be at least 1".into()));
        }
        let variant = self.variant(options)?;
        let (plan, linkage, code) = self.parts(variant, options.max_memory)?;
        let need = Need::of(&plan, options.threads());
        need.check(options).map_err(Error::Memory)?;
        if variant.weights.bytes() < plan.constant_bytes as u64 {
            return Err(self.wrong(damaged("weights")));
        }
        let weights = StoredConstants {
            file: Arc::clone(&self.0.map),
            offset: variant.weights.offset() as usize,
        };
        let loaded = jit::Executable::load(plan, linkage, code, weights, options.threads());
        let executable = loaded.map_err(|error| match error {
            jit::JitError::Stored(problem) => self.wrong(problem),
            error => error.into(),
        })?;
        Ok((Executable::Jit(Box::new(executable)), need))
    }

    /// What an instruction set's code is loaded from: checked against its checksums, and not executable yet.
    fn parts(&self, variant: &Variant, max_memory: Option<u64>) -> Result<(Plan, &[u8], CodePages), Error> {
        let described = variant.plan.bytes().saturating_add(variant.linkage.bytes());
        if max_memory.is_some_and(|limit| described.saturating_mul(GROWTH) > limit) {
            let problem = format!("its plan of {described} bytes takes more memory than is allowed");
            return Err(Error::Limit(format!("`{}`: {problem}", self.name())));
        }
        let plan = self.section(&variant.plan, "plan")?;
        let plan = Plan::from_bytes(plan).map_err(|error| self.wrong(error.to_string()))?;
        if plan.isa != variant.isa || plan.batch != self.batch() {
            return Err(self.wrong("its plan is another network's".into()));
        }
        let linkage = self.section(&variant.linkage, "linkage")?;
        let bytes = usize::try_from(variant.code.bytes()).map_err(|_| self.wrong(damaged("code")))?;
        let code = CodePages::map(&self.0.file, variant.code.offset(), bytes);
        let code = code.map_err(|source| Error::Io {
            action: "map",
            path: self.0.path.clone(),
            source,
        })?;
        // Of the pages that are to be executed.
        match variant.code.is_intact(code.as_ref()) {
            true => Ok((plan, linkage, code)),
            false => Err(self.wrong(damaged("code"))),
        }
    }

    fn section(&self, section: &Section, what: &str) -> Result<&[u8], Error> {
        let bytes = section.of(self.0.map.as_ref().as_ref());
        match section.is_intact(bytes) {
            true => Ok(bytes),
            false => Err(self.wrong(damaged(what))),
        }
    }

    /// The part for the instruction set asked for, or the best that this machine has.
    fn variant(&self, options: &Options) -> Result<&Variant, Error> {
        let variants = &self.0.header.variants;
        let wanted = match options.isa {
            Some(set) => vec![set],
            None => Isa::available().into_iter().map(Isa::set).collect(),
        };
        let found = wanted
            .iter()
            .find_map(|set| variants.iter().find(|one| one.isa == *set));
        found.ok_or_else(|| {
            let names =
                |sets: &[InstructionSet]| sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            Error::Option(format!(
                "`{}` has code for {}; {} {}",
                self.name(),
                names(&self.instruction_sets()),
                if options.isa.is_some() {
                    "asked for is"
                } else {
                    "this machine has"
                },
                names(&wanted)
            ))
        })
    }

    fn wrong(&self, problem: String) -> Error {
        Error::File {
            path: self.0.path.clone(),
            problem,
        }
    }
}

fn damaged(what: &str) -> String {
    format!("the compiled network is damaged: its {what} is not what was written")
}

/// The machines that this build's code is for.
fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// A checksum of what code and runtime agree about.
fn interface() -> u32 {
    format::checksum(jit::interface().as_bytes())
}
