//! From ONNX nodes to layers: one file a family of operators. Differences between versions of the operator set are
//! resolved here.

mod activation;
mod along;
mod combine;
mod computed;
mod conv;
mod dense;
mod einsum;
mod form;
mod function;
mod gather;
mod mask;
mod norm;
mod part;
mod pool;
mod quantize;
mod recurrent;
mod reduce;
mod refused;
mod resample;
mod resize;
mod window;

use cnn_ir::op::Meaning;

use crate::node::{Node, Outputs};
use crate::value::Known;

pub(crate) use combine::broadcast_dims;
pub(crate) use form::full_dims;

/// How an operator's nodes become layers.
type Lower = fn(&mut Node<'_>) -> Outputs;

/// The operators that become layers.
const OPERATORS: &[(&str, Lower)] = &[
    ("Abs", |node| function::function(node, "abs", &[])),
    ("Add", |node| combine::binary(node, "add")),
    ("And", |node| mask::compare(node, "and")),
    ("ArgMax", |node| along::extreme(node, "arg_max")),
    ("ArgMin", |node| along::extreme(node, "arg_min")),
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
    ("CumSum", along::cumsum),
    ("DepthToSpace", resize::depth_to_space),
    ("DequantizeLinear", quantize::dequantize_linear),
    ("Div", |node| combine::binary(node, "div")),
    ("Dropout", dropout),
    ("Einsum", einsum::einsum),
    ("Elu", activation::elu),
    ("Equal", |node| mask::compare(node, "equal")),
    ("Erf", |node| function::function(node, "erf", &[])),
    ("Exp", |node| function::function(node, "exp", &[])),
    ("Expand", form::expand),
    ("Flatten", form::flatten),
    ("Floor", |node| function::function(node, "floor", &[])),
    ("GRU", |node| recurrent::recurrent(node, &recurrent::GRU)),
    ("Gather", gather::gather),
    ("GatherElements", gather::gather_elements),
    ("Gelu", activation::gelu),
    ("Gemm", dense::gemm),
    ("GlobalAveragePool", |node| pool::global(node, "global_avg_pool")),
    ("GlobalMaxPool", |node| pool::global(node, "global_max_pool")),
    ("Greater", |node| mask::compare(node, "greater")),
    ("GreaterOrEqual", |node| mask::compare(node, "greater_equal")),
    ("GroupNormalization", norm::group_norm),
    ("HardSigmoid", activation::hard_sigmoid),
    ("HardSwish", |node| activation::unary(node, "hard_swish", Vec::new())),
    ("Identity", identity),
    ("InstanceNormalization", norm::instance_norm),
    ("LRN", norm::lrn),
    ("LSTM", |node| recurrent::recurrent(node, &recurrent::LSTM)),
    ("LayerNormalization", norm::layer_norm),
    ("LeakyRelu", activation::leaky_relu),
    ("Less", |node| mask::compare(node, "less")),
    ("LessOrEqual", |node| mask::compare(node, "less_equal")),
    ("Log", |node| function::function(node, "log", &[])),
    ("LogSoftmax", |node| norm::softmax(node, "log_softmax")),
    ("LpNormalization", norm::lp_norm),
    ("MatMul", dense::matmul),
    ("Max", |node| combine::variadic(node, "max")),
    ("MaxPool", pool::max_pool),
    ("Mean", combine::mean),
    ("MeanVarianceNormalization", norm::mean_variance_norm),
    ("Min", |node| combine::variadic(node, "min")),
    ("Mish", |node| function::function(node, "mish", &[])),
    ("Mul", |node| combine::binary(node, "mul")),
    ("Neg", |node| function::function(node, "neg", &[])),
    ("Not", |node| activation::unary(node, "not", Vec::new())),
    ("OneHot", mask::one_hot),
    ("Or", |node| mask::compare(node, "or")),
    ("PRelu", activation::prelu),
    ("Pad", part::pad),
    ("Pow", function::pow),
    ("QLinearConv", quantize::conv),
    ("QLinearMatMul", quantize::matmul),
    ("QuantizeLinear", quantize::quantize_linear),
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
    ("Tile", along::tile),
    ("TopK", along::top_k),
    ("Transpose", form::transpose),
    ("Unsqueeze", form::unsqueeze),
    ("Upsample", resize::upsample),
    ("Where", mask::choose),
    ("Xor", |node| mask::compare(node, "xor")),
    ("Constant", only_constants),
    ("ConstantOfShape", only_constants),
];

/// Operators that are understood between constants only.
const FOLDED: [&str; 6] = ["Mod", "Range", "Shape", "Size", "Constant", "ConstantOfShape"];

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

/// Everything is computed in single precision: between types of floats nothing happens, truth values are ones and zeros,
/// and what becomes an integer loses its fraction.
fn cast(node: &mut Node<'_>) -> Outputs {
    ["saturate", "round_mode"]
        .iter()
        .for_each(|name| node.attributes.ignore(name));
    let to = node.attributes.optional_int("to")?.ok_or("attribute `to` is missing")?;
    let value = node.value(0)?;
    let whole = matches!(value.data.meaning, Meaning::Indices | Meaning::Mask);
    match to {
        // An answer of indices would be integers.
        1 | 10 | 11 | 16 if whole => activation::unary(node, "affine", Vec::new()),
        1 | 10 | 11 | 16 => identity(node),
        2..=7 | 12 | 13 if whole => identity(node),
        2..=7 | 12 | 13 => {
            let magnitude = function::helped(node, "abs", &value)?;
            let magnitude = function::helped(node, "floor", &magnitude)?;
            let sign = function::helped(node, "sign", &value)?;
            combine::combined(node, "mul", &[Known::Value(magnitude), Known::Value(sign)])
        }
        9 if value.data.meaning == Meaning::Mask => identity(node),
        9 => {
            let zero = Known::Constant(function::one_number(0.0));
            combine::combined(node, "not_equal", &[Known::Value(value), zero])
        }
        _ => Err(format!(
            "casts to data type {to}; floats, integers and truth values are possible"
        )),
    }
}
