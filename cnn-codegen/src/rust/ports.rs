//! A network's inputs and outputs in its methods: parameters, results, and the slices they become.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::plan::{Plan, Port};

/// The network's inputs and outputs as parameters and results.
pub(super) struct Ports {
    /// `image: &[[[f32; 32]; 32]; 1]`
    pub(super) parameters: Vec<TokenStream>,
    /// `image`
    pub(super) arguments: Vec<Ident>,
    /// `probabilities: &mut [f32; 10]`
    pub(super) places: Vec<TokenStream>,
    /// `probabilities`
    pub(super) results: Vec<Ident>,
    /// The inputs as slices of floats.
    pub(super) inputs: Vec<TokenStream>,
    /// The outputs likewise.
    pub(super) outputs: Vec<TokenStream>,
    /// What `run` returns: an array, or a tuple of several.
    pub(super) output: TokenStream,
    /// Zeros for each output.
    zeros: Vec<TokenStream>,
    /// Elements of each input.
    pub(super) input_lengths: Vec<usize>,
    /// Elements of each output.
    pub(super) output_lengths: Vec<usize>,
    /// An array of each input, without the batch.
    input_images: Vec<Array>,
    /// An array of each output likewise.
    output_images: Vec<Array>,
}

/// An array of one image.
struct Array {
    /// `[[[f32; 32]; 32]; 1]`
    type_of: TokenStream,
    /// `.as_flattened()` for each axis, from a slice of such arrays to their elements.
    flat: TokenStream,
    /// The same of those that are written.
    flat_mut: TokenStream,
}

impl Array {
    fn new(port: &Port) -> Array {
        let dims = port.dims();
        let each = |method: TokenStream| dims.iter().map(|_| method.clone()).collect();
        Array {
            type_of: nested(quote!(f32), &dims),
            flat: each(quote!(.as_flattened())),
            flat_mut: each(quote!(.as_flattened_mut())),
        }
    }
}

impl Ports {
    pub(super) fn new(plan: &Plan) -> Ports {
        let dims = |port: &Port| {
            let mut dims = port.dims();
            if plan.batch > 1 {
                dims.insert(0, plan.batch);
            }
            dims
        };
        // Words of the methods below.
        let mut taken: Vec<String> = ["arena", "bases", "pointers", "result", "scratch", "self", "steps"]
            .map(str::to_owned)
            .into();
        let arguments: Vec<Ident> = plan
            .inputs
            .iter()
            .map(|port| identifier(&port.name, &mut taken))
            .collect();
        let results: Vec<Ident> = plan
            .outputs
            .iter()
            .map(|port| identifier(&port.name, &mut taken))
            .collect();
        let parameters = plan.inputs.iter().zip(&arguments).map(|(port, name)| {
            let array = nested(quote!(f32), &dims(port));
            quote!(#name: &#array)
        });
        let places = plan.outputs.iter().zip(&results).map(|(port, name)| {
            let array = nested(quote!(f32), &dims(port));
            quote!(#name: &mut #array)
        });
        let inputs = plan.inputs.iter().zip(&arguments).map(|(port, name)| {
            let flat = dims(port).into_iter().skip(1).map(|_| quote!(.as_flattened()));
            quote!(&#name #(#flat)* [..])
        });
        let outputs = plan.outputs.iter().zip(&results).map(|(port, name)| {
            let flat = dims(port).into_iter().skip(1).map(|_| quote!(.as_flattened_mut()));
            quote!(&mut #name #(#flat)* [..])
        });
        let types: Vec<TokenStream> = plan
            .outputs
            .iter()
            .map(|port| nested(quote!(f32), &dims(port)))
            .collect();
        let zeros = plan.outputs.iter().map(|port| nested(quote!(0.0f32), &dims(port)));
        Ports {
            parameters: parameters.collect(),
            places: places.collect(),
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            output: match types.as_slice() {
                [only] => only.clone(),
                several => quote!((#(#several),*)),
            },
            zeros: zeros.collect(),
            input_lengths: plan.inputs.iter().map(|port| dims(port).iter().product()).collect(),
            output_lengths: plan.outputs.iter().map(|port| dims(port).iter().product()).collect(),
            input_images: plan.inputs.iter().map(Array::new).collect(),
            output_images: plan.outputs.iter().map(Array::new).collect(),
            arguments,
            results,
        }
    }

    /// The method that runs any number of images.
    pub(super) fn batch_method(&self) -> TokenStream {
        let (arguments, results) = (&self.arguments, &self.results);
        let inputs = arguments.iter().zip(&self.input_images);
        let parameters = inputs.clone().map(|(name, array)| {
            let array = &array.type_of;
            quote!(#name: &[#array])
        });
        let flat = inputs.map(|(name, Array { flat, .. })| quote!(#name #flat));
        let outputs = results.iter().zip(&self.output_images);
        let flat_mut = outputs.map(|(name, Array { flat_mut, .. })| quote!(#name #flat_mut));
        let types = self.output_images.iter().map(|array| &array.type_of);
        let vectors: Vec<_> = types.clone().map(|array| quote!(::std::vec::Vec<#array>)).collect();
        let output = match vectors.as_slice() {
            [only] => only.clone(),
            several => quote!((#(#several),*)),
        };
        let (first, returned) = (&arguments[0], self.returned());
        quote! {
            /// Runs the network on any number of images, as many at a time as it was declared for.
            ///
            /// # Panics
            /// If there are not as many of each input.
            #[must_use]
            pub fn run_batch(&self, #(#parameters),*) -> #output {
                // SAFETY: arrays of floats.
                #(let mut #results = unsafe { rt::zeros::<#types>(#first.len()) };)*
                let result = rt::Declared::run_images(self, &[#(#flat),*], &mut [#(#flat_mut),*]);
                if let ::core::result::Result::Err(error) = result {
                    ::core::panic!("{error}");
                }
                #returned
            }
        }
    }

    /// `let mut probabilities = [0.0; 10];` for each output.
    pub(super) fn declared(&self) -> TokenStream {
        let (results, zeros) = (&self.results, &self.zeros);
        quote!(#(let mut #results = #zeros;)*)
    }

    /// The methods that run the network in memory of the caller's, without an allocator, as `body` does.
    pub(super) fn arena_methods(&self, body: &TokenStream) -> TokenStream {
        let Ports {
            parameters,
            arguments,
            places,
            results,
            output,
            ..
        } = self;
        let (declared, returned) = (self.declared(), self.returned());
        quote! {
            /// Runs the network on this thread, with all values between layers in `arena`. Needs no allocator.
            #[must_use]
            pub fn run_with(&self, arena: &mut rt::Arena<{ Self::ARENA_BYTES }>, #(#parameters),*) -> #output {
                #declared
                self.run_into_with(arena, #(#arguments,)* #(&mut #results),*);
                #returned
            }

            /// The same, and writes its outputs into what is given; for those too large for the stack.
            pub fn run_into_with(
                &self,
                arena: &mut rt::Arena<{ Self::ARENA_BYTES }>,
                #(#parameters,)*
                #(#places),*
            ) {
                #body
            }
        }
    }

    /// What `run` gives back.
    pub(super) fn returned(&self) -> TokenStream {
        match self.results.as_slice() {
            [only] => quote!(#only),
            several => quote!((#(#several),*)),
        }
    }
}

/// A name as an identifier that is not taken: `features.0` → `features_0`.
pub fn identifier(name: &str, taken: &mut Vec<String>) -> Ident {
    let mut word: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    while taken.contains(&word) || syn::parse_str::<Ident>(&word).is_err() {
        word.push('_');
    }
    taken.push(word.clone());
    Ident::new(&word, Span::call_site())
}

/// `element` in arrays: `[[f32; 3]; 2]` for `f32` and `[2, 3]`, the type or, of a value, an array of it.
fn nested(element: TokenStream, dims: &[usize]) -> TokenStream {
    dims.iter().rev().fold(element, |inner, &dim| {
        let dim = Literal::usize_unsuffixed(dim);
        quote!([#inner; #dim])
    })
}
