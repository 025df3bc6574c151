//! Structs of numbers that a compiler fills: each field is declared once, and whoever stores the struct in memory or
//! writes it as source goes through the list of fields that [`parameters!`] makes of the declaration.

/// One field of such a struct.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name in Rust.
    pub name: &'static str,
    /// Where it begins in the struct, in bytes.
    pub offset: usize,
    /// What it holds.
    pub value: Number,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A `usize`.
    Count(usize),
    /// An `f32`.
    Float(f32),
}

impl From<usize> for Number {
    fn from(count: usize) -> Number {
        Number::Count(count)
    }
}

impl From<f32> for Number {
    fn from(float: f32) -> Number {
        Number::Float(float)
    }
}

/// Declares a struct of numbers, laid out as in C, and its list of fields.
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(C)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $name {
            /// The name of each field and where it begins, in bytes.
            pub const LAYOUT: &'static [(&'static str, usize)] =
                &[$((stringify!($field), ::core::mem::offset_of!($name, $field)),)*];

            /// Every field, in the order of memory.
            pub fn fields(&self) -> impl IntoIterator<Item = $crate::kernels::Field> + use<> {
                [$($crate::kernels::Field {
                    name: stringify!($field),
                    offset: ::core::mem::offset_of!($name, $field),
                    value: self.$field.into(),
                },)*]
            }
        }
    };
}

pub(super) use parameters;
