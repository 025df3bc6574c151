//! All functions of a plan, its steps and its sizes, as items.

use cnn_runtime::steps::{Base, Call};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::function::step_function;
use super::tile::tile_items;
use crate::loops::Program;
use crate::plan::Plan;
use crate::tile::SpecError;

/// Functions and tables: `AVX2` (with `machine_code`), `PORTABLE`, `CALLS`, `OPERANDS`.
pub(super) fn tables(plan: &Plan, program: &Program, machine_code: bool) -> Result<TokenStream, SpecError> {
    let tiles = program
        .kernels
        .iter()
        .enumerate()
        .map(|(index, spec)| tile_items(index, spec, machine_code))
        .collect::<Result<TokenStream, _>>()?;
    let names: Vec<Ident> = program
        .functions
        .iter()
        .map(|(name, _)| format_ident!("{name}"))
        .collect();
    let functions = program.functions.iter().zip(&names);
    let functions = functions.map(|((_, function), name)| {
        let body = step_function(name, function);
        let portable = instance(name, false);
        let fast = machine_code.then(|| instance(name, true));
        quote!(#body #portable #fast)
    });
    let avx2 = machine_code.then(|| {
        let names = names.iter().map(|name| format_ident!("{name}_avx2"));
        quote! {
            #[cfg(target_arch = "x86_64")]
            static AVX2: &[rt::StepFn] = &[#(#names),*];
            #[cfg(not(target_arch = "x86_64"))]
            static AVX2: &[rt::StepFn] = &[];
        }
    });
    let portable = names.iter().map(|name| format_ident!("{name}_portable"));
    let calls = program.calls(plan);
    let calls = calls.iter().map(call);
    let operands = program.most_operands();
    Ok(quote! {
        #tiles
        #(#functions)*
        #avx2
        static PORTABLE: &[rt::StepFn] = &[#(#portable),*];
        static CALLS: &[rt::Call] = &[#(#calls),*];
        const OPERANDS: usize = #operands;
    })
}

/// A step's function compiled for an instruction set.
fn instance(name: &Ident, fast: bool) -> TokenStream {
    let (instance, attributes) = if fast {
        let attributes = quote!(#[cfg(target_arch = "x86_64")] #[target_feature(enable = "avx2,fma")]);
        (format_ident!("{name}_avx2"), attributes)
    } else {
        (format_ident!("{name}_portable"), TokenStream::new())
    };
    quote! {
        #attributes
        unsafe extern "C" fn #instance(operands: *const *mut u8, first: usize, end: usize, scratch: *mut u8) {
            unsafe { #name::<#fast>(operands, first, end, scratch) }
        }
    }
}

fn call(call: &Call<Vec<Base>>) -> TokenStream {
    let Call {
        function,
        operands,
        items,
        scratch,
        divide,
    } = call;
    let operands = operands.iter().map(|&base| match base {
        Base::Arena(offset) => quote!(rt::Base::Arena(#offset)),
        Base::Constant(offset) => quote!(rt::Base::Constant(#offset)),
        Base::Input(index) => quote!(rt::Base::Input(#index)),
        Base::Output(index) => quote!(rt::Base::Output(#index)),
    });
    quote! {
        rt::Call {
            function: #function,
            operands: &[#(#operands),*],
            items: #items,
            scratch: #scratch,
            divide: #divide,
        }
    }
}
