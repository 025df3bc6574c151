//! Tile kernels as Rust: the JIT's instructions as a naked function, and a table for the runtime's portable tile.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::calls::{self, variant};
use crate::tile::{self, Init, Loop, Pixel, Product, SpecError, TileSpec};

/// The items of the kernel `tile_N`: the function that steps call, and what it chooses from. Without `machine_code`
/// only the portable one.
pub(super) fn tile_items(index: usize, spec: &TileSpec, machine_code: bool) -> Result<TokenStream, SpecError> {
    let name = format_ident!("tile_{index}");
    let portable = portable_table(spec);
    let (pixels, vectors) = (spec.pixels.len(), spec.vectors);
    let set = variant(spec.isa);
    let (assembled, choice) = if machine_code {
        let fast = format_ident!("tile_{index}_{}", spec.isa.name());
        let assembler = assembler(&tile::text(&tile::lower(spec)?));
        let assembled = quote! {
            #[cfg(target_arch = "x86_64")]
            #[unsafe(naked)]
            unsafe extern "sysv64" fn #fast(_: *mut u8, _: *mut u8, _: *mut u8, _: *mut u8, _: *mut u8) {
                ::core::arch::naked_asm!(#assembler)
            }
        };
        let choice = quote! {
            #[cfg(target_arch = "x86_64")]
            if let rt::InstructionSet::#set = S::SET {
                return unsafe { #fast(input, weights, output, residual, ahead) };
            }
        };
        (assembled, choice)
    } else {
        (TokenStream::new(), TokenStream::new())
    };
    Ok(quote! {
        #assembled

        #[inline(always)]
        unsafe fn #name<S: rt::Instructions>([input, weights, output, residual, ahead]: [*mut u8; 5]) {
            #choice
            static TILE: rt::Tile<#pixels, #vectors> = #portable;
            _ = ahead;
            unsafe { rt::tile(&TILE, [input, weights, output, residual]) }
        }
    })
}

/// Lines of assembler as one raw string, so that a listing shows one instruction a line.
fn assembler(lines: &[String]) -> TokenStream {
    let text = format!("r#\"\n{}\n\"#", lines.join("\n"));
    // Assembler has no quotes: the text is always one literal.
    text.parse().unwrap_or_else(|_| quote!(#(#lines),*))
}

fn portable_table(spec: &TileSpec) -> TokenStream {
    let TileSpec {
        isa: _,
        product,
        vectors,
        pixels,
        output_vectors,
        residual_vectors,
        loops,
        taps,
        init,
        residual,
        activation,
        prefetch: _,
    } = spec;
    let int = |value: i32| Literal::i32_unsuffixed(value);
    let product = match product {
        Product::Broadcast => quote!(Broadcast),
        Product::Lanewise => quote!(Lanewise),
        Product::Fixed => quote!(Fixed),
    };
    let pixels = pixels.iter().map(|pixel| {
        let Pixel {
            input,
            output,
            residual,
        } = *pixel;
        let [input, output, residual] = [input, output, residual].map(int);
        quote!([#input, #output, #residual])
    });
    let vectors = (0..*vectors).map(|vector| {
        let output = int(output_vectors[vector]);
        let residual = int(residual_vectors.get(vector).copied().unwrap_or(0));
        quote!([#output, #residual])
    });
    let loops = loops.iter().map(|&Loop { count, input_step }| {
        let (count, step) = (Literal::u32_unsuffixed(count), Literal::i64_unsuffixed(input_step));
        quote!((#count, #step))
    });
    let taps = taps.iter().map(|&tap| int(tap));
    let (bias, accumulate) = (*init == Init::Bias, *init == Init::Output);
    let activation = match activation {
        None => quote!(::core::option::Option::None),
        Some(activation) => {
            let activation = calls::activation(*activation);
            quote!(::core::option::Option::Some(#activation))
        }
    };
    quote! {
        rt::Tile {
            product: rt::Product::#product,
            pixels: [#(#pixels),*],
            vectors: [#(#vectors),*],
            loops: &[#(#loops),*],
            taps: &[#(#taps),*],
            bias: #bias,
            accumulate: #accumulate,
            residual: #residual,
            activation: #activation,
        }
    }
}
