//! Weight recipes as Rust expressions.

use cnn_runtime::pack::{
    ChannelOrder, FilterSource, FixedPanels, Integers, Norm, Panels, Recipe, Transposed, WinogradFilters,
};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::calls::variant_name;

pub(super) fn recipe(recipe: &Recipe) -> TokenStream {
    match recipe {
        Recipe::Panels { filters, panels: order } => {
            let (filters, panels) = (filter_source(filters), panels(order));
            quote!(rt::Recipe::Panels { filters: #filters, panels: #panels })
        }
        Recipe::Fixed { filters, panels } => {
            let filters = filter_source(filters);
            let FixedPanels { vectors, block } = *panels;
            quote! {
                rt::Recipe::Fixed {
                    filters: #filters,
                    panels: rt::FixedPanels { vectors: #vectors, block: #block },
                }
            }
        }
        Recipe::Winograd { filters, transformed } => {
            let filters = filter_source(filters);
            let WinogradFilters {
                variant,
                vectors,
                parts,
            } = *transformed;
            let variant = variant_name(variant);
            quote! {
                rt::Recipe::Winograd {
                    filters: #filters,
                    transformed: rt::WinogradFilters {
                        variant: rt::Winograd::#variant,
                        vectors: #vectors,
                        parts: #parts,
                    },
                }
            }
        }
        Recipe::Integers { filters, integers } => {
            let filters = filter_source(filters);
            let Integers {
                scales,
                from,
                to_scale,
                depthwise,
            } = integers;
            let (scale, zero_point) = (Literal::f32_suffixed(from.scale), from.zero_point);
            let to_scale = Literal::f32_suffixed(*to_scale);
            quote! {
                rt::Recipe::Integers {
                    filters: #filters,
                    integers: rt::Integers {
                        scales: #scales.into(),
                        from: rt::Quantisation { scale: #scale, zero_point: #zero_point },
                        to_scale: #to_scale,
                        depthwise: #depthwise,
                    },
                }
            }
        }
        Recipe::Lanewise { filters } => {
            let filters = filter_source(filters);
            quote!(rt::Recipe::Lanewise { filters: #filters })
        }
        Recipe::ScaleShift { norm: source, channels } => {
            let norm = norm(source);
            quote!(rt::Recipe::ScaleShift { norm: #norm, channels: #channels })
        }
        Recipe::Tensor { name, shape } => {
            quote!(rt::Recipe::Tensor { name: #name.into(), shape: ::std::vec![#(#shape),*] })
        }
    }
}

fn filter_source(source: &FilterSource) -> TokenStream {
    let FilterSource {
        weight,
        shape,
        bias,
        norm: folded,
        transposed: other,
    } = source;
    let shape = shape.iter();
    let bias = option(bias.as_ref().map(|name| quote!(#name.into())));
    let norm = option(folded.as_ref().map(norm));
    let transposed = option(other.as_ref().map(transposed));
    quote! {
        rt::FilterSource {
            weight: #weight.into(),
            shape: ::std::vec![#(#shape),*],
            bias: #bias,
            norm: #norm,
            transposed: #transposed,
        }
    }
}

fn transposed(transposed: &Transposed) -> TokenStream {
    let Transposed {
        kernel: [height, width],
        groups,
        rows,
        columns,
    } = transposed;
    let [rows, columns] = [rows, columns].map(|taps| {
        let taps = taps.iter().map(|tap| option(tap.map(|tap| quote!(#tap))));
        quote!(::std::vec![#(#taps),*])
    });
    quote! {
        rt::Transposed {
            kernel: [#height, #width],
            groups: #groups,
            rows: #rows,
            columns: #columns,
        }
    }
}

fn norm(norm: &Norm) -> TokenStream {
    let Norm { prefix, epsilon } = norm;
    let epsilon = Literal::f64_suffixed(*epsilon);
    quote!(rt::Norm { prefix: #prefix.into(), epsilon: #epsilon })
}

fn panels(panels: &Panels) -> TokenStream {
    let Panels {
        vectors,
        groups,
        order,
        first_channels,
        k_blocks,
    } = panels;
    let order = match order {
        ChannelOrder::Planar => quote!(rt::ChannelOrder::Planar),
        ChannelOrder::Blocked { lanes } => quote!(rt::ChannelOrder::Blocked { lanes: #lanes }),
    };
    // Most panels see all channels: a table of many zeros is said shortly.
    let first_channels = match first_channels.as_slice() {
        [first, rest @ ..] if rest.iter().all(|channel| channel == first) => {
            let len = first_channels.len();
            quote!(::std::vec![#first; #len])
        }
        channels => quote!(::std::vec![#(#channels),*]),
    };
    quote! {
        rt::Panels {
            vectors: #vectors,
            groups: #groups,
            order: #order,
            first_channels: #first_channels,
            k_blocks: ::std::vec![#(#k_blocks),*],
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
