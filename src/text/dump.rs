//! What a network is at each stage on its way to machine code.

use std::fmt;
use std::str::FromStr;

use cnn_codegen::jit::Listed;
use cnn_codegen::plan;
use cnn_ir::graph::Graph;
use cnn_ir::passes::{PASSES, Report};
use cnn_ir::validate::Shapes;
use cnn_ir::{dot, json, text};

use crate::{Error, Model, Options};

/// How far a network has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Stage {
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
    #[cfg(feature = "rust")]
    Rust,
}

/// The form in which a stage is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// Text that reads back, for graphs
    Text,
    /// Graphviz: `cnn dump MODEL --format dot | dot -Tsvg`
    Dot,
    /// A drawing
    #[cfg(feature = "explain")]
    Svg,
    /// JSON for other programs
    Json,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: &[Stage] = &[
        Stage::Parsed,
        Stage::Shaped,
        Stage::Fused,
        Stage::Planned,
        Stage::Clif,
        Stage::Asm,
        #[cfg(feature = "rust")]
        Stage::Rust,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Parsed => "parsed",
            Stage::Shaped => "shaped",
            Stage::Fused => "fused",
            Stage::Planned => "planned",
            Stage::Clif => "clif",
            Stage::Asm => "asm",
            #[cfg(feature = "rust")]
            Stage::Rust => "rust",
        }
    }

    /// The forms in which it can be shown.
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Stage::Parsed | Stage::Shaped | Stage::Fused => &[
                Format::Text,
                Format::Dot,
                #[cfg(feature = "explain")]
                Format::Svg,
                Format::Json,
            ],
            Stage::Planned => &[
                Format::Text,
                #[cfg(feature = "explain")]
                Format::Dot,
                #[cfg(feature = "explain")]
                Format::Svg,
                Format::Json,
            ],
            Stage::Clif | Stage::Asm => &[Format::Text],
            #[cfg(feature = "rust")]
            Stage::Rust => &[Format::Text],
        }
    }
}

impl Format {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Dot => "dot",
            #[cfg(feature = "explain")]
            Format::Svg => "svg",
            Format::Json => "json",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = Error;

    fn from_str(word: &str) -> Result<Stage, Error> {
        let found = Stage::ALL.iter().copied().find(|stage| stage.name() == word);
        found.ok_or_else(|| Error::Option(expected("stage", Stage::ALL.iter().map(|stage| stage.name()), word)))
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(word: &str) -> Result<Format, Error> {
        let formats = Stage::Parsed.formats();
        let found = formats.iter().copied().find(|format| format.name() == word);
        found.ok_or_else(|| Error::Option(expected("format", formats.iter().map(|format| format.name()), word)))
    }
}

fn expected(what: &str, names: impl Iterator<Item = &'static str>, word: &str) -> String {
    let names: Vec<_> = names.collect();
    format!("expected a {what} ({}), found `{word}`", names.join(", "))
}

impl Model {
    /// The network at a stage on its way to machine code, for people or other programs. `options` matter from
    /// [`Stage::Planned`] on.
    ///
    /// ```
    /// use cnn::{Model, Options, text::{Format, Stage}};
    ///
    /// let model = Model::builtin("lenet5")?;
    /// let plan = model.dump(Stage::Planned, Format::Text, &Options::default())?;
    /// assert!(plan.contains("c1"), "{plan}");
    /// # Ok::<(), cnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] for a format that the stage does not have; as [`plan`](Self::plan) from [`Stage::Planned`] on.
    pub fn dump(&self, stage: Stage, format: Format, options: &Options) -> Result<String, Error> {
        if !stage.formats().contains(&format) {
            return Err(Error::Option(no_form(stage)));
        }
        Ok(match stage {
            Stage::Parsed => graph(self.graph(), None, format),
            Stage::Shaped => graph(self.graph(), Some(self.shapes()), format),
            Stage::Fused => fused(self, format)?,
            Stage::Planned => {
                let plan = self.plan(options)?;
                match format {
                    Format::Json => format!("{:#}\n", plan::to_json(&plan)),
                    #[cfg(feature = "explain")]
                    Format::Dot => cnn_explain::drawing::plan_dot(&plan),
                    #[cfg(feature = "explain")]
                    Format::Svg => cnn_explain::drawing::plan_svg(&plan),
                    #[cfg(not(feature = "explain"))]
                    Format::Dot => plan::to_text(&plan),
                    Format::Text => plan::to_text(&plan),
                }
            }
            Stage::Clif | Stage::Asm => {
                let listing = self.listing(options)?;
                listing.iter().map(|function| code(function, stage)).collect()
            }
            #[cfg(feature = "rust")]
            Stage::Rust => self.rust(&crate::RustOptions {
                batch: options.batch,
                threads: options.threads.unwrap_or(1),
                exact: options.exact,
                ..crate::RustOptions::default()
            })?,
        })
    }
}

/// What to say of a format that a stage does not have.
pub fn no_form(stage: Stage) -> String {
    let names: Vec<_> = stage.formats().iter().map(|format| format.name()).collect();
    format!("the stage `{stage}` has the format {} only", names.join(" and "))
}

/// A function under its name. Tile kernels in machine code of their own have no intermediate representation.
fn code(function: &Listed, stage: Stage) -> String {
    let text = match stage {
        Stage::Clif if !function.clif.is_empty() => &function.clif,
        _ => &function.asm,
    };
    format!("; {}\n{}\n\n", function.name, text.trim_end())
}

/// A graph, with the shapes of its values if they are given.
pub fn graph(graph: &Graph, shapes: Option<&Shapes>, format: Format) -> String {
    match format {
        Format::Text => text::print(graph, shapes),
        Format::Dot => dot::print(graph, shapes),
        #[cfg(feature = "explain")]
        Format::Svg => cnn_explain::drawing::graph_svg(graph, shapes),
        Format::Json => json::print(graph, shapes),
    }
}

/// The graph after the passes; as text, behind comments that say what each pass did and refused.
fn fused(model: &Model, format: Format) -> Result<String, Error> {
    let optimised = model.optimised()?;
    let printed = graph(&optimised.graph, Some(&optimised.shapes), format);
    Ok(match format {
        Format::Text => comments(&optimised.reports) + &printed,
        _ => printed,
    })
}

/// What each pass does to a network: its lesson, what it did and refused, and the graph's lines that it changed (`-` before,
/// `+` after).
///
/// # Errors
/// [`Error::Internal`]: a pass made an invalid graph.
#[cfg(feature = "explain")]
pub fn differences(model: &Model) -> Result<String, Error> {
    let (steps, _) =
        cnn_explain::steps::steps(model.graph()).map_err(|invalid| Error::Internal(invalid.to_string()))?;
    let mut text = String::new();
    for step in steps {
        comment(&mut text, "", &format!("{}: {}", step.pass, step.lesson));
        for note in &step.notes {
            let left = if note.refused { "left as it is: " } else { "" };
            comment(&mut text, "  ", &format!("{}: {left}{}", note.layer, note.text));
        }
        if step.notes.is_empty() {
            comment(&mut text, "  ", "nothing to do");
        }
        for (index, hunk) in step.hunks.iter().enumerate() {
            if index > 0 {
                text += "  …\n";
            }
            for line in hunk {
                text.push(line.sign);
                text.push(' ');
                text += &line.text;
                text.push('\n');
            }
        }
        text.push('\n');
    }
    Ok(text)
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
