//! From ONNX nodes to layers: one file a family of operators. Differences between versions of the operator set are
//! resolved here.

mod activation;
mod combine;
mod computed;
mod conv;
mod dense;
mod form;
mod function;
mod norm;
mod part;
mod pool;
mod recurrent;
mod reduce;
mod refused;
mod resample;
mod resize;
mod window;

use crate::node::{Node, Outputs};

pub(crate) use combine::broadcast_dims;
pub(crate) use form::full_dims;

/// How an operator's nodes become layers.
type Lower = fn(&mut Node<'_>) -> Outputs;

/// The operators that become layers.
const OPERATORS: &[(&str, Lower)] = &[
    ("Abs", |node| function::function(node, "abs", &[])),
    ("Add", |node| combine::binary(node, "add")),
    ("AveragePool", pool::average_pool),
    ("BatchNormalization", norm::batch_norm),
    ("Cast", cast),
    ("Ceil", |node| function::function(node, "ceil", &[])),
    ("Celu", |node| function::function(node, "celu", &[("alpha", 1.0)])),
    ("Clip", activation::clip),
    ("Concat", part::concat),
    ("Conv", conv::conv),
    ("ConvTranspose", conv::conv_transpose),
    ("Cos", |node| function::function(node, "cos", &[])),
    ("DepthToSpace", resize::depth_to_space),
    ("Div", |node| combine::binary(node, "div")),
    ("Dropout", dropout),
    ("Elu", activation::elu),
    ("Erf", |node| function::function(node, "erf", &[])),
    ("Exp", |node| function::function(node, "exp", &[])),
    ("Expand", form::expand),
    ("Flatten", form::flatten),
    ("Floor", |node| function::function(node, "floor", &[])),
    ("GRU", |node| recurrent::recurrent(node, &recurrent::GRU)),
    ("Gather", part::gather),
    ("Gelu", activation::gelu),
    ("Gemm", dense::gemm),
    ("GlobalAveragePool", |node| pool::global(node, "global_avg_pool")),
    ("GlobalMaxPool", |node| pool::global(node, "global_max_pool")),
    ("GroupNormalization", norm::group_norm),
    ("HardSigmoid", activation::hard_sigmoid),
    ("HardSwish", |node| activation::unary(node, "hard_swish", Vec::new())),
    ("Identity", identity),
    ("InstanceNormalization", norm::instance_norm),
    ("LRN", norm::lrn),
    ("LSTM", |node| recurrent::recurrent(node, &recurrent::LSTM)),
    ("LayerNormalization", norm::layer_norm),
    ("LeakyRelu", activation::leaky_relu),
    ("Log", |node| function::function(node, "log", &[])),
    ("LogSoftmax", |node| norm::softmax(node, "log_softmax")),
    ("LpNormalization", norm::lp_norm),
    ("MatMul", dense::matmul),
    ("Max", |node| combine::variadic(node, "max")),
    ("MaxPool", pool::max_pool),
    ("MeanVarianceNormalization", norm::mean_variance_norm),
    ("Min", |node| combine::variadic(node, "min")),
    ("Mish", |node| function::function(node, "mish", &[])),
    ("Mul", |node| combine::binary(node, "mul")),
    ("Neg", |node| function::function(node, "neg", &[])),
    ("PRelu", activation::prelu),
    ("Pad", part::pad),
    ("Pow", function::pow),
    ("RMSNormalization", norm::rms_norm),
    ("Reciprocal", |node| function::function(node, "reciprocal", &[])),
    ("ReduceL1", |node| reduce::reduce(node, "reduce_l1")),
    ("ReduceL2", |node| reduce::reduce(node, "reduce_l2")),
    ("ReduceLogSumExp", |node| reduce::reduce(node, "reduce_log_sum_exp")),
    ("ReduceMax", |node| reduce::reduce(node, "reduce_max")),
    ("ReduceMean", |node| reduce::reduce(node, "reduce_mean")),
    ("ReduceMin", |node| reduce::reduce(node, "reduce_min")),
    ("ReduceProd", |node| reduce::reduce(node, "reduce_prod")),
    ("ReduceSum", |node| reduce::reduce(node, "reduce_sum")),
    ("ReduceSumSquare", |node| reduce::reduce(node, "reduce_sum_square")),
    ("Relu", |node| activation::unary(node, "relu", Vec::new())),
    ("Reshape", form::reshape),
    ("Resize", resize::resize),
    ("Round", |node| function::function(node, "round", &[])),
    ("Selu", activation::selu),
    ("Shrink", |node| {
        function::function(node, "shrink", &[("lambda", 0.5), ("bias", 0.0)])
    }),
    ("Sigmoid", |node| activation::unary(node, "sigmoid", Vec::new())),
    ("Sign", |node| function::function(node, "sign", &[])),
    ("Sin", |node| function::function(node, "sin", &[])),
    ("Slice", part::slice),
    ("Softmax", |node| norm::softmax(node, "softmax")),
    ("Softplus", |node| activation::unary(node, "softplus", Vec::new())),
    ("Softsign", |node| function::function(node, "softsign", &[])),
    ("SpaceToDepth", resize::space_to_depth),
    ("Split", part::split),
    ("Sqrt", |node| function::function(node, "sqrt", &[])),
    ("Squeeze", form::squeeze),
    ("Sub", |node| combine::binary(node, "sub")),
    ("Sum", |node| combine::variadic(node, "add")),
    ("Swish", activation::swish),
    ("Tanh", |node| activation::unary(node, "tanh", Vec::new())),
    ("ThresholdedRelu", |node| {
        function::function(node, "thresholded_relu", &[("alpha", 1.0)])
    }),
    ("Transpose", form::transpose),
    ("Unsqueeze", form::unsqueeze),
    ("Upsample", resize::upsample),
    ("Constant", only_constants),
    ("ConstantOfShape", only_constants),
];

/// Operators that are understood between constants only.
const FOLDED: [&str; 14] = [
    "And",
    "CumSum",
    "Equal",
    "Greater",
    "Less",
    "Mod",
    "Not",
    "Or",
    "Range",
    "Shape",
    "Size",
    "Where",
    "Constant",
    "ConstantOfShape",
];

/// Makes a node layers, with an account of all its attributes.
pub(crate) fn lower(node: &mut Node<'_>) -> Outputs {
    let lower = find(&node.message.op_type, &node.message.domain)?;
    let outputs = lower(node)?;
    node.attributes.finish()?;
    Ok(outputs)
}

/// How an operator becomes layers.
///
/// # Errors
/// What would be accepted instead.
pub(crate) fn find(op: &str, domain: &str) -> Result<Lower, String> {
    if !matches!(domain, "" | "ai.onnx") {
        return Err(format!(
            "operators of the domain {} are not known; those of ONNX itself are",
            crate::error::quoted(domain)
        ));
    }
    if let Some((_, lower)) = OPERATORS.iter().find(|(name, _)| *name == op) {
        return Ok(*lower);
    }
    if FOLDED.contains(&op) {
        return Ok(only_constants);
    }
    Err(refused::refusal(op, OPERATORS.iter().map(|(name, _)| *name)))
}

fn only_constants(_: &mut Node<'_>) -> Outputs {
    Err("this operator can be imported between constants only, not on what the network computes".to_owned())
}

fn identity(node: &mut Node<'_>) -> Outputs {
    Ok(vec![node.input(0)?.clone()])
}

fn dropout(node: &mut Node<'_>) -> Outputs {
    node.one_output("the mask")?;
    ["ratio", "seed"].iter().for_each(|name| node.attributes.ignore(name));
    if let Some(training) = node.optional_constant(2, "`training_mode`")?
        && training.scalar()? != 0.0
    {
        return Err("`training_mode` is true; a network that runs has it false".to_owned());
    }
    identity(node)
}

/// Between types of floats nothing happens: everything is computed in single precision.
fn cast(node: &mut Node<'_>) -> Outputs {
    ["saturate", "round_mode"]
        .iter()
        .for_each(|name| node.attributes.ignore(name));
    let to = node.attributes.optional_int("to")?.ok_or("attribute `to` is missing")?;
    match to {
        1 | 10 | 11 | 16 => identity(node),
        _ => Err(format!("casts to data type {to}; floats are possible")),
    }
}
