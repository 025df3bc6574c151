//! Running a pass on the text form of a graph.

use super::{Pass, optimise_with};
use crate::text;

/// The body of the graph after the passes, and their notes: what snapshots show. `body` is the text form without
/// `network … { }`; every graph has inputs `image` `[4, 8, 8]` and `vector` `[6]`.
pub(super) fn after(passes: &[&dyn Pass], body: &str) -> String {
    let source =
        format!("network \"test\" {{\n%image = input(shape = [4, 8, 8])\n%vector = input(shape = [6])\n{body}\n}}");
    let mut graph = text::parse(&source).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let reports = optimise_with(&mut graph, passes, |_, _, _| {}).unwrap_or_else(|invalid| panic!("{invalid}"));
    let printed = text::print(&graph, None);
    // What was printed is the same graph.
    let again = text::parse(&printed).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(text::print(&again, None), printed);
    let notes = reports
        .iter()
        .flat_map(|report| &report.notes)
        .map(|note| format!("// {note}\n"));
    let lines = printed.lines().map(str::trim);
    let body =
        lines.filter(|line| line.starts_with("return") || (line.starts_with('%') && !line.contains(" = input(")));
    body.map(|line| format!("{line}\n")).chain(notes).collect()
}
