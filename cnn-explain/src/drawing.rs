//! Graphs and plans as drawings: boxes in layers with edges between them, as SVG, and a plan for Graphviz.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use cnn_codegen::plan::Plan;
use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::validate::Shapes;
use rust_sugiyama::configure::Config;
use svg::Document;
use svg::node::element::{Group, Path, Rectangle, Style, Text, Title};

/// A box's size, and the space between boxes.
const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 62.0;
const SPACE: f64 = 30.0;
/// Letters that fit a line.
const LETTERS: usize = 30;

/// The drawing's colours, light or as the viewer's system has it.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1b1d20}.name{font-weight:600;font-size:13px}\
    rect{fill:#fff;stroke:#b9bcb6}path{fill:none;stroke:#8a8f96;stroke-width:1.4}.past{stroke:#b3476b}\
    @media(prefers-color-scheme:dark){text{fill:#e8e9ea}rect{fill:#1b1e22;stroke:#565d66}.past{stroke:#ee86a9}}";

/// A box: its lines, the first its name, and the boxes that its edges come from.
struct Boxed {
    lines: Vec<String>,
    from: Vec<usize>,
}

/// A graph as SVG: a box for each layer with its name, operator and (if known) shape, under the layers it reads. Edges
/// that pass a layer by, such as residual ones, run around it.
pub fn graph_svg(graph: &Graph, shapes: Option<&Shapes>) -> String {
    let order = graph.order().unwrap_or_else(|_| graph.ids().collect());
    let positions: HashMap<NodeId, usize> = order.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let boxes = order.iter().map(|&id| {
        let node = &graph[id];
        let keys = node.op.keys();
        let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let shape = shapes
            .and_then(|shapes| shapes.get(id))
            .map(|shape| format!(" → {shape}"));
        Boxed {
            lines: vec![
                node.name.clone(),
                format!("{}{}", node.op.name(), shape.unwrap_or_default()),
                keys.join(", "),
            ],
            from: graph.operands(id).iter().map(|operand| positions[operand]).collect(),
        }
    });
    svg(&boxes.collect::<Vec<_>>())
}

/// A plan as SVG: a box for each step with its layer, kernel and multiplications, under the steps whose results it reads.
pub fn plan_svg(plan: &Plan) -> String {
    svg(&steps(plan))
}

/// A plan in Graphviz's language: a box for each step, an arrow for each buffer from the step that wrote it last.
pub fn plan_dot(plan: &Plan) -> String {
    let quoted = |text: &str| {
        format!(
            "\"{}\"",
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
        )
    };
    let mut dot = format!("digraph {} {{\n", quoted(&plan.name));
    dot += "  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=9];\n";
    for (index, step) in steps(plan).iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(dot, "  s{index} [label={}];", quoted(&step.lines.join("\n")));
        for from in &step.from {
            let buffer = plan.steps[*from].work.writes();
            let label = format!("%{} {}", buffer.0, plan.buffers[buffer.0].shape);
            let _ = writeln!(dot, "  s{from} -> s{index} [label={}];", quoted(&label));
        }
    }
    dot.push_str("}\n");
    dot
}

fn steps(plan: &Plan) -> Vec<Boxed> {
    let mut writers: HashMap<usize, usize> = HashMap::new();
    let boxes = plan.steps.iter().enumerate().map(|(index, step)| {
        let mut from: Vec<usize> = step
            .work
            .reads()
            .iter()
            .filter_map(|buffer| writers.get(&buffer.0).copied())
            .collect();
        // A halo is cleared before the map is written.
        from.extend(writers.insert(step.work.writes().0, index));
        from.sort_unstable();
        from.dedup();
        let work = match step.multiplications {
            0 => String::new(),
            count => format!("{count} multiplications"),
        };
        Boxed {
            lines: vec![format!("{index}  {}", step.layer), step.kernel.clone(), work],
            from,
        }
    });
    boxes.collect()
}

fn svg(boxes: &[Boxed]) -> String {
    let places = layout(boxes);
    let (mut width, mut height) = (0.0f64, 0.0f64);
    for (x, y) in &places {
        (width, height) = (width.max(x + WIDTH), height.max(y + HEIGHT));
    }
    let mut edges = Group::new();
    let mut drawn = Group::new();
    for (index, one) in boxes.iter().enumerate() {
        let (x, y) = places[index];
        for &from in &one.from {
            let (path, past) = edge(places[from], (x, y));
            width = width.max(if past { x.max(places[from].0) + 1.4 * WIDTH } else { 0.0 });
            let path = Path::new().set("d", path);
            edges = edges.add(if past { path.set("class", "past") } else { path });
        }
        drawn = drawn.add(drawn_box(one, x, y));
    }
    let (width, height) = (width + SPACE, height + SPACE);
    Document::new()
        .set("viewBox", format!("{} {} {width:.0} {height:.0}", -SPACE, -SPACE))
        .set("width", format!("{:.0}", width + SPACE))
        .set("height", format!("{:.0}", height + SPACE))
        .add(Style::new(STYLE))
        .add(edges)
        .add(drawn)
        .to_string()
        + "\n"
}

fn drawn_box(one: &Boxed, x: f64, y: f64) -> Group {
    let mut group = Group::new().set("transform", format!("translate({x:.1},{y:.1})"));
    group = group.add(Title::new(one.lines.join("\n")));
    group = group.add(Rectangle::new().set("width", WIDTH).set("height", HEIGHT).set("rx", 7));
    for (number, line) in one.lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let text = Text::new(clip(line)).set("x", 10).set("y", 19 + 17 * number);
        group = group.add(if number == 0 { text.set("class", "name") } else { text });
    }
    group
}

/// From the bottom of one box to the top of another; around what is between if there is something.
fn edge((x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> (String, bool) {
    let (a, b, top, bottom) = (x0 + WIDTH / 2.0, x1 + WIDTH / 2.0, y0 + HEIGHT, y1);
    if (a - b).abs() < WIDTH / 2.0 && bottom - top > SPACE + HEIGHT {
        let side = a.max(b) + 0.85 * WIDTH;
        let (first, last) = (top + SPACE, bottom - SPACE);
        return (
            format!("M{a:.1},{top:.1}C{side:.1},{first:.1} {side:.1},{last:.1} {b:.1},{bottom:.1}"),
            true,
        );
    }
    let middle = (bottom - top) / 2.0;
    let path = format!(
        "M{a:.1},{top:.1}C{a:.1},{:.1} {b:.1},{:.1} {b:.1},{bottom:.1}",
        top + middle,
        bottom - middle
    );
    (path, false)
}

/// The upper left corners of boxes, operands above users; graphs that do not hang together stand side by side.
fn layout(boxes: &[Boxed]) -> Vec<(f64, f64)> {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    let vertices: Vec<_> = (0..boxes.len()).map(|index| (number(index), (WIDTH, HEIGHT))).collect();
    // The same operand twice is one edge of the drawing.
    let edges: BTreeSet<(u32, u32)> = boxes
        .iter()
        .enumerate()
        .flat_map(|(index, one)| one.from.iter().map(move |&from| (number(from), number(index))))
        .collect();
    let edges: Vec<_> = edges.into_iter().collect();
    let config = Config {
        vertex_spacing: SPACE,
        ..Config::default()
    };
    let mut places = vec![(0.0, 0.0); boxes.len()];
    let mut left = 0.0f64;
    for (part, _, _) in rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config) {
        let least = part.iter().map(|(_, (x, _))| *x).fold(f64::INFINITY, f64::min);
        let mut right = left;
        for (index, (x, y)) in part {
            places[index] = (left + x - least, y);
            right = right.max(left + x - least + WIDTH + SPACE);
        }
        left = right;
    }
    places
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use cnn_ir::front::graph_from_toml;

    use super::*;

    #[test]
    fn names_are_text_and_every_layer_is_drawn() {
        let toml = "name = '</svg><script>'\ninputs.x = [1, 4, 4]\n[[layer]]\nname = 'a'\nop = 'relu'\n\
            [[layer]]\nname = 'b'\nop = 'tanh'\n[[layer]]\nname = 'c'\nop = 'add'\nfrom = ['a', 'b', 'a']\n";
        let (graph, _) = graph_from_toml(toml).unwrap();
        let drawing = graph_svg(&graph, None);
        assert_eq!(drawing.matches("<rect").count(), 4);
        // Two of the sum's three operands are the same layer; the edges are all drawn.
        assert_eq!(drawing.matches("<path").count(), 5);
        assert!(!drawing.contains("<script"), "{drawing}");
    }
}
