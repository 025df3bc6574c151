//! Batch norm into the weights of the layer before it.

use super::rewrite::{absorb, shared};
use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{FoldedNorm, Op};
use crate::validate::Shapes;

/// Folds a batch norm into the convolution or dense layer whose result it normalises.
#[derive(Clone, Copy, Debug)]
pub struct FoldBatchNorm;

impl Pass for FoldBatchNorm {
    fn name(&self) -> &'static str {
        "fold_batch_norm"
    }

    fn lesson(&self) -> &'static str {
        "At inference a batch norm multiplies each channel by one number and adds another. A convolution before it is \
         linear, so scaling its weights and moving its bias once, at load, does the same: w' = w·γ/√(σ²+ε), \
         b' = (b−μ)·γ/√(σ²+ε) + β."
    }

    fn run(&self, graph: &mut Graph, _: &Shapes) -> Vec<Note> {
        let mut notes = Vec::new();
        for id in graph.order().unwrap_or_default() {
            let Op::BatchNorm(norm) = graph[id].op else { continue };
            let operand = graph.operands(id)[0];
            if let Some(why) = obstacle(graph, operand, id) {
                notes.push(Note::refused(&graph[id].name, why));
                continue;
            }
            let folded = FoldedNorm {
                weights: graph[id].weights.clone(),
                epsilon: norm.epsilon,
            };
            let op = &mut graph[operand].op;
            if let Op::Conv(conv) = op {
                conv.norm = Some(folded);
            } else if let Op::ConvTranspose(conv) = op {
                conv.norm = Some(folded);
            } else if let Op::Dense(dense) = op {
                dense.norm = Some(folded);
            }
            op.set_activation(norm.activation);
            let what = format!("folded into the weights of `{}`", graph[operand].name);
            absorb(graph, operand, id);
            notes.push(Note::applied(&graph[operand].name, what));
        }
        notes
    }
}

/// Why the batch norm `norm` cannot be folded into `layer`.
fn obstacle(graph: &Graph, layer: NodeId, norm: NodeId) -> Option<String> {
    let name = &graph[layer].name;
    let op = &graph[layer].op;
    let (folded, residual) = if let Op::Conv(conv) = op {
        (conv.norm.is_some(), conv.residual)
    } else if let Op::ConvTranspose(conv) = op {
        (conv.norm.is_some(), false)
    } else if let Op::Dense(dense) = op {
        (dense.norm.is_some(), false)
    } else {
        return Some(format!(
            "`{name}` is no convolution or dense layer, so it has no weights to fold into"
        ));
    };
    if op.activation().is_some() {
        Some(format!("`{name}` applies an activation first"))
    } else if residual {
        Some(format!("`{name}` adds a residual first"))
    } else if folded {
        Some(format!("`{name}` has a batch norm folded in already"))
    } else {
        shared(graph, layer, norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::FuseActivation;
    use crate::passes::testing::after;

    #[test]
    fn folds_into_a_convolution_and_a_dense_layer() {
        insta::assert_snapshot!(after(&[&FoldBatchNorm], "
            %conv1 = conv(%image, filters = 4, kernel = 3, bias = false, weights = \"features.0\")
            %bn1 = batch_norm(%conv1, epsilon = 0.001, activation = \"relu\", weights = \"features.1\")
            %fc = dense(%vector, units = 5)
            %bn2 = batch_norm(%fc)
            %up = conv_transpose(%bn1, filters = 2, kernel = 2, stride = 2)
            %bn3 = batch_norm(%up, activation = \"relu\")
            return %bn2, %bn3
        "), @r#"
        %bn1 = conv(%image, filters = 4, kernel = 3, bias = false, activation = "relu", norm = { weights = "features.1", epsilon = 0.001 }, weights = "features.0")
        %bn2 = dense(%vector, units = 5, norm = { weights = "bn2", epsilon = 1e-5 }, weights = "fc")
        %bn3 = conv_transpose(%bn1, filters = 2, kernel = 2, stride = 2, activation = "relu", norm = { weights = "bn3", epsilon = 1e-5 }, weights = "up")
        return %bn2, %bn3
        // bn1: folded into the weights of `conv1`
        // bn2: folded into the weights of `fc`
        // bn3: folded into the weights of `up`
        "#);
    }

    #[test]
    fn refuses_with_a_reason() {
        insta::assert_snapshot!(after(&[&FoldBatchNorm], "
            %pool = max_pool(%image, size = 2)
            %no_weights = batch_norm(%pool)
            %active = conv(%no_weights, filters = 4, kernel = 1, activation = \"relu\")
            %not_linear = batch_norm(%active)
            %once = conv(%not_linear, filters = 4, kernel = 1)
            %folded = batch_norm(%once)
            %twice = batch_norm(%folded)
            %seen = conv(%twice, filters = 4, kernel = 1)
            %of_an_output = batch_norm(%seen)
            %used = conv(%of_an_output, filters = 4, kernel = 1)
            %of_a_used_one = batch_norm(%used)
            %sum = conv(%of_a_used_one, %used, filters = 4, kernel = 1, residual = true)
            %after_a_sum = batch_norm(%sum)
            return %after_a_sum, %seen
        "), @r#"
        %pool = max_pool(%image, size = 2)
        %no_weights = batch_norm(%pool)
        %active = conv(%no_weights, filters = 4, kernel = 1, activation = "relu")
        %not_linear = batch_norm(%active)
        %folded = conv(%not_linear, filters = 4, kernel = 1, norm = { weights = "folded", epsilon = 1e-5 }, weights = "once")
        %twice = batch_norm(%folded)
        %seen = conv(%twice, filters = 4, kernel = 1)
        %of_an_output = batch_norm(%seen)
        %used = conv(%of_an_output, filters = 4, kernel = 1)
        %of_a_used_one = batch_norm(%used)
        %sum = conv(%of_a_used_one, %used, filters = 4, kernel = 1, residual = true)
        %after_a_sum = batch_norm(%sum)
        return %after_a_sum, %seen
        // no_weights: left as it is: `pool` is no convolution or dense layer, so it has no weights to fold into
        // not_linear: left as it is: `active` applies an activation first
        // folded: folded into the weights of `once`
        // twice: left as it is: `folded` has a batch norm folded in already
        // of_an_output: left as it is: the result of `seen` is an output of the network
        // of_a_used_one: left as it is: the result of `used` is used by `sum` too
        // after_a_sum: left as it is: `sum` adds a residual first
        "#);
    }

    #[test]
    fn the_activation_between_convolution_and_batch_norm_is_not_skipped() {
        insta::assert_snapshot!(after(&[&FoldBatchNorm, &FuseActivation], "
            %c = conv(%image, filters = 4, kernel = 3)
            %r = relu(%c)
            %bn = batch_norm(%r)
            %y = tanh(%bn)
            return %y
        "), @r#"
        %r = conv(%image, filters = 4, kernel = 3, activation = "relu", weights = "c")
        %y = batch_norm(%r, activation = "tanh", weights = "bn")
        return %y
        // bn: left as it is: `r` is no convolution or dense layer, so it has no weights to fold into
        // r: applied by `c` as it writes its result
        // y: applied by `bn` as it writes its result
        "#);
    }
}
