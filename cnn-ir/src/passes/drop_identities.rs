//! Layers that change nothing.

use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::Op;
use crate::validate::Shapes;

/// Removes layers whose result is their operand: an identity, a reshape to the same shape, a pool over
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
            let x = shapes[operand];
            let Some(why) = graph[id].op.operator().does_nothing(x).filter(|_| shapes[id] == x) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::Expand;
    use crate::passes::testing::after;

    #[test]
    fn drops_everything_that_does_nothing() {
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
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
        %flat = reshape(%c1, shape = [144])
        %y = dense(%flat, units = 2)
        return %y
        // b: `dropout` as `identity`
        // f: `upsample` as `resize`
        // flat: `flatten` as `reshape`
        // k: `flatten` as `reshape`
        // a: dropped: an identity
        // b: dropped: an identity
        // c: dropped: its windows are single pixels
        // d: dropped: its windows are single pixels
        // e: dropped: the border is 0 wide
        // f: dropped: the map has that size already
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
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
            %a = max_pool(%image, size = 1, stride = 2)
            %c = pad(%a, padding = [0, 1, 0, 0])
            %d = upsample(%c, scale = [1, 2])
            %e = channel_shuffle(%d, groups = 2)
            %f = adaptive_avg_pool(%e, size = 4)
            %g = global_avg_pool(%f)
            %y = flatten(%g)
            return %y
        "), @r#"
        %a = max_pool(%image, size = 1, stride = 2)
        %c = pad(%a, padding = [0, 1, 0, 0])
        %d = resize(%c, size = [4, 10], rounding = "round_prefer_floor")
        %e = channel_shuffle(%d, groups = 2)
        %f = adaptive_avg_pool(%e, size = 4)
        %g = reduce_mean(%f, axes = [1, 2])
        %y = reshape(%g, shape = [4])
        return %y
        // d: `upsample` as `resize`
        // g: `global_avg_pool` as `reduce_mean`
        // y: `flatten` as `reshape`
        "#);
    }

    #[test]
    fn a_global_pool_of_one_pixel_does_nothing() {
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
            %a = global_max_pool(%image)
            %b = global_avg_pool(%a)
            %y = flatten(%b)
            return %y
        "), @r"
        %a = reduce_max(%image, axes = [1, 2])
        %y = reshape(%a, shape = [4])
        return %y
        // a: `global_max_pool` as `reduce_max`
        // b: `global_avg_pool` as `reduce_mean`
        // y: `flatten` as `reshape`
        // b: dropped: there is only one element along its axes
        ");
    }

    #[test]
    fn what_reorders_or_resizes_may_do_nothing() {
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
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
        %g = reduce_mean(%f, axes = [1, 2])
        %k = transpose(%g, order = [1, 0, 2])
        %y = reduce_mean(%k)
        return %y
        // g: `global_avg_pool` as `reduce_mean`
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
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %y = dropout(%c1)
            return %y
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        return y = %c1
        // y: `dropout` as `identity`
        // y: dropped: an identity
        ");
    }

    #[test]
    fn every_output_keeps_a_node_of_its_own() {
        insta::assert_snapshot!(after(&[&Expand, &DropIdentities], "
            %c1 = conv(%image, filters = 4, kernel = 3)
            %y = dropout(%c1)
            %z = identity(%vector)
            return %c1, %y, %z
        "), @r"
        %c1 = conv(%image, filters = 4, kernel = 3)
        %y = identity(%c1)
        %z = identity(%vector)
        return %c1, %y, %z
        // y: `dropout` as `identity`
        // y: left as it is: it is an output, and `c1` is another
        // z: left as it is: it is an output, and copies the input `vector` there
        ");
    }
}
