//! Layers that change nothing.

use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{Op, Padding, Pair, Pool, Resize, ResizeAxis, Sides};
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
        Op::Resize(resize) if resizes_nothing(resize, x) => Some("the map has that size already"),
        Op::ReduceMean(_) => Some("there is only one element along its axes"),
        // What is left has the same size: only the way may differ.
        Op::Slice(slice) if slice.step > 0 || x.dims().get(slice.axis) == Some(&1) => Some("nothing is cut off"),
        Op::Transpose(transpose) if transpose.keeps_order(x) => Some("the elements keep their order"),
        Op::DepthToSpace(_) | Op::SpaceToDepth(_) => Some("its blocks are single pixels"),
        Op::Concat(_) => Some("there is only one operand"),
        Op::Combine(combine) if combine.activation.is_none() => Some("there is only one operand"),
        Op::Input(_)
        | Op::Conv(_)
        | Op::ConvTranspose(_)
        | Op::Dense(_)
        | Op::Pool(_)
        | Op::Activation(_)
        | Op::Prelu(_)
        | Op::Softmax(_)
        | Op::BatchNorm(_)
        | Op::Lrn(_)
        | Op::Combine(_)
        | Op::Matmul(_)
        | Op::Pad(_)
        | Op::Resize(_)
        | Op::Slice(_)
        | Op::Transpose(_)
        | Op::ChannelShuffle(_)
        | Op::Constant(_) => None,
    }
}

/// Both axes count: if one of them changes, the other's factor may be a little above 1 and move pixels all the same.
fn resizes_nothing(resize: &Resize, x: Shape) -> bool {
    let Shape::Map { height, width, .. } = x else {
        return false;
    };
    resize.axes(height, width).iter().all(ResizeAxis::is_identity)
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
            %n = slice(%m, axis = 0, start = -200)
            %y = dense(%n, units = 2)
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
        // n: dropped: nothing is cut off
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
    fn what_reorders_or_resizes_may_do_nothing() {
        insta::assert_snapshot!(after(&[&DropIdentities], "
            %a = transpose(%image, order = [0, 1, 2])
            %b = depth_to_space(%a, block = 1)
            %c = space_to_depth(%b, block = 1)
            %d = resize(%c, size = 8, mode = \"bilinear\", coordinates = \"align_corners\")
            %e = resize(%d, scale = [1.01, 2])
            %f = slice(%e, axis = 1, step = -1)
            %g = global_avg_pool(%f)
            %h = transpose(%g, order = [0, 2, 1])
            %i = slice(%h, axis = 2, step = -1)
            %j = reduce_mean(%i, axes = [1, 2])
            %k = transpose(%j, order = [1, 0, 2])
            %m = slice(%k, axis = 1, end = 4)
            %y = reduce_mean(%m)
            return %y
        "), @r"
        %e = resize(%image, scale = [1.01, 2.0])
        %f = slice(%e, axis = 1, step = -1)
        %g = global_avg_pool(%f)
        %k = transpose(%g, order = [1, 0, 2])
        %y = reduce_mean(%k)
        return %y
        // a: dropped: the elements keep their order
        // b: dropped: its blocks are single pixels
        // c: dropped: its blocks are single pixels
        // d: dropped: the map has that size already
        // h: dropped: the elements keep their order
        // i: dropped: nothing is cut off
        // j: dropped: there is only one element along its axes
        // m: dropped: nothing is cut off
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
