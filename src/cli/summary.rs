//! `cnn summary`: a network layer by layer, as a table or as JSON.

use std::io::Write;

use clap::Args;
use cnn::Model;
use cnn::error::bytes;
use cnn::ir::graph::NodeId;
use cnn::ir::op::Op;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::json;

use super::args::ModelArgument;
use super::format::grouped;
use super::{Failure, session};

/// The table's width where it does not go to a terminal, and at most.
const WIDTH: u16 = 120;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Print a JSON object for other programs
    #[arg(long)]
    json: bool,
}

/// A line under the header.
pub(super) const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// What is said about a layer.
struct Row {
    name: String,
    op: String,
    operands: Vec<String>,
    formula: String,
    shape: Vec<usize>,
    parameters: u64,
    multiplications: u64,
    product: String,
    bytes: u64,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let order = model.graph().order().unwrap_or_default();
    let rows: Vec<_> = order.into_iter().map(|id| row(&model, id)).collect();
    if arguments.json {
        writeln!(out, "{:#}", as_json(&model, &rows))?;
        return Ok(());
    }
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.min(WIDTH));
    writeln!(out, "{}\n", table(&rows, width).trim_fmt())?;
    totals(&model, &rows, out)
}

fn row(model: &Model, id: NodeId) -> Row {
    let (graph, shapes) = (model.graph(), model.shapes());
    let node = &graph[id];
    let operands = shapes.operands(graph, id);
    let cost = node.op.cost(&operands);
    let activation = node.op.activation().map(|activation| Op::Activation(activation).name());
    Row {
        name: node.name.clone(),
        op: [Some(node.op.name()), activation]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" + "),
        operands: graph
            .operands(id)
            .into_iter()
            .map(|operand| graph[operand].name.clone())
            .collect(),
        formula: node.op.formula(&operands),
        shape: shapes[id].dims(),
        parameters: cost.parameters,
        multiplications: cost.multiplications,
        product: cost.product,
        bytes: shapes[id].elements() as u64 * size_of::<f32>() as u64,
    }
}

/// The widest table that is not wider than `width`: narrower ones leave out the arithmetic, then more.
fn table(rows: &[Row], width: u16) -> Table {
    let formulas = width >= 80;
    let products = width >= 100;
    let memory = width >= 60;
    let mut header = vec!["layer", "op"];
    header.extend(formulas.then_some("output size"));
    header.extend(["output", "parameters", "multiplications"]);
    header.extend(memory.then_some("memory"));
    let mut table = Table::new();
    table
        .load_style(RULED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header);
    let number = |number: u64| if number == 0 { String::new() } else { grouped(number) };
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for row in rows {
        let mut cells = vec![Cell::new(&row.name), Cell::new(&row.op)];
        cells.extend(formulas.then(|| Cell::new(&row.formula)));
        cells.push(Cell::new(format!("{:?}", row.shape)));
        cells.push(right(number(row.parameters)));
        cells.push(right(if products {
            row.product.clone()
        } else {
            number(row.multiplications)
        }));
        cells.extend(memory.then(|| right(bytes(u128::from(row.bytes)))));
        table.add_row(cells);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1)); // every character counts
    }
    table
}

fn values(rows: &[Row]) -> u64 {
    rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.bytes))
}

fn totals(model: &Model, rows: &[Row], out: &mut dyn Write) -> Result<(), Failure> {
    let tensors = model.weights();
    let statistics = tensors.iter().filter(|tensor| !tensor.is_parameter());
    let statistics: u64 = statistics.map(|tensor| tensor.elements()).sum();
    writeln!(out, "parameters       {}", grouped(model.parameters()))?;
    if statistics > 0 {
        writeln!(
            out,
            "statistics       {} (running means and variances; not learnt)",
            grouped(statistics)
        )?;
    }
    writeln!(out, "multiplications  {} an image", grouped(model.macs()))?;
    let weights = u128::from(model.parameters())
        .saturating_add(u128::from(statistics))
        .saturating_mul(4);
    writeln!(
        out,
        "memory           {} of weights, {} of values an image, if none shares memory (f32)",
        bytes(weights),
        bytes(u128::from(values(rows)))
    )?;
    Ok(())
}

fn as_json(model: &Model, rows: &[Row]) -> serde_json::Value {
    let layer = |row: &Row| {
        json!({
            "name": row.name,
            "op": row.op,
            "operands": row.operands,
            "formula": row.formula,
            "shape": row.shape,
            "parameters": row.parameters,
            "multiplications": row.multiplications,
            "product": row.product,
            "bytes": row.bytes,
        })
    };
    json!({
        "model": model.name(),
        "layers": rows.iter().map(layer).collect::<Vec<_>>(),
        "parameters": model.parameters(),
        "multiplications": model.macs(),
        "bytes": values(rows),
    })
}
