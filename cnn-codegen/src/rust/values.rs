//! Values of loop code in Rust: their names, and those that are known.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::loops::{Address, Count, Float, FloatVariable, Int, Test, Vector, VectorVariable};

macro_rules! names {
    ($($function:ident($name:ident) $pattern:literal;)*) => {$(
        pub(super) fn $function(name: $name) -> Ident {
            format_ident!($pattern, name.0)
        }
    )*};
}

names! {
    address(Address) "a{}";
    int(Int) "i{}";
    float(Float) "f{}";
    vector(Vector) "v{}";
    test(Test) "t{}";
    float_variable(FloatVariable) "x{}";
    vector_variable(VectorVariable) "x{}";
}

/// A count as a literal without a suffix: it is an `isize` by where it stands.
pub(super) fn literal(value: i64) -> Literal {
    Literal::i64_unsuffixed(value)
}

/// A count as an expression.
pub(super) fn count(count: Count) -> TokenStream {
    match count {
        Count::Constant(value) => {
            let value = literal(value);
            quote!(#value)
        }
        Count::Value(value) => {
            let value = int(value);
            quote!(#value)
        }
    }
}

/// A float as an expression, whatever it is.
pub(super) fn constant(value: f32) -> TokenStream {
    if value.is_nan() {
        quote!(f32::NAN)
    } else if value.is_infinite() {
        if value > 0.0 {
            quote!(f32::INFINITY)
        } else {
            quote!(f32::NEG_INFINITY)
        }
    } else {
        let magnitude = Literal::f32_suffixed(value.abs());
        if value.is_sign_negative() {
            quote!(-#magnitude)
        } else {
            quote!(#magnitude)
        }
    }
}
