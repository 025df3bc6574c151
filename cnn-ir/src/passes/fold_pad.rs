//! Zero borders into the padding of the window that slides over them.

use super::rewrite::shared;
use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{Op, Pad, PadMode, Padding, PoolKind, Sides};
use crate::shape::Shape;
use crate::validate::Shapes;

/// Folds a border of zeros into the convolution or average pool that reads it.
#[derive(Clone, Copy, Debug)]
pub struct FoldPad;

impl Pass for FoldPad {
    fn name(&self) -> &'static str {
        "fold_pad"
    }

    fn lesson(&self) -> &'static str {
        "A convolution already knows how to slide over zeros that are not there. A pad before it would copy the whole \
         map only to write those zeros down."
    }

    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note> {
        let mut notes = Vec::new();
        // Backwards, so that of two pads in a row both are folded.
        for id in graph.order().unwrap_or_default().into_iter().rev() {
            let Op::Pad(pad) = graph[id].op else { continue };
            let name = graph[id].name.clone();
            let operand = graph.operands(id)[0];
            match fold(graph, id, &pad, shapes[operand], shapes[id]) {
                Ok((user, op)) => {
                    graph[user].op = op;
                    graph.replace_uses(id, operand);
                    graph.remove(id);
                    notes.push(Note::applied(
                        name,
                        format!("folded into the padding of `{}`", graph[user].name),
                    ));
                }
                Err(why) => notes.push(Note::refused(name, why)),
            }
        }
        notes.reverse();
        notes
    }
}

/// The only user of the pad `id` and the operator that it becomes, or why there is none. `x` and `padded` are the
/// shapes before and after the pad.
fn fold(graph: &Graph, id: NodeId, pad: &Pad, x: Shape, padded: Shape) -> Result<(NodeId, Op), String> {
    let users = graph.users(id);
    let Some(&(user, position)) = users.first() else {
        return Err("it is an output of the network".into());
    };
    if pad.mode != PadMode::Constant {
        return Err("its border holds elements of the map".into());
    }
    if pad.value != 0.0 {
        return Err(format!("it fills with {}, not with 0", pad.value));
    }
    if let Some(why) = shared(graph, id, user) {
        return Err(why);
    }
    let Shape::Map { height, width, .. } = padded else {
        return Err("it is no map".into());
    };
    let name = &graph[user].name;
    let whole = &graph[user].op;
    if let Op::Conv(conv) = whole {
        if position != 0 {
            return Err(format!("`{name}` adds it as a residual"));
        }
        let mut conv = conv.clone();
        let own = conv
            .padding
            .resolve(height, width, conv.kernel, conv.stride, conv.dilation);
        conv.padding = Padding::Explicit(sum(own, pad.sides));
        Ok((user, Op::Conv(conv)))
    } else if let Op::Pool(pool) = whole {
        let PoolKind::Avg { count_include_pad } = pool.kind else {
            return Err(format!(
                "`{name}` compares elements, and its own padding never wins, unlike a 0"
            ));
        };
        let own = pool
            .padding
            .resolve(height, width, pool.size, pool.stride, pool.dilation);
        if !count_include_pad && own != Sides::default() {
            return Err(format!(
                "`{name}` would have to count these zeros but not its own padding"
            ));
        }
        let mut pool = pool.clone();
        pool.kind = PoolKind::Avg {
            count_include_pad: true,
        };
        pool.padding = Padding::Explicit(sum(own, pad.sides));
        // A window must meet the input, and start inside it when their number rounds up: the zeros are no part
        // of it any more.
        let op = Op::Pool(pool);
        if op.shape(&[x]).ok() != whole.shape(&[padded]).ok() {
            return Err(format!("`{name}` has windows that lie on these zeros alone"));
        }
        Ok((user, op))
    } else {
        Err(format!("`{name}` is no convolution or average pool"))
    }
}

/// Both borders together.
fn sum(inner: Sides, outer: Sides) -> Sides {
    Sides {
        top: inner.top + outer.top,
        left: inner.left + outer.left,
        bottom: inner.bottom + outer.bottom,
        right: inner.right + outer.right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;

    #[test]
    fn sums_up_with_the_padding_of_a_convolution() {
        insta::assert_snapshot!(after(&[&FoldPad], "
            %p = pad(%image, padding = [0, 1, 2, 3])
            %y = conv(%p, filters = 4, kernel = 3, padding = 1)
            return %y
        "), @r"
        %y = conv(%image, filters = 4, kernel = 3, padding = [1, 2, 3, 4])
        return %y
        // p: folded into the padding of `y`
        ");
    }

    #[test]
    fn same_is_resolved_for_the_padded_size() {
        // 11 rows and columns, stride 2: 6 windows reach over 5·2 + 3 = 13.
        insta::assert_snapshot!(after(&[&FoldPad], "
            %p = pad(%image, padding = [1, 1, 2, 2])
            %y = conv(%p, filters = 4, kernel = 3, stride = 2, padding = \"same\")
            return %y
        "), @r"
        %y = conv(%image, filters = 4, kernel = 3, stride = 2, padding = [2, 2, 3, 3])
        return %y
        // p: folded into the padding of `y`
        ");
    }

    #[test]
    fn two_in_a_row_are_both_folded() {
        insta::assert_snapshot!(after(&[&FoldPad], "
            %p = pad(%image, padding = 1)
            %q = pad(%p, padding = [0, 0, 1, 1])
            %y = conv(%q, filters = 4, kernel = 3)
            return %y
        "), @r"
        %y = conv(%image, filters = 4, kernel = 3, padding = [1, 1, 2, 2])
        return %y
        // p: folded into the padding of `y`
        // q: folded into the padding of `y`
        ");
    }

    #[test]
    fn zeros_count_in_the_mean_as_padding_may() {
        insta::assert_snapshot!(after(&[&FoldPad], "
            %p = pad(%image, padding = 1)
            %a = avg_pool(%p, size = 3, stride = 2)
            %q = pad(%image, padding = 1)
            %b = avg_pool(%q, size = 5, stride = 2, padding = 1, count_include_pad = true)
            return %a, %b
        "), @r"
        %a = avg_pool(%image, size = 3, stride = 2, padding = 1, count_include_pad = true)
        %b = avg_pool(%image, size = 5, stride = 2, padding = 2, count_include_pad = true)
        return %a, %b
        // p: folded into the padding of `a`
        // q: folded into the padding of `b`
        ");
    }

    #[test]
    fn refuses_with_a_reason() {
        insta::assert_snapshot!(after(&[&FoldPad], "
            %ones = pad(%image, padding = 1, value = 1)
            %a = conv(%ones, filters = 4, kernel = 3)
            %before_max = pad(%a, padding = 1)
            %b = max_pool(%before_max, size = 3)
            %twice = pad(%b, padding = 1)
            %c = conv(%twice, filters = 4, kernel = 3)
            %d = conv(%twice, filters = 4, kernel = 3)
            %seen = pad(%d, padding = 1)
            %e = conv(%seen, filters = 4, kernel = 3)
            %counted = pad(%e, padding = 1)
            %f = avg_pool(%counted, size = 3, padding = 1)
            %wide = pad(%f, padding = 2)
            %g = avg_pool(%wide, size = 2, stride = 1)
            %last = pad(%g, padding = 1)
            return %c, %seen, %last
        "), @r"
        %ones = pad(%image, padding = 1, value = 1.0)
        %a = conv(%ones, filters = 4, kernel = 3)
        %before_max = pad(%a, padding = 1)
        %b = max_pool(%before_max, size = 3)
        %twice = pad(%b, padding = 1)
        %c = conv(%twice, filters = 4, kernel = 3)
        %d = conv(%twice, filters = 4, kernel = 3)
        %seen = pad(%d, padding = 1)
        %e = conv(%seen, filters = 4, kernel = 3)
        %counted = pad(%e, padding = 1)
        %f = avg_pool(%counted, size = 3, padding = 1)
        %wide = pad(%f, padding = 2)
        %g = avg_pool(%wide, size = 2, stride = 1)
        %last = pad(%g, padding = 1)
        return %c, %seen, %last
        // ones: left as it is: it fills with 1, not with 0
        // before_max: left as it is: `b` compares elements, and its own padding never wins, unlike a 0
        // twice: left as it is: the result of `twice` is used by `d` too
        // seen: left as it is: the result of `seen` is an output of the network
        // counted: left as it is: `f` would have to count these zeros but not its own padding
        // wide: left as it is: `g` has windows that lie on these zeros alone
        // last: left as it is: it is an output of the network
        ");
    }
}
