//! All functions of a plan, its steps and its sizes, as items.

use cnn_runtime::steps::{Base, Call};
use cnn_types::InstructionSet;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::calls::variant;
use super::function::step_function;
use super::tile::tile_items;
use crate::loops::Program;
use crate::plan::Plan;
use crate::tile::SpecError;

/// Functions and tables: `FUNCTIONS` of all `sets`, `CALLS`, `OPERANDS`. The last set is the portable one.
pub(super) fn tables(plan: &Plan, program: &Program, sets: &[InstructionSet]) -> Result<TokenStream, SpecError> {
    let tiles = program
        .kernels
        .iter()
        .enumerate()
        .map(|(index, spec)| tile_items(index, spec, sets.contains(&spec.isa)))
        .collect::<Result<TokenStream, _>>()?;
    let names: Vec<Ident> = program
        .functions
        .iter()
        .map(|(name, _)| format_ident!("{name}"))
        .collect();
    let functions = program.functions.iter().zip(&names);
    let functions = functions.map(|((_, function), name)| {
        let body = step_function(name, function);
        let instances = sets.iter().map(|&set| instance(name, set));
        quote!(#body #(#instances)*)
    });
    let of_each = sets.iter().map(|&set| {
        let (attributes, variant) = (condition(set), variant(set));
        let names = names.iter().map(|name| instance_name(name, set));
        quote!(#attributes (rt::InstructionSet::#variant, &[#(#names),*]))
    });
    let calls = program.calls(plan);
    let calls = calls.iter().map(call);
    let operands = program.most_operands();
    Ok(quote! {
        #tiles
        #(#functions)*
        static FUNCTIONS: &[(rt::InstructionSet, &[rt::StepFn])] = &[#(#of_each),*];
        static CALLS: &[rt::Call] = &[#(#calls),*];
        const OPERANDS: usize = #operands;
    })
}

/// A step's function compiled for an instruction set.
fn instance(name: &Ident, set: InstructionSet) -> TokenStream {
    let (condition, instance, variant) = (condition(set), instance_name(name, set), variant(set));
    let features = match set {
        InstructionSet::Portable => TokenStream::new(),
        InstructionSet::Avx2 => quote!(#[target_feature(enable = "avx2,fma")]),
        InstructionSet::Avx512 => quote!(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]),
    };
    quote! {
        #condition
        #features
        unsafe extern "C" fn #instance(operands: *const *mut u8, first: usize, end: usize, scratch: *mut u8) {
            unsafe { #name::<rt::#variant>(operands, first, end, scratch) }
        }
    }
}

fn instance_name(name: &Ident, set: InstructionSet) -> Ident {
    format_ident!("{name}_{}", set.name())
}

/// Where the set exists at all.
fn condition(set: InstructionSet) -> TokenStream {
    match set {
        InstructionSet::Portable => TokenStream::new(),
        InstructionSet::Avx2 | InstructionSet::Avx512 => quote!(#[cfg(target_arch = "x86_64")]),
    }
}

fn call(call: &Call<Vec<Base>>) -> TokenStream {
    let Call {
        function,
        operands,
        tasks,
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
            tasks: #tasks,
            scratch: #scratch,
            divide: #divide,
        }
    }
}
