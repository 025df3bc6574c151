//! Activations into the layer that computes their operand.

use super::rewrite::{absorb, shared};
use super::{Note, Pass};
use crate::graph::{Graph, Node, NodeId};
use crate::op::{Activation, Op};
use crate::validate::Shapes;

/// Attaches an activation layer to the convolution, dense layer, batch norm, sum, product … before it.
#[derive(Clone, Copy, Debug)]
pub struct FuseActivation;

impl Pass for FuseActivation {
    fn name(&self) -> &'static str {
        "fuse_activation"
    }

    fn lesson(&self) -> &'static str {
        "A layer of its own would read and write the whole map for one or two operations an element. Applied while \
         the element is still in a register, the activation costs no memory traffic at all."
    }

    fn run(&self, graph: &mut Graph, _: &Shapes) -> Vec<Note> {
        let mut notes = Vec::new();
        for id in graph.order().unwrap_or_default() {
            let Op::Activation(activation) = graph[id].op else {
                continue;
            };
            let operand = graph.operands(id)[0];
            if let Some(why) = obstacle(graph, operand, id, activation) {
                notes.push(Note::refused(&graph[id].name, why));
                continue;
            }
            if !graph[operand].op.set_activation(Some(activation)) {
                let Node { name, op, .. } = &graph[operand];
                let why = format!("`{name}` is of the kind `{}`, which applies no activation", op.name());
                notes.push(Note::refused(&graph[id].name, why));
                continue;
            }
            let what = format!("applied by `{}` as it writes its result", graph[operand].name);
            absorb(graph, operand, id);
            notes.push(Note::applied(&graph[operand].name, what));
        }
        notes
    }
}

/// Why `layer` cannot apply the activation of the node `id`.
fn obstacle(graph: &Graph, layer: NodeId, id: NodeId, activation: Activation) -> Option<String> {
    let Node { name, op, .. } = &graph[layer];
    if op.activation().is_some() {
        Some(format!("`{name}` applies an activation already"))
    } else if !activation.is_finite_at_zero() {
        let function = activation.name();
        Some(format!(
            "`{function}` has no value at 0, which lanes without a channel hold"
        ))
    } else {
        shared(graph, layer, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;

    #[test]
    fn attaches_to_all_that_can_carry_one() {
        insta::assert_snapshot!(after(&[&FuseActivation], "
            %c = conv(%image, filters = 4, kernel = 3)
            %c_act = leaky_relu(%c, alpha = 0.2)
            %bn = batch_norm(%c_act)
            %bn_act = gelu(%bn)
            %sum = add(%c_act, %bn_act)
            %sum_act = relu(%sum)
            %product = mul(%sum_act, %c_act)
            %product_act = clip(%product, min = -1, max = 1)
            %less = sub(%product_act, %c_act)
            %less_act = selu(%less)
            %up = conv_transpose(%less_act, filters = 2, kernel = 2)
            %up_act = hard_sigmoid(%up, alpha = 0.2)
            %fc = dense(%vector, units = 5)
            %fc_act = tanh(%fc)
            return %up_act, y = %fc_act
        "), @r#"
        %c_act = conv(%image, filters = 4, kernel = 3, activation = { op = "leaky_relu", alpha = 0.2 }, weights = "c")
        %bn_act = batch_norm(%c_act, activation = "gelu", weights = "bn")
        %sum_act = add(%c_act, %bn_act, activation = "relu")
        %product_act = mul(%sum_act, %c_act, activation = { op = "clip", min = -1.0, max = 1.0 })
        %less_act = sub(%product_act, %c_act, activation = "selu")
        %up_act = conv_transpose(%less_act, filters = 2, kernel = 2, activation = { op = "hard_sigmoid", alpha = 0.2 }, weights = "up")
        %fc_act = dense(%vector, units = 5, activation = "tanh", weights = "fc")
        return %up_act, y = %fc_act
        // c_act: applied by `c` as it writes its result
        // bn_act: applied by `bn` as it writes its result
        // sum_act: applied by `sum` as it writes its result
        // product_act: applied by `product` as it writes its result
        // less_act: applied by `less` as it writes its result
        // up_act: applied by `up` as it writes its result
        // fc_act: applied by `fc` as it writes its result
        "#);
    }

    #[test]
    fn refuses_with_a_reason() {
        insta::assert_snapshot!(after(&[&FuseActivation], "
            %first = relu(%image)
            %c = conv(%first, filters = 4, kernel = 3, activation = \"relu\")
            %second = tanh(%c)
            %pool = max_pool(%second, size = 2)
            %third = relu(%pool)
            %seen = conv(%third, filters = 4, kernel = 1)
            %fourth = relu(%seen)
            %used = conv(%fourth, filters = 4, kernel = 1)
            %fifth = sigmoid(%used)
            %y = mul(%used, %fifth)
            return %y, %seen
        "), @r#"
        %first = relu(%image)
        %c = conv(%first, filters = 4, kernel = 3, activation = "relu")
        %second = tanh(%c)
        %pool = max_pool(%second, size = 2)
        %third = relu(%pool)
        %seen = conv(%third, filters = 4, kernel = 1)
        %fourth = relu(%seen)
        %used = conv(%fourth, filters = 4, kernel = 1)
        %fifth = sigmoid(%used)
        %y = mul(%used, %fifth)
        return %y, %seen
        // first: left as it is: `image` is of the kind `input`, which applies no activation
        // second: left as it is: `c` applies an activation already
        // third: left as it is: `pool` is of the kind `max_pool`, which applies no activation
        // fourth: left as it is: the result of `seen` is an output of the network
        // fifth: left as it is: the result of `used` is used by `y` too
        "#);
    }
}
