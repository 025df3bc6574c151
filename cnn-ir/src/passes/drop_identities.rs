//! Layers that change nothing.

use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{Op, Padding, Pair, Pool, Sides};
use crate::shape::Shape;
use crate::validate::Shapes;

/// Removes layers whose result is their operand: dropout at inference, a reshape to the same shape, a pool over
/// single pixels.
#[derive(Clone, Copy, Debug)]
pub struct DropIdentities;

impl Pass for DropIdentities {
    fn name(&self) -> &'static str {
        "drop_identities"
    }

    fn lesson(&self) -> &'static str {
        "Some layers only matter in training (dropout), or do nothing with the sizes at hand. Each would cost a copy \
         of the whole map, and would stand between layers that can be fused."
    }

    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note> {
        let mut notes = Vec::new();
        for id in graph.order().unwrap_or_default() {
            let operands = graph.operands(id);
            let [operand] = operands[..] else { continue };
            let Some(why) = nothing_happens(&graph[id].op, shapes[operand], shapes[id]) else {
                continue;
            };
            let name = graph[id].name.clone();
            if let Some(why) = output_would_be_lost(graph, id, operand) {
                notes.push(Note::refused(name, why));
                continue;
            }
            graph.replace_uses(id, operand);
            graph.remove(id);
            notes.push(Note::applied(name, format!("dropped: {why}")));
        }
        notes
    }
}

/// Every output needs a node of its own to be written by.
fn output_would_be_lost(graph: &Graph, id: NodeId, operand: NodeId) -> Option<String> {
    let name = &graph[operand].name;
    if !graph.is_output(id) {
        None
    } else if matches!(graph[operand].op, Op::Input(_)) {
        Some(format!("it is an output, and copies the input `{name}` there"))
    } else if graph.is_output(operand) {
        Some(format!("it is an output, and `{name}` is another"))
    } else {
        None
    }
}

/// Why an operator with one operand of shape `x` does nothing; `None` if it does something.
fn nothing_happens(op: &Op, x: Shape, y: Shape) -> Option<&'static str> {
    if x != y {
        return None;
    }
    match op {
        Op::Identity(_) => Some("an identity"),
        Op::Dropout(_) => Some("dropout does nothing at inference"),
        Op::Flatten(_) | Op::Reshape(_) => Some("the shape is the same already"),
        // A stride would show in the shape.
        Op::Pool(pool) if pool.size == Pair::ONE && unpadded(pool) => Some("its windows are single pixels"),
        Op::GlobalPool(_) => Some("the map is a single pixel already"),
        Op::AdaptiveAvgPool(_) => Some("the map has that size already"),
        Op::Upsample(_) => Some("the factor is 1"),
        Op::Pad(pad) if pad.sides == Sides::default() => Some("the border is 0 wide"),
        Op::ChannelShuffle(shuffle) if shuffle.groups == 1 || shuffle.groups == x.channels() => {
            Some("there is nothing to interleave")
        }
        Op::Concat(_) => Some("there is only one operand"),
        Op::Combine(combine) if combine.activation.is_none() => Some("there is only one operand"),
        Op::Input(_)
        | Op::Conv(_)
        | Op::Dense(_)
        | Op::Pool(_)
        | Op::Activation(_)
        | Op::Prelu(_)
        | Op::Softmax(_)
        | Op::BatchNorm(_)
        | Op::Lrn(_)
        | Op::Combine(_)
        | Op::Pad(_)
        | Op::ChannelShuffle(_) => None,
    }
}

/// A window of one pixel needs no padding to keep the size.
fn unpadded(pool: &Pool) -> bool {
    match pool.padding {
        Padding::Valid | Padding::Same => true,
        Padding::Explicit(sides) => sides == Sides::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;

    #[test]
    fn drops_everything_that_does_nothing() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %a = identity(%c1)
            %b = dropout(%a)
            %c = max_pool(%b, size = 1)
            %d = avg_pool(%c, size = 1, padding = \"same\")
            %e = pad(%d, padding = 0)
            %f = upsample(%e, scale = 1, mode = \"bilinear\")
            %g = concat(%f)
            %h = reshape(%g, shape = [4, 6, 6])
            %i = adaptive_avg_pool(%h, size = 6)
            %j = channel_shuffle(%i, groups = 4)
            %flat = flatten(%j)
            %k = flatten(%flat)
            %m = reshape(%k, shape = [144])
            %y = dense(%m, units = 2)
            return %y
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        %flat = flatten(%c1)
        %y = dense(%flat, units = 2)
        return %y
        // a: dropped: an identity
        // b: dropped: dropout does nothing at inference
        // c: dropped: its windows are single pixels
        // d: dropped: its windows are single pixels
        // e: dropped: the border is 0 wide
        // f: dropped: the factor is 1
        // g: dropped: there is only one operand
        // h: dropped: the shape is the same already
        // i: dropped: the map has that size already
        // j: dropped: there is nothing to interleave
        // k: dropped: the shape is the same already
        // m: dropped: the shape is the same already
        ");
    }

    #[test]
    fn keeps_what_does_something() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %a = max_pool(%image, size = 1, stride = 2)
            %c = pad(%a, padding = [0, 1, 0, 0])
            %d = upsample(%c, scale = [1, 2])
            %e = channel_shuffle(%d, groups = 2)
            %f = adaptive_avg_pool(%e, size = 4)
            %g = global_avg_pool(%f)
            %y = flatten(%g)
            return %y
        "), @r"
        %a = max_pool(%image, size = 1, stride = 2)
        %c = pad(%a, padding = [0, 1, 0, 0])
        %d = upsample(%c, scale = [1, 2])
        %e = channel_shuffle(%d, groups = 2)
        %f = adaptive_avg_pool(%e, size = 4)
        %g = global_avg_pool(%f)
        %y = flatten(%g)
        return %y
        ");
    }

    #[test]
    fn a_global_pool_of_one_pixel_does_nothing() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %a = global_max_pool(%image)
            %b = global_avg_pool(%a)
            %y = flatten(%b)
            return %y
        "), @r"
        %a = global_max_pool(%image)
        %y = flatten(%a)
        return %y
        // b: dropped: the map is a single pixel already
        ");
    }

    #[test]
    fn an_output_keeps_its_name() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %y = dropout(%c1)
            return %y
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        return y = %c1
        // y: dropped: dropout does nothing at inference
        ");
    }

    #[test]
    fn every_output_keeps_a_node_of_its_own() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %y = dropout(%c1)
            %z = identity(%vector)
            return %c1, %y, %z
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        %y = dropout(%c1)
        %z = identity(%vector)
        return %c1, %y, %z
        // y: left as it is: it is an output, and `c1` is another
        // z: left as it is: it is an output, and copies the input `vector` there
        ");
    }
}
