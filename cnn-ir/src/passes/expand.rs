//! Operators in terms of simpler ones.

use std::collections::BTreeSet;

use super::{Note, Pass};
use crate::graph::Graph;
use crate::op::Op;
use crate::validate::Shapes;

/// Puts the operators of the core in the place of those that are expressed in them.
#[derive(Clone, Copy, Debug)]
pub struct Expand;

impl Pass for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn lesson(&self) -> &'static str {
        "Many operators are others under another name: a flatten is a reshape, a global average the mean over rows and \
         columns. Saying so once, here, leaves a small core for all that follows to know."
    }

    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note> {
        let mut names: BTreeSet<_> = graph.ids().map(|id| graph[id].name.clone()).collect();
        let mut notes = Vec::new();
        for id in graph.order().unwrap_or_default() {
            let Op::Composite(composite) = graph[id].op.clone() else {
                continue;
            };
            let word = graph[id].op.name();
            let operands = shapes.operands(graph, id);
            let parts = composite.expand(graph, id, &operands, &mut names);
            let parts: Vec<_> = parts.iter().map(|part| format!("`{part}`")).collect();
            notes.push(Note::applied(
                &graph[id].name,
                format!("`{word}` as {}", parts.join(", ")),
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;

    #[test]
    fn simpler_operators_take_the_place_and_the_name() {
        insta::assert_snapshot!(after(&[&Expand], "
            %a = dropout(%image)
            %b = global_avg_pool(%a)
            %c = global_max_pool(%image)
            %both = concat(%b, %c)
            %y = flatten(%both)
            %z = reduce_l1(%image, axes = [0])
            return %y, %z
        "), @r"
        %a = identity(%image)
        %b = reduce_mean(%a, axes = [1, 2])
        %c = reduce_max(%image, axes = [1, 2])
        %both = concat(%b, %c)
        %y = reshape(%both, shape = [8])
        %z.sizes = abs(%image)
        %z = reduce_sum(%z.sizes, axes = [0])
        return %y, %z
        // a: `dropout` as `identity`
        // b: `global_avg_pool` as `reduce_mean`
        // c: `global_max_pool` as `reduce_max`
        // y: `flatten` as `reshape`
        // z: `reduce_l1` as `abs`, `reduce_sum`
        ");
    }
}
