//! `cnn dump`: what a network is at each stage on its way to machine code.

use std::io::Write;

use clap::{Args, ValueEnum};
use cnn::ir::graph::Graph;
use cnn::ir::passes::{PASSES, Report};
use cnn::ir::validate::Shapes;
use cnn::ir::{dot, json, text};
use cnn::jit::Listed;
use cnn::plan;
use cnn::{Error, Model, Options, RustOptions};

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
    #[command(flatten)]
    compilation: Compilation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// The graph as declared, blocks written out
    Parsed,
    /// With the shape of every value
    Shaped,
    /// After the passes
    Fused,
    /// Steps over buffers: layouts, kernels and why, memory
    Planned,
    /// Cranelift's intermediate representation of each step
    Clif,
    /// Machine code
    Asm,
    /// Rust source: what `cnn!` expands to
    Rust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text that reads back, for graphs
    Text,
    /// Graphviz: `cnn dump MODEL --format dot | dot -Tsvg`
    Dot,
    /// JSON for other programs
    Json,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let written = match arguments.stage {
        // Shapes need not fit for this one.
        Stage::Parsed => {
            let (graph, _) = arguments.model.source()?.graph()?;
            graph_as(&graph, None, arguments.format)
        }
        Stage::Shaped => {
            let model = session::open(&arguments.model)?;
            graph_as(model.graph(), Some(model.shapes()), arguments.format)
        }
        Stage::Fused => fused(&session::open(&arguments.model)?, arguments.format)?,
        Stage::Planned => {
            let model = session::open(&arguments.model)?;
            let plan = model.plan(&arguments.options(&model)?)?;
            match arguments.format {
                Format::Text => plan::to_text(&plan),
                Format::Json => format!("{:#}\n", plan::to_json(&plan)),
                Format::Dot => return Err(no_form("planned", "text and json")),
            }
        }
        Stage::Clif | Stage::Asm => {
            if arguments.format != Format::Text {
                return Err(no_form("clif` and `asm", "text"));
            }
            let model = session::open(&arguments.model)?;
            let listing = model.listing(&arguments.options(&model)?)?;
            listing.iter().map(|function| code(function, arguments.stage)).collect()
        }
        Stage::Rust => {
            if arguments.format != Format::Text {
                return Err(no_form("rust", "text"));
            }
            let counts = [arguments.compilation.batch, arguments.compilation.threads];
            let [batch, threads] = counts.map(|count| count.map_or(1, usize::from));
            let options = RustOptions {
                batch,
                threads,
                no_std: false,
            };
            session::open(&arguments.model)?.rust(&options)?
        }
    };
    out.write_all(written.as_bytes())?;
    Ok(())
}

fn no_form(stages: &str, forms: &str) -> Failure {
    Failure::Usage(format!("the stage `{stages}` has the format {forms} only"))
}

impl Arguments {
    fn options(&self, model: &Model) -> Result<Options, Error> {
        let batch = self.compilation.batch.map_or(1, usize::from);
        session::options(model, &self.compilation, batch)
    }
}

/// A function under its name. Tile kernels in machine code of their own have no intermediate representation.
fn code(function: &Listed, stage: Stage) -> String {
    let text = match stage {
        Stage::Clif if !function.clif.is_empty() => &function.clif,
        _ => &function.asm,
    };
    format!("; {}\n{}\n\n", function.name, text.trim_end())
}

fn graph_as(graph: &Graph, shapes: Option<&Shapes>, format: Format) -> String {
    match format {
        Format::Text => text::print(graph, shapes),
        Format::Dot => dot::print(graph, shapes),
        Format::Json => json::print(graph, shapes),
    }
}

/// The graph after the passes; as text, behind comments that say what each pass did and refused.
fn fused(model: &Model, format: Format) -> Result<String, Error> {
    let optimised = model.optimised()?;
    let graph = graph_as(&optimised.graph, Some(&optimised.shapes), format);
    Ok(match format {
        Format::Text => comments(&optimised.reports) + &graph,
        Format::Dot | Format::Json => graph,
    })
}

fn comments(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        let lesson = PASSES
            .iter()
            .find(|pass| pass.name() == report.pass)
            .map_or("", |pass| pass.lesson());
        comment(&mut text, "", &format!("{}: {lesson}", report.pass));
        for note in &report.notes {
            comment(&mut text, "  ", &note.to_string());
        }
        if report.notes.is_empty() {
            comment(&mut text, "  ", "nothing to do");
        }
    }
    text.push('\n');
    text
}

/// Adds words as comment lines of about a hundred characters, those after the first further in.
fn comment(text: &mut String, indent: &str, words: &str) {
    let mut line = format!("// {indent}");
    for word in words.split(' ') {
        if line.chars().count() + word.chars().count() > 100 {
            text.push_str(line.trim_end());
            line = format!("\n// {indent}  ");
        }
        line += word;
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
