//! Dead code: layers whose result no output needs.

use std::collections::HashSet;

use super::{Note, Pass};
use crate::graph::Graph;
use crate::op::Op;
use crate::validate::Shapes;

/// Removes layers that no output depends on. Inputs stay, since the user passes them.
#[derive(Clone, Copy, Debug)]
pub struct DeadCode;

impl Pass for DeadCode {
    fn name(&self) -> &'static str {
        "dead_code"
    }

    fn lesson(&self) -> &'static str {
        "Walking from the outputs back to the inputs meets every layer that matters; the others are not computed. \
         Networks carry such layers where training needed them, as GoogLeNet does with its auxiliary classifiers."
    }

    fn run(&self, graph: &mut Graph, _: &Shapes) -> Vec<Note> {
        let mut needed = HashSet::new();
        let mut open: Vec<_> = graph.outputs().iter().map(|output| output.node).collect();
        while let Some(id) = open.pop() {
            if needed.insert(id) {
                open.extend(graph.operands(id));
            }
        }
        let mut notes = Vec::new();
        // Users before operands, as only what nobody uses can be removed.
        for id in graph.order().unwrap_or_default().into_iter().rev() {
            if !needed.contains(&id) && !matches!(graph[id].op, Op::Input(_)) {
                notes.push(Note::applied(&graph[id].name, "removed, as no output needs it"));
                graph.remove(id);
            }
        }
        notes.reverse();
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;

    #[test]
    fn removes_what_no_output_needs() {
        insta::assert_snapshot!(after(&[&DeadCode], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %aux = conv(%c1, filters = 2, kernel = 1)
            %aux_pool = global_avg_pool(%aux)
            %y = relu(%c1)
            return %y
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        %y = relu(%c1)
        return %y
        // aux: removed, as no output needs it
        // aux_pool: removed, as no output needs it
        ");
    }

    #[test]
    fn keeps_outputs_in_the_middle() {
        insta::assert_snapshot!(after(&[&DeadCode], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %y = relu(%c1)
            %z = tanh(%y)
            return %y, features = %c1
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        %y = relu(%c1)
        return %y, features = %c1
        // z: removed, as no output needs it
        ");
    }
}
