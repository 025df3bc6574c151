//! `cnn dump`: what a network is at each stage on its way to machine code.

use std::io::Write;

use clap::Args;
use cnn::text::{self, Format, Stage};

use super::args::{Compilation, ModelArgument};
use super::{Failure, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// How far the network has come
    #[arg(long, value_name = "STAGE", default_value = "shaped")]
    stage: Stage,
    /// The form in which it is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// With `--stage fused`: what each pass changed, as a difference
    #[arg(long)]
    steps: bool,
    #[command(flatten)]
    compilation: Compilation,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let (stage, format) = (arguments.stage, arguments.format);
    if arguments.steps {
        if stage != Stage::Fused || format != Format::Text {
            return Err(Failure::Usage("`--steps` goes with `--stage fused`, as text".into()));
        }
        let model = session::open(&arguments.model)?;
        out.write_all(text::differences(&model)?.as_bytes())?;
        return Ok(());
    }
    if !stage.formats().contains(&format) {
        return Err(Failure::Usage(text::no_form(stage)));
    }
    let written = match stage {
        // Shapes need not fit for this one.
        Stage::Parsed => text::graph(&arguments.model.source()?.graph()?.0, None, format),
        _ => {
            let model = session::open(&arguments.model)?;
            // Machine code is for all cores unless threads are given; source is for one.
            let mut options = arguments
                .compilation
                .options(arguments.batch(), arguments.model.limit());
            if stage == Stage::Rust {
                options.threads = Some(arguments.compilation.threads.map_or(1, usize::from));
            }
            model.dump(stage, format, &options)?
        }
    };
    out.write_all(written.as_bytes())?;
    Ok(())
}

impl Arguments {
    fn batch(&self) -> usize {
        self.compilation.batch.map_or(1, usize::from)
    }
}
