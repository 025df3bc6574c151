//! A network as one item: its struct, documented, with the constants that describe it and the methods that run it.

use cnn_ir::cost;
use cnn_ir::graph::Graph;
use cnn_ir::text;
use cnn_ir::validate::Shapes;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::error::EmitError;
use super::network::{Memory, methods};
use super::page::page;
use crate::plan::Plan;

/// A network and what its type is to be.
#[derive(Debug)]
pub struct Network<'a> {
    /// Doc comments and other attributes, each `#[…]`.
    pub attributes: &'a [TokenStream],
    /// `pub` or the like.
    pub visibility: &'a TokenStream,
    /// The type's name.
    pub name: &'a Ident,
    /// The network as declared: what documentation and constants say.
    pub graph: &'a Graph,
    /// The shapes of its values.
    pub shapes: &'a Shapes,
    /// How it is carried out.
    pub plan: &'a Plan,
    /// Where its memory comes from.
    pub memory: &'a Memory,
    /// The path of cnn-runtime's `emitted`.
    pub runtime: &'a TokenStream,
}

/// The network's type and all that belongs to it. The same for the same network, always.
///
/// # Errors
/// [`EmitError`]
pub fn emit(network: &Network<'_>) -> Result<TokenStream, EmitError> {
    let Network {
        attributes,
        visibility,
        name,
        plan,
        memory,
        runtime,
        ..
    } = network;
    let page = page(network.graph, network.shapes);
    let page = page.lines().map(|line| format!(" {line}"));
    let fields = memory.fields(name, runtime);
    let constants = constants(network);
    let methods = methods(plan, name, memory, runtime)?;
    Ok(quote! {
        #(#attributes)*
        #[doc = ""]
        #(#[doc = #page])*
        #visibility struct #name #fields;

        impl #name {
            #constants
        }

        #methods
    })
}

/// What describes the network: shapes, sizes, costs, its text.
fn constants(network: &Network<'_>) -> TokenStream {
    let Network {
        graph, shapes, plan, ..
    } = network;
    let inputs: Vec<(&str, Vec<usize>)> = (graph.declared_inputs())
        .map(|(node, input)| (node.name.as_str(), input.array_dims()))
        .collect();
    let outputs: Vec<(&str, Vec<usize>)> = (graph.outputs().iter())
        .map(|output| (output.name.as_str(), shapes[output.node].dims()))
        .collect();
    let inputs = shape_constants("INPUT_SHAPE", "input", &inputs);
    let outputs = shape_constants("OUTPUT_SHAPE", "output", &outputs);
    let parameters = cost::parameters(graph, shapes);
    let macs = cost::multiplications(graph, shapes);
    let ir = text::print(graph, Some(shapes));
    let batch = plan.batch;
    let arena_bytes = plan.run_bytes();
    let weights_bytes = plan.constant_bytes;
    quote! {
        #inputs
        #outputs
        /// Images of one run.
        pub const BATCH: usize = #batch;
        /// How many numbers training learns.
        pub const PARAMETERS: u64 = #parameters;
        /// Multiplications for one image, each with its addition: those of convolutions and dense layers.
        pub const MACS: u64 = #macs;
        /// Bytes of the memory that [`run_with`](Self::run_with) takes: all values between layers.
        pub const ARENA_BYTES: usize = #arena_bytes;
        /// Bytes of the weights in the order in which they are read.
        pub const WEIGHTS_BYTES: usize = #weights_bytes;
        /// The network as text, every value with its shape.
        pub const IR: &'static str = #ir;
    }
}

/// `INPUT_SHAPE` of a network with one input, `INPUT_SHAPES` of one with several.
fn shape_constants(constant: &str, what: &str, ports: &[(&str, Vec<usize>)]) -> TokenStream {
    let ident = |name: &str| Ident::new(name, Span::call_site());
    if let [(name, dims)] = ports {
        let (constant, rank) = (ident(constant), dims.len());
        let about = format!(" The shape of the {what} `{name}`, without the batch.");
        return quote! {
            #[doc = #about]
            pub const #constant: [usize; #rank] = [#(#dims),*];
        };
    }
    let constant = ident(&format!("{constant}S"));
    let names: Vec<_> = ports.iter().map(|(name, _)| format!("`{name}`")).collect();
    let about = format!(" The shapes of the {what}s {}, without the batch.", names.join(", "));
    let count = ports.len();
    let shapes = ports.iter().map(|(_, dims)| quote!(&[#(#dims),*]));
    quote! {
        #[doc = #about]
        pub const #constant: [&'static [usize]; #count] = [#(#shapes),*];
    }
}
