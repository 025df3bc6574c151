//! `cnn import`: writes an ONNX model as a TOML file and a safetensors file.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use cnn::io::{atomic, safetensors};
use cnn::{Error, Model, Weights};

use super::args::ModelArgument;
use super::format::{counted, grouped};
use super::progress::Progress;
use super::{Failure, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Folder for NAME.toml and NAME.safetensors; made if there is none
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Replace files of these names that hold something else, edited ones too
    #[arg(long)]
    force: bool,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let source = arguments.model.source()?;
    if source.import().is_none() {
        return Err(Failure::Usage(format!(
            "`import` takes an .onnx file, found `{}`",
            arguments.model.name()
        )));
    }
    let text = source.toml().into_owned();
    let model: Model = session::understood(source)?;
    let weights = model.own_weights()?.unwrap_or_else(Weights::empty);
    let folder = &arguments.output;
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        action: "make",
        path: folder.clone(),
        source,
    })?;
    let at = |extension: &str| folder.join(format!("{}.{extension}", model.name()));
    let (toml, tensors) = (at("toml"), at("safetensors"));
    let declared = model.weights();
    let progress = Progress::new(format!("writing {}", tensors.display()));
    let files = [
        atomic::stage(&toml, |file| file.write_all(text.as_bytes()))?,
        safetensors::stage(&tensors, &declared, &weights)?,
    ];
    for (staged, path) in files.iter().zip([&toml, &tensors]) {
        if !arguments.force && staged.replaces_another()? {
            return Err(Failure::Error(Error::File {
                path: path.clone(),
                problem: "is there already and holds something else; --force replaces it".to_owned(),
            }));
        }
    }
    files.into_iter().try_for_each(atomic::Staged::commit)?;
    drop(progress);
    let layers = model.graph().len() - model.graph().inputs().len();
    writeln!(out, "{}: {}", toml.display(), counted(layers, "layer"))?;
    writeln!(
        out,
        "{}: {}, {} parameters",
        tensors.display(),
        counted(declared.len(), "tensor"),
        grouped(model.parameters())
    )?;
    Ok(())
}
