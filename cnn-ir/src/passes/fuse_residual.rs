//! Residual connections into the convolution that produces one side of the sum.

use std::collections::HashMap;

use super::rewrite::{absorb, shared};
use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{CombineKind, Op};
use crate::validate::Shapes;

/// Lets a convolution add the other operand of a sum, and apply the sum's activation, as it writes its result.
#[derive(Clone, Copy, Debug)]
pub struct FuseResidual;

impl Pass for FuseResidual {
    fn name(&self) -> &'static str {
        "fuse_residual"
    }

    fn lesson(&self) -> &'static str {
        "A residual sum on its own reads two maps and writes one. The convolution that makes one of the two has each \
         of its elements in a register before storing it: adding the other map there saves writing and reading one."
    }

    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note> {
        let order = graph.order().unwrap_or_default();
        let positions: HashMap<NodeId, usize> = order.iter().enumerate().map(|(at, &id)| (id, at)).collect();
        let mut notes = Vec::new();
        for &add in &order {
            let Op::Combine(combine) = graph[add].op else { continue };
            if combine.kind != CombineKind::Add {
                continue;
            }
            let name = graph[add].name.clone();
            let operands = graph.operands(add);
            let [a, b] = operands[..] else {
                notes.push(Note::refused(name, "it has more than two operands"));
                continue;
            };
            if shapes[a] != shapes[b] {
                notes.push(Note::refused(name, "one operand is spread over the other"));
                continue;
            }
            // The later of two convolutions, as the other map is then there when it runs.
            let candidates = if positions.get(&a) > positions.get(&b) {
                [(a, b), (b, a)]
            } else {
                [(b, a), (a, b)]
            };
            let mut reasons = Vec::new();
            let mut chosen = None;
            for (conv, other) in candidates {
                match obstacle(graph, conv, add) {
                    None => {
                        chosen = Some((conv, other));
                        break;
                    }
                    Some(why) => reasons.push(why),
                }
            }
            let Some((conv, other)) = chosen else {
                reasons.dedup();
                notes.push(Note::refused(name, reasons.join("; ")));
                continue;
            };
            // `other` cannot depend on `conv`, whose only user is the sum itself: there is no cycle.
            if let Op::Conv(conv) = &mut graph[conv].op {
                conv.residual = true;
                conv.activation = combine.activation;
            }
            let mut operands = graph.operands(conv);
            operands.push(other);
            graph.set_operands(conv, &operands);
            let what = format!(
                "`{}` adds `{}` as it writes its result",
                graph[conv].name, graph[other].name
            );
            absorb(graph, conv, add);
            notes.push(Note::applied(name, what));
        }
        notes
    }
}

/// Why `layer` cannot compute the sum `add`.
fn obstacle(graph: &Graph, layer: NodeId, add: NodeId) -> Option<String> {
    let name = &graph[layer].name;
    let Op::Conv(conv) = &graph[layer].op else {
        return Some(format!("`{name}` is no convolution"));
    };
    if conv.activation.is_some() {
        Some(format!("`{name}` applies an activation first"))
    } else if conv.residual {
        Some(format!("`{name}` adds a residual already"))
    } else {
        shared(graph, layer, add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;
    use crate::passes::{FoldBatchNorm, FuseActivation};

    #[test]
    fn a_block_of_resnet_becomes_two_convolutions() {
        insta::assert_snapshot!(after(&[&FoldBatchNorm, &FuseActivation, &FuseResidual], "
            %conv1 = conv(%image, filters = 4, kernel = 3, padding = 1, bias = false)
            %bn1 = batch_norm(%conv1)
            %relu1 = relu(%bn1)
            %conv2 = conv(%relu1, filters = 4, kernel = 3, padding = 1, bias = false)
            %bn2 = batch_norm(%conv2)
            %sum = add(%image, %bn2)
            %relu2 = relu(%sum)
            return %relu2
        "), @r#"
        %relu1 = conv(%image, filters = 4, kernel = 3, padding = 1, bias = false, activation = "relu", norm = { weights = "bn1", epsilon = 1e-5 }, weights = "conv1")
        %relu2 = conv(%relu1, %image, filters = 4, kernel = 3, padding = 1, bias = false, activation = "relu", norm = { weights = "bn2", epsilon = 1e-5 }, residual = true, weights = "conv2")
        return %relu2
        // bn1: folded into the weights of `conv1`
        // bn2: folded into the weights of `conv2`
        // relu1: applied by `bn1` as it writes its result
        // relu2: applied by `sum` as it writes its result
        // relu2: `bn2` adds `image` as it writes its result
        "#);
    }

    #[test]
    fn of_two_convolutions_the_later_one_adds() {
        insta::assert_snapshot!(after(&[&FuseResidual], "
            %shortcut = conv(%image, filters = 8, kernel = 1)
            %a = conv(%image, filters = 8, kernel = 3, padding = 1, activation = \"relu\")
            %b = conv(%a, filters = 8, kernel = 3, padding = 1)
            %y = add(%shortcut, %b, activation = \"relu\")
            return %y
        "), @r#"
        %shortcut = conv(%image, filters = 8, kernel = 1)
        %a = conv(%image, filters = 8, kernel = 3, padding = 1, activation = "relu")
        %y = conv(%a, %shortcut, filters = 8, kernel = 3, padding = 1, activation = "relu", residual = true, weights = "b")
        return %y
        // y: `b` adds `shortcut` as it writes its result
        "#);
    }

    #[test]
    fn the_earlier_one_adds_if_the_later_cannot() {
        insta::assert_snapshot!(after(&[&FuseResidual], "
            %a = conv(%image, filters = 8, kernel = 3, padding = 1)
            %b = conv(%image, filters = 8, kernel = 3, padding = 1, activation = \"relu\")
            %y = add(%a, %b)
            return %y
        "), @r#"
        %b = conv(%image, filters = 8, kernel = 3, padding = 1, activation = "relu")
        %y = conv(%image, %b, filters = 8, kernel = 3, padding = 1, residual = true, weights = "a")
        return %y
        // y: `a` adds `b` as it writes its result
        "#);
    }

    #[test]
    fn never_waits_for_itself() {
        // Adding `b` inside `a`, of which `b` is made, would be a cycle.
        insta::assert_snapshot!(after(&[&FuseResidual], "
            %a = conv(%image, filters = 4, kernel = 1)
            %b = conv(%a, filters = 4, kernel = 1, activation = \"relu\")
            %y = add(%a, %b)
            return %y
        "), @r#"
        %a = conv(%image, filters = 4, kernel = 1)
        %b = conv(%a, filters = 4, kernel = 1, activation = "relu")
        %y = add(%a, %b)
        return %y
        // y: left as it is: `b` applies an activation first; the result of `a` is used by `b` too
        "#);
    }

    #[test]
    fn refuses_with_a_reason() {
        insta::assert_snapshot!(after(&[&FuseResidual], "
            %twice = conv(%image, filters = 4, kernel = 1)
            %a = add(%twice, %twice)
            %c = conv(%a, filters = 4, kernel = 1)
            %three = add(%c, %a, %image)
            %gate = global_avg_pool(%three)
            %d = conv(%three, filters = 4, kernel = 1)
            %spread = add(%d, %gate)
            %e = conv(%spread, filters = 4, kernel = 1)
            %first = add(%e, %spread)
            %second = add(%first, %image)
            %seen = conv(%second, filters = 4, kernel = 1)
            %of_an_output = add(%seen, %second)
            %flat = dense(%vector, units = 6)
            %no_convolution = add(%flat, %vector)
            return %of_an_output, %seen, %no_convolution
        "), @r#"
        %twice = conv(%image, filters = 4, kernel = 1)
        %a = add(%twice, %twice)
        %c = conv(%a, filters = 4, kernel = 1)
        %three = add(%c, %a, %image)
        %gate = global_avg_pool(%three)
        %d = conv(%three, filters = 4, kernel = 1)
        %spread = add(%d, %gate)
        %first = conv(%spread, %spread, filters = 4, kernel = 1, residual = true, weights = "e")
        %second = add(%first, %image)
        %seen = conv(%second, filters = 4, kernel = 1)
        %of_an_output = add(%seen, %second)
        %flat = dense(%vector, units = 6)
        %no_convolution = add(%flat, %vector)
        return %of_an_output, %seen, %no_convolution
        // a: left as it is: it uses the result of `twice` twice
        // three: left as it is: it has more than two operands
        // spread: left as it is: one operand is spread over the other
        // first: `e` adds `spread` as it writes its result
        // second: left as it is: `first` adds a residual already; `image` is no convolution
        // of_an_output: left as it is: the result of `seen` is an output of the network; `second` is no convolution
        // no_convolution: left as it is: `flat` is no convolution; `vector` is no convolution
        "#);
    }
}
