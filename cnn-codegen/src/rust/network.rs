//! The methods of a network: how it is loaded and run, with functions and tables.

use cnn_types::InstructionSet;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::error::EmitError;
use super::ports::Ports;
use super::recipe::recipe;
use super::tables::tables;
use crate::isa::facts;
use crate::loops::Program;
use crate::plan::{Plan, Port};

/// Where an emitted network's memory comes from.
#[derive(Clone, Debug)]
pub enum Memory {
    /// The system: weights are packed when they are loaded, arenas are allocated, threads may share a run.
    System,
    /// The system, but for the weights: they are packed already. The tokens are an expression of type `&[u8; N]`.
    Embedded(TokenStream),
    /// The caller, without an allocator: `run_with` takes the arena. The weights are given to `new`, packed.
    Caller,
    /// The same, with the packed weights in the program.
    CallerEmbedded(TokenStream),
}

impl Memory {
    /// The fields of the struct `name`.
    pub(super) fn fields(&self, name: &Ident, runtime: &TokenStream) -> TokenStream {
        match self {
            Memory::System | Memory::Embedded(_) => quote!((#runtime::Network<#name>)),
            Memory::Caller => quote!((&'static #runtime::Aligned<[u8; #name::WEIGHTS_BYTES]>)),
            Memory::CallerEmbedded(_) => quote!((())),
        }
    }
}

/// Plan → the methods of the type `name`, and the functions and tables behind them: an item that names nothing outside
/// of itself. `runtime` is the path of cnn-runtime's `emitted`.
///
/// # Errors
/// [`EmitError`]
pub(super) fn methods(
    plan: &Plan,
    name: &Ident,
    memory: &Memory,
    runtime: &TokenStream,
) -> Result<TokenStream, EmitError> {
    let program = Program::new(plan).map_err(EmitError::Plan)?;
    let sets: &[InstructionSet] = match facts(plan.isa).machine_code {
        true => &[plan.isa, InstructionSet::Portable],
        false => &[InstructionSet::Portable],
    };
    let tables = tables(plan, &program, sets)?;
    let ports = Ports::new(plan);
    let (definition, methods) = match memory {
        Memory::System => (Some(definition(plan, true)), system_methods(&ports, None)),
        Memory::Embedded(weights) => (Some(definition(plan, false)), system_methods(&ports, Some(weights))),
        Memory::Caller => (None, caller_methods(&ports, None)),
        Memory::CallerEmbedded(weights) => (None, caller_methods(&ports, Some(weights))),
    };
    let declared = definition.as_ref().map(|_| declared(plan, name));
    let (arena, scratch, constants) = (plan.arena_bytes, plan.scratch_bytes(), plan.constant_bytes);
    // Not expected: which of them code falls under depends on the network.
    let lints = quote!(allow(
        unsafe_code,
        unused,
        clippy::all,
        clippy::pedantic,
        reason = "a compiler's output"
    ));
    Ok(quote! {
        #[#lints]
        const _: () = {
            use #runtime as rt;

            #tables

            const RUN_BYTES: usize = #arena;
            const SCRATCH_BYTES: usize = #scratch;
            const CONSTANT_BYTES: usize = #constants;

            #definition

            impl #name {
                #methods
            }

            #declared
        };
    })
}

/// What the type is to code that takes any network.
fn declared(plan: &Plan, name: &Ident) -> TokenStream {
    let shapes = |ports: &[Port]| {
        let shapes = ports.iter().map(|port| {
            let dims = port.dims();
            quote!(&[#(#dims),*])
        });
        quote!(&[#(#shapes),*])
    };
    let (batch, inputs, outputs) = (plan.batch, shapes(&plan.inputs), shapes(&plan.outputs));
    quote! {
        // SAFETY: these are the plan's, as the definition is.
        unsafe impl rt::Declared for #name {
            const BATCH: usize = #batch;
            const INPUTS: &'static [&'static [usize]] = #inputs;
            const OUTPUTS: &'static [&'static [usize]] = #outputs;

            fn network(&self) -> &rt::Network<Self> {
                &self.0
            }
        }
    }
}

/// `DEFINITION`, and with `load` the recipes of its weights.
fn definition(plan: &Plan, load: bool) -> TokenStream {
    let threads = plan.threads;
    let recipes = plan.constants.iter().filter(|_| load).map(|constant| {
        let (offset, recipe) = (constant.offset, recipe(&constant.recipe));
        quote!((#offset, #recipe))
    });
    quote! {
        fn recipes() -> ::std::vec::Vec<(usize, rt::Recipe)> {
            ::std::vec![#(#recipes),*]
        }

        static DEFINITION: rt::Definition = rt::Definition {
            functions: FUNCTIONS,
            calls: CALLS,
            size: rt::RunSize { arena_bytes: RUN_BYTES, scratch_bytes: SCRATCH_BYTES, operands: OPERANDS },
            recipes,
            constant_bytes: CONSTANT_BYTES,
            threads: #threads,
        };
    }
}

/// Methods of a network with memory from the system.
fn system_methods(ports: &Ports, embedded: Option<&TokenStream>) -> TokenStream {
    let Ports {
        parameters,
        arguments,
        places,
        results,
        inputs,
        outputs,
        output,
        input_lengths,
        output_lengths,
        ..
    } = ports;
    let (declared, returned) = (ports.declared(), ports.returned());
    let batch_method = ports.batch_method();
    let arena_methods = ports.arena_methods(&quote! {
        let mut pointers = [::core::ptr::null_mut(); OPERANDS];
        // SAFETY: the plan behind the definition was verified, these are arrays of its sizes, and the arena is as
        // large and aligned as it must be.
        unsafe {
            self.0.run_in(arena.as_mut_ptr(), &[#(#inputs),*], &mut [#(#outputs),*], &mut pointers);
        }
    });
    let load = match embedded {
        None => quote! {
            /// Packs the weights into the order in which they are read.
            ///
            /// # Errors
            /// Tensors that are missing or have another shape, all of them; too little memory.
            pub fn load(weights: &dyn rt::WeightSource) -> ::core::result::Result<Self, rt::LoadError> {
                // SAFETY: the definition is this type's, and its plan was verified.
                unsafe { rt::Network::load(&DEFINITION, weights) }.map(Self)
            }
        },
        Some(weights) => quote! {
            /// The network with the weights it was compiled with.
            ///
            /// # Errors
            /// Too little memory.
            pub fn load() -> ::core::result::Result<Self, rt::LoadError> {
                static WEIGHTS: rt::Aligned<[u8; CONSTANT_BYTES]> = rt::Aligned(*#weights);
                // SAFETY: the definition is this type's, and its plan was verified; the weights are aligned.
                unsafe { rt::Network::embedded(&DEFINITION, &WEIGHTS.0) }.map(Self)
            }
        },
    };
    quote! {
        #load

        /// Shares each run between so many threads; 0 means one per core. Results stay the same to the bit.
        ///
        /// # Errors
        /// Threads cannot be started, too little memory.
        pub fn with_threads(self, threads: usize) -> ::core::result::Result<Self, rt::LoadError> {
            self.0.with_threads(threads).map(Self)
        }

        /// Without the instructions that only some processors have.
        #[must_use]
        pub fn portable(self) -> Self {
            Self(self.0.portable())
        }

        /// Runs the network. Allocates nothing, unless more runs are under way at once than ever before.
        #[must_use]
        pub fn run(&self, #(#parameters),*) -> #output {
            #declared
            self.run_into(#(#arguments,)* #(&mut #results),*);
            #returned
        }

        /// Runs the network and writes its outputs into what is given; for those too large for the stack.
        pub fn run_into(&self, #(#parameters,)* #(#places),*) {
            // SAFETY: the plan behind the definition was verified, and these are arrays of its sizes.
            unsafe { self.0.run(&[#(#inputs),*], &mut [#(#outputs),*]) }
        }

        /// Runs the network on slices of all elements, in the order of inputs and outputs.
        ///
        /// # Errors
        /// A number of slices or elements that is not the network's.
        pub fn run_slices(
            &self,
            inputs: &[&[f32]],
            outputs: &mut [&mut [f32]],
        ) -> ::core::result::Result<(), rt::LengthError> {
            rt::LengthError::check("input", &[#(#input_lengths),*], inputs.iter().map(|slice| slice.len()))?;
            rt::LengthError::check("output", &[#(#output_lengths),*], outputs.iter().map(|slice| slice.len()))?;
            // SAFETY: the plan behind the definition was verified, and the slices are of its sizes.
            unsafe { self.0.run(inputs, outputs) }
            ::core::result::Result::Ok(())
        }

        #batch_method

        #arena_methods
    }
}

/// Methods of a network without an allocator.
fn caller_methods(ports: &Ports, embedded: Option<&TokenStream>) -> TokenStream {
    let Ports { inputs, outputs, .. } = ports;
    let (new, constants) = match embedded {
        None => (
            quote! {
                /// The network with weights in the order in which they are read.
                #[must_use]
                pub const fn new(weights: &'static rt::Aligned<[u8; Self::WEIGHTS_BYTES]>) -> Self {
                    Self(weights)
                }
            },
            quote!(self.0.0.as_ptr()),
        ),
        Some(weights) => (
            quote! {
                /// The network with the weights it was compiled with.
                #[must_use]
                pub const fn new() -> Self {
                    Self(())
                }
            },
            quote!({
                static WEIGHTS: rt::Aligned<[u8; CONSTANT_BYTES]> = rt::Aligned(*#weights);
                WEIGHTS.0.as_ptr()
            }),
        ),
    };
    let arena_methods = ports.arena_methods(&quote! {
        let mut pointers = [::core::ptr::null_mut(); OPERANDS];
        let steps = rt::Steps { functions: rt::best(FUNCTIONS), calls: CALLS };
        let arena = arena.as_mut_ptr();
        let bases = rt::Bases {
            arena,
            constants: #constants,
            inputs: &[#(#inputs),*],
            outputs: &mut [#(#outputs),*],
        };
        let scratch = arena.wrapping_add(RUN_BYTES.next_multiple_of(64));
        // SAFETY: the plan was verified, these are arrays of its sizes, and the arena is as large and aligned as
        // it must be.
        unsafe { steps.run(bases, scratch, &mut pointers) }
    });
    quote! {
        #new

        #arena_methods
    }
}
