//! Calls of the runtime's functions from emitted code.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use cnn_ir::op::Activation;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::lrn::LrnRow;
use cnn_runtime::kernels::winograd::{InputTransform, OutputTransform, Winograd};

use super::function::{address, constant, int};
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
            let (row, from, to) = (lrn_row(*row), address(*from), address(*to));
            quote!(rt::lrn_symbol(rt::isa::<S>())(#from.cast(), #to.cast(), &#row);)
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
            let InputTransform {
                src: _,
                row_stride,
                src_block_stride,
                rows,
                columns,
                pad_top,
                pad_left,
                tiles_across,
                first_tile: _,
                tiles: _,
                blocks,
                dst: _,
                xi_stride,
                dst_block_stride,
                tile_stride,
            } = *shape;
            quote! {
                rt::Winograd::#variant.input_symbol(rt::isa::<S>())(&rt::InputTransform {
                    src: #from.cast(),
                    row_stride: #row_stride,
                    src_block_stride: #src_block_stride,
                    rows: #rows,
                    columns: #columns,
                    pad_top: #pad_top,
                    pad_left: #pad_left,
                    tiles_across: #tiles_across,
                    first_tile: #first_tile as usize,
                    tiles: #tiles as usize,
                    blocks: #blocks,
                    dst: #to.cast(),
                    xi_stride: #xi_stride,
                    dst_block_stride: #dst_block_stride,
                    tile_stride: #tile_stride,
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
            let OutputTransform {
                src: _,
                xi_stride,
                src_block_stride,
                tile_stride,
                dst: _,
                row_stride,
                dst_block_stride,
                rows,
                columns,
                tiles_across,
                first_tile: _,
                tiles: _,
                blocks,
                bias: _,
                residual: _,
                residual_row_stride,
                residual_block_stride,
                activation: _,
            } = *shape;
            let activation = match activation.map(self::activation) {
                Some(activation) => quote!(&const { #activation }),
                None => quote!(::core::ptr::null()),
            };
            quote! {
                rt::Winograd::#variant.output_symbol(rt::isa::<S>())(&rt::OutputTransform {
                    src: #from.cast(),
                    xi_stride: #xi_stride,
                    src_block_stride: #src_block_stride,
                    tile_stride: #tile_stride,
                    dst: #to.cast(),
                    row_stride: #row_stride,
                    dst_block_stride: #dst_block_stride,
                    rows: #rows,
                    columns: #columns,
                    tiles_across: #tiles_across,
                    first_tile: #first_tile as usize,
                    tiles: #tiles as usize,
                    blocks: #blocks,
                    bias: #bias.cast(),
                    residual: #residual,
                    residual_row_stride: #residual_row_stride,
                    residual_block_stride: #residual_block_stride,
                    activation: #activation,
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

/// The variant's name.
pub(super) fn variant_name(variant: Winograd) -> Ident {
    format_ident!("{variant:?}")
}

fn lrn_row(row: LrnRow) -> TokenStream {
    let LrnRow {
        pixels,
        channels,
        src_block_stride,
        dst_block_stride,
        down,
        up,
        alpha_over_size,
        beta,
        k,
    } = row;
    let [alpha_over_size, beta, k] = [alpha_over_size, beta, k].map(constant);
    quote! {
        rt::LrnRow {
            pixels: #pixels,
            channels: #channels,
            src_block_stride: #src_block_stride,
            dst_block_stride: #dst_block_stride,
            down: #down,
            up: #up,
            alpha_over_size: #alpha_over_size,
            beta: #beta,
            k: #k,
        }
    }
}
