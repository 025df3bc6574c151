//! Calls of the runtime's functions from emitted code.

use cnn_types::InstructionSet;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use cnn_ir::op::Activation;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::kernels::{Field, Number};

use super::values::{address, constant, int};
use crate::loops::Call;

pub(super) fn call(call: &Call) -> TokenStream {
    match call {
        Call::Row {
            function,
            from,
            to,
            floats,
        } => {
            let [first, second] = function.parameters().map(constant);
            let (function, from, to) = (row_function(*function), address(*from), address(*to));
            quote! {
                #function.symbol(rt::isa::<S>())(#from.cast(), #to.cast(), #floats, #first, #second);
            }
        }
        Call::Softmax { log, from, to, floats } => {
            let (from, to) = (address(*from), address(*to));
            quote!(rt::softmax_symbol(rt::isa::<S>(), #log)(#from.cast(), #to.cast(), #floats);)
        }
        Call::Lrn { row, from, to } => {
            let (row, from, to) = (parameters("LrnRow", row.fields()), address(*from), address(*to));
            quote!(rt::lrn_symbol(rt::isa::<S>())(#from.cast(), #to.cast(), &#row);)
        }
        Call::Task {
            kernel,
            input,
            other,
            output,
            task,
        } => {
            let [variant, shape] = kernel.rust_names();
            let mut fields = Vec::new();
            kernel.fields(&mut |field| fields.push(field));
            let (variant, shape) = (format_ident!("{variant}"), parameters(shape, fields));
            let [input, other, output] = [input, other, output].map(|place| address(*place));
            let task = int(*task);
            quote! {
                rt::Kernel::#variant(#shape).run(
                    rt::isa::<S>(), #input.cast(), #other.cast(), #output.cast(), #task as usize,
                );
            }
        }
        Call::WinogradInput {
            variant,
            shape,
            from,
            to,
            first_tile,
            tiles,
        } => {
            let variant = variant_name(*variant);
            let (from, to, first_tile, tiles) = (address(*from), address(*to), int(*first_tile), int(*tiles));
            let shape = parameters("InputShape", shape.fields());
            quote! {
                rt::Winograd::#variant.input_symbol(rt::isa::<S>())(&rt::InputTransform {
                    src: #from.cast(),
                    dst: #to.cast(),
                    first_tile: #first_tile as usize,
                    tiles: #tiles as usize,
                    shape: #shape,
                });
            }
        }
        Call::WinogradOutput {
            variant,
            shape,
            from,
            to,
            bias,
            residual,
            activation,
            first_tile,
            tiles,
        } => {
            let variant = variant_name(*variant);
            let (from, to, bias) = (address(*from), address(*to), address(*bias));
            let (first_tile, tiles) = (int(*first_tile), int(*tiles));
            let residual = match residual.map(address) {
                Some(residual) => quote!(#residual.cast()),
                None => quote!(::core::ptr::null()),
            };
            let shape = parameters("OutputShape", shape.fields());
            let activation = match activation.map(self::activation) {
                Some(activation) => quote!(&const { #activation }),
                None => quote!(::core::ptr::null()),
            };
            quote! {
                rt::Winograd::#variant.output_symbol(rt::isa::<S>())(&rt::OutputTransform {
                    src: #from.cast(),
                    dst: #to.cast(),
                    bias: #bias.cast(),
                    residual: #residual,
                    activation: #activation,
                    first_tile: #first_tile as usize,
                    tiles: #tiles as usize,
                    shape: #shape,
                });
            }
        }
    }
}

fn row_function(function: RowFunction) -> TokenStream {
    match function {
        RowFunction::Exp => quote!(rt::RowFunction::Exp),
        RowFunction::Log => quote!(rt::RowFunction::Log),
        RowFunction::Activation(function) => {
            let function = activation(function);
            quote!(rt::RowFunction::Activation(#function))
        }
    }
}

/// An activation as an expression.
pub(super) fn activation(activation: Activation) -> TokenStream {
    let [first, second] = activation.parameters().map(constant);
    let variant = match activation {
        Activation::Relu => quote!(Relu),
        Activation::Relu6 => quote!(Relu6),
        Activation::Tanh => quote!(Tanh),
        Activation::Sigmoid => quote!(Sigmoid),
        Activation::Silu => quote!(Silu),
        Activation::Gelu { tanh } => quote!(Gelu { tanh: #tanh }),
        Activation::HardSigmoid { .. } => quote!(HardSigmoid { alpha: #first, beta: #second }),
        Activation::HardSwish => quote!(HardSwish),
        Activation::Softplus => quote!(Softplus),
        Activation::LeakyRelu { .. } => quote!(LeakyRelu { alpha: #first }),
        Activation::Elu { .. } => quote!(Elu { alpha: #first }),
        Activation::Selu => quote!(Selu),
        Activation::Clip { .. } => quote!(Clip { min: #first, max: #second }),
        Activation::Mish => quote!(Mish),
        Activation::Celu { .. } => quote!(Celu { alpha: #first }),
        Activation::Softsign => quote!(Softsign),
        Activation::ThresholdedRelu { .. } => quote!(ThresholdedRelu { alpha: #first }),
        Activation::Shrink { .. } => quote!(Shrink { lambda: #first, bias: #second }),
        Activation::Affine { .. } => quote!(Affine { alpha: #first, beta: #second }),
        Activation::Exp => quote!(Exp),
        Activation::Log => quote!(Log),
        Activation::Sqrt => quote!(Sqrt),
        Activation::Reciprocal => quote!(Reciprocal),
        Activation::Pow { .. } => quote!(Pow { exponent: #first }),
        Activation::Abs => quote!(Abs),
        Activation::Sign => quote!(Sign),
        Activation::Erf => quote!(Erf),
        Activation::Floor => quote!(Floor),
        Activation::Ceil => quote!(Ceil),
        Activation::Round => quote!(Round),
    };
    quote!(rt::Activation::#variant)
}

/// The set's variant of `rt::InstructionSet`, and its type in `rt`.
pub(super) fn variant(set: InstructionSet) -> Ident {
    format_ident!("{set:?}")
}

/// The variant's name.
pub(super) fn variant_name(variant: Winograd) -> Ident {
    format_ident!("{variant:?}")
}

/// A struct of the runtime's as an expression.
fn parameters(name: &str, fields: impl IntoIterator<Item = Field>) -> TokenStream {
    let name = format_ident!("{name}");
    let fields = fields.into_iter().map(|field| {
        let name = format_ident!("{}", field.name);
        match field.value {
            Number::Count(count) => quote!(#name: #count),
            Number::Float(float) => {
                let float = constant(float);
                quote!(#name: #float)
            }
        }
    });
    quote!(rt::#name { #(#fields,)* })
}
