//! A network layer by layer, as a table or as JSON.

use std::fmt::Write;

use cnn_ir::graph::NodeId;
use cnn_ir::op::Op;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde_json::json;

use super::{RULED, grouped, name};
use crate::Model;
use crate::error::bytes;

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

impl Model {
    /// The network layer by layer as a table at most `width` characters wide, with the arithmetic of every shape where
    /// there is room for it, and totals below: parameters, multiplications, memory.
    ///
    /// ```
    /// let summary = cnn::Model::builtin("lenet5")?.summary(120);
    /// assert!(summary.contains("⌊(32 + 2·0 − 5)/1⌋ + 1 = 28") && summary.contains("61,706"), "{summary}");
    /// # Ok::<(), cnn::Error>(())
    /// ```
    pub fn summary(&self, width: u16) -> String {
        let rows = rows(self);
        let table = table(&rows, width).trim_fmt();
        format!("{table}\n\n{}{}", left_out(width), totals(self, &rows))
    }

    /// What [`summary`](Self::summary) shows, for other programs.
    pub fn summary_json(&self) -> serde_json::Value {
        as_json(self, &rows(self))
    }
}

fn rows(model: &Model) -> Vec<Row> {
    let order = model.graph().order().unwrap_or_default();
    order.into_iter().map(|id| row(model, id)).collect()
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
        bytes: shapes.value(id).bytes(),
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
        let mut cells = vec![Cell::new(name(&row.name)), Cell::new(&row.op)];
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

/// What a table of that width has no room for.
fn left_out(width: u16) -> String {
    let what = match width {
        ..60 => "the arithmetic and the memory of layers",
        60..80 => "the arithmetic of sizes and multiplications",
        80..100 => "the arithmetic of multiplications",
        100.. => return String::new(),
    };
    format!("left out for want of width: {what}\n\n")
}

fn values(rows: &[Row]) -> u64 {
    rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.bytes))
}

fn totals(model: &Model, rows: &[Row]) -> String {
    let tensors = model.weights();
    let statistics = tensors.iter().filter(|tensor| !tensor.is_parameter());
    let statistics: u64 = statistics.map(|tensor| tensor.elements()).sum();
    let mut text = format!("parameters       {}\n", grouped(model.parameters()));
    if statistics > 0 {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "statistics       {} (running means and variances; not learnt)",
            grouped(statistics)
        );
    }
    let weights: u128 = tensors.iter().map(|tensor| u128::from(tensor.bytes())).sum();
    let _ = writeln!(
        text,
        "multiplications  {} an image\n\
         memory           {} of weights, {} of values an image, if none shares memory (f32)",
        grouped(model.macs()),
        bytes(weights),
        bytes(u128::from(values(rows)))
    );
    text
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
