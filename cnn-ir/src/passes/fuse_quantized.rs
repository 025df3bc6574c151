//! `quantize` of what is computed from `dequantize`d integers: layers that compute with the integers.

use std::collections::HashMap;

use super::rewrite::{absorb, shared};
use super::{Note, Pass};
use crate::graph::{Graph, NodeId};
use crate::op::{
    Activation, Combine, CombineKind, Conv, Dense, MOST_PRODUCTS, Op, PoolKind, Quantize, QuantizedAdd, QuantizedConv,
    QuantizedDense,
};
use crate::shape::Shape;
use crate::validate::Shapes;
use crate::value::ElementType;

/// Lets convolutions, dense layers, sums and pools between `dequantize` and `quantize` compute with the integers.
#[derive(Clone, Copy, Debug)]
pub struct FuseQuantized;

impl Pass for FuseQuantized {
    fn name(&self) -> &'static str {
        "fuse_quantized"
    }

    fn lesson(&self) -> &'static str {
        "Between two layers of integers nothing needs to be a real number: the scales of operand, weights and result become \
         one factor for each filter, applied to a complete sum of integer products. An 8-bit map is a quarter of the \
         memory traffic, and one instruction multiplies four times as many 8-bit integers as floats."
    }

    fn run(&self, graph: &mut Graph, shapes: &Shapes) -> Vec<Note> {
        let mut notes = Vec::new();
        // What the results of fused layers are now.
        let mut fused: HashMap<NodeId, ElementType> = HashMap::new();
        for id in graph.order().unwrap_or_default() {
            let Op::Quantize(Quantize { to }) = graph[id].op else {
                continue;
            };
            let layer = graph.operands(id)[0];
            let op = match of_integers(graph, shapes, &fused, layer, id) {
                Ok(op) => op,
                Err(why) => {
                    notes.push(Note::refused(&graph[id].name, why));
                    continue;
                }
            };
            let integers: Vec<NodeId> = (graph.operands(layer).iter())
                .map(|&operand| graph.operands(operand)[0])
                .collect();
            graph.set_operands(layer, &integers);
            let what = format!("`{}` computes with 8-bit integers", graph[layer].name);
            graph[layer].op = match op {
                Fused::Conv(conv) => Op::QuantizedConv(QuantizedConv { conv, to }),
                Fused::Dense(dense) => Op::QuantizedDense(QuantizedDense { dense, to }),
                Fused::Add(activation) => Op::QuantizedAdd(QuantizedAdd { activation, to }),
                Fused::Same(op) => op,
            };
            fused.insert(layer, ElementType::U8(to));
            absorb(graph, layer, id);
            notes.push(Note::applied(&graph[layer].name, what));
        }
        // What nobody needs any more.
        for id in graph.order().unwrap_or_default().into_iter().rev() {
            if matches!(graph[id].op, Op::Dequantize(_)) && graph.users(id).is_empty() && !graph.is_output(id) {
                graph.remove(id);
            }
        }
        notes
    }
}

/// What a layer between `dequantize` and `quantize` becomes.
enum Fused {
    Conv(Conv),
    Dense(Dense),
    Add(Option<Activation>),
    /// It only moves or compares elements.
    Same(Op),
}

/// The layer as one of integers, or why it is none.
fn of_integers(
    graph: &Graph,
    shapes: &Shapes,
    fused: &HashMap<NodeId, ElementType>,
    layer: NodeId,
    quantize: NodeId,
) -> Result<Fused, String> {
    let name = &graph[layer].name;
    if let Some(why) = shared(graph, layer, quantize) {
        return Err(why);
    }
    let to = shapes.value(quantize).element;
    let operands = graph.operands(layer);
    if let Some(&other) = (operands.iter()).find(|&&operand| !matches!(graph[operand].op, Op::Dequantize(_))) {
        return Err(format!(
            "`{name}` computes with `{}`, which is no `dequantize`",
            graph[other].name
        ));
    }
    let cuts_off = |activation: Option<Activation>| {
        let cut = to.quantisation().is_some_and(|to| to.bounds(activation).is_some());
        match activation {
            Some(other) if !cut => Err(format!(
                "`{name}` applies `{}`, which does more than cut off",
                other.name()
            )),
            _ => Ok(activation),
        }
    };
    let same = || {
        let integers = operands.iter().map(|&operand| graph.operands(operand)[0]);
        let mut elements = integers.map(|id| *fused.get(&id).unwrap_or(&shapes.value(id).element));
        match elements.all(|element| element == to) {
            true => Ok(()),
            false => Err(format!(
                "operands and result of `{name}` have different scales or zero points"
            )),
        }
    };
    let sum = |products: usize, quantized: bool| match (quantized, products) {
        (false, _) => Err(format!("the weights of `{name}` are not `quantized`")),
        (true, ..=MOST_PRODUCTS) => Ok(()),
        (true, _) => Err(format!("a sum of {products} products in `{name}` may not fit 32 bits")),
    };
    match &graph[layer].op {
        Op::Conv(conv) => {
            let channels = shapes[operands[0]].channels();
            sum(conv.weight_dims(channels)[1..].iter().product(), conv.quantized)?;
            if conv.groups > 1 && !(conv.groups == channels && conv.filters == channels) {
                return Err(format!("`{name}` has groups of several channels"));
            }
            if conv.norm.is_some() || conv.residual {
                return Err(format!("`{name}` has a batch norm or a residual"));
            }
            cuts_off(conv.activation)?;
            Ok(Fused::Conv(conv.clone()))
        }
        Op::Dense(dense) => {
            sum(shapes[operands[0]].elements(), dense.quantized)?;
            if dense.norm.is_some() {
                return Err(format!("`{name}` has a batch norm"));
            }
            cuts_off(dense.activation)?;
            Ok(Fused::Dense(dense.clone()))
        }
        Op::Combine(Combine {
            kind: CombineKind::Add,
            activation,
        }) if operands.len() == 2 && one_shape(shapes, &operands) => Ok(Fused::Add(cuts_off(*activation)?)),
        op @ (Op::Concat(_) | Op::Reshape(_)) => same().map(|()| Fused::Same(op.clone())),
        Op::Pool(pool) if !matches!(pool.kind, PoolKind::Avg { .. }) => {
            same().map(|()| Fused::Same(Op::Pool(pool.clone())))
        }
        op => Err(format!(
            "`{name}` is of the kind `{}`, which computes with real numbers",
            op.name()
        )),
    }
}

fn one_shape(shapes: &Shapes, operands: &[NodeId]) -> bool {
    let shapes: Vec<Shape> = operands.iter().map(|&operand| shapes[operand]).collect();
    shapes.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::after;
    use crate::passes::{FuseActivation, FuseResidual};

    #[test]
    fn a_residual_block_computes_with_integers() {
        insta::assert_snapshot!(after(&[&FuseActivation, &FuseResidual, &FuseQuantized], "
            %q = quantize(%image, scale = 0.5, zero_point = 128)
            %x = dequantize(%q)
            %c = conv(%x, filters = 4, kernel = 3, padding = 1, quantized = true)
            %r = relu(%c)
            %qr = quantize(%r, scale = 0.25)
            %dr = dequantize(%qr)
            %p = max_pool(%dr, size = 3, stride = 1, padding = 1)
            %qp = quantize(%p, scale = 0.25)
            %dp = dequantize(%qp)
            %s = add(%dp, %x)
            %qs = quantize(%s, scale = 0.75)
            %ds = dequantize(%qs)
            %y = tanh(%ds)
            return %y
        "), @r#"
        %q = quantize(%image, scale = 0.5, zero_point = 128)
        %qr = quantized_conv(%q, filters = 4, kernel = 3, padding = 1, activation = "relu", scale = 0.25, weights = "c")
        %qp = max_pool(%qr, size = 3, stride = 1, padding = 1)
        %qs = quantized_add(%qp, %q, scale = 0.75)
        %ds = dequantize(%qs)
        %y = tanh(%ds)
        return %y
        // r: applied by `c` as it writes its result
        // y: left as it is: `ds` is of the kind `dequantize`, which applies no activation
        // s: left as it is: `dp` is no convolution; `x` is no convolution
        // q: left as it is: `image` is of the kind `input`, which computes with real numbers
        // qr: `r` computes with 8-bit integers
        // qp: `p` computes with 8-bit integers
        // qs: `s` computes with 8-bit integers
        "#);
    }

    #[test]
    fn refuses_with_a_reason() {
        insta::assert_snapshot!(after(&[&FuseActivation, &FuseQuantized], "
            %q = quantize(%image, scale = 0.5)
            %x = dequantize(%q)
            %floats = conv(%x, filters = 3, kernel = 1)
            %qf = quantize(%floats, scale = 0.25)
            %df = dequantize(%qf)
            %tanh = conv(%df, filters = 4, kernel = 1, quantized = true, activation = \"tanh\")
            %qt = quantize(%tanh, scale = 0.25)
            %dt = dequantize(%qt)
            %grouped = conv(%dt, filters = 4, kernel = 1, groups = 2, quantized = true)
            %qg = quantize(%grouped, scale = 0.25)
            %dg = dequantize(%qg)
            %p = max_pool(%dg, size = 2)
            %qp = quantize(%p, scale = 0.5)
            %y = dequantize(%qp)
            return %y
        "), @r#"
        %q = quantize(%image, scale = 0.5)
        %x = dequantize(%q)
        %floats = conv(%x, filters = 3, kernel = 1)
        %qf = quantize(%floats, scale = 0.25)
        %df = dequantize(%qf)
        %tanh = conv(%df, filters = 4, kernel = 1, quantized = true, activation = "tanh")
        %qt = quantize(%tanh, scale = 0.25)
        %dt = dequantize(%qt)
        %grouped = conv(%dt, filters = 4, kernel = 1, groups = 2, quantized = true)
        %qg = quantize(%grouped, scale = 0.25)
        %dg = dequantize(%qg)
        %p = max_pool(%dg, size = 2)
        %qp = quantize(%p, scale = 0.5)
        %y = dequantize(%qp)
        return %y
        // q: left as it is: `image` is of the kind `input`, which computes with real numbers
        // qf: left as it is: the weights of `floats` are not `quantized`
        // qt: left as it is: `tanh` applies `tanh`, which does more than cut off
        // qg: left as it is: `grouped` has groups of several channels
        // qp: left as it is: operands and result of `p` have different scales or zero points
        "#);
    }
}
