//! Loop code → Rust.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::calls::call;
use super::values::{address, constant, count, float, float_variable, int, literal, test, vector, vector_variable};
use crate::loops::{
    Address, AddressExpr, Comparison, FloatExpr, FloatOp, Function, Inst, IntExpr, IntOp, TestExpr, VectorExpr,
};

/// A step's function, which is inlined into one for each instruction set `S`.
pub(super) fn step_function(name: &Ident, function: &Function) -> TokenStream {
    let body = all(&function.body, function);
    let scratch = uses(&function.body, &|inst| {
        matches!(inst, Inst::Address(_, AddressExpr::Scratch))
    });
    let scratch = if scratch { quote!(scratch) } else { quote!(_) };
    let temporary = uses(&function.body, &|inst| {
        matches!(inst, Inst::Address(_, AddressExpr::Temporary))
    })
    .then(|| quote!(let mut temporary = [0.0f32; 8];));
    quote! {
        #[inline(always)]
        unsafe fn #name<S: rt::Instructions>(
            operands: *const *mut u8,
            first: usize,
            end: usize,
            #scratch: *mut u8,
        ) {
            unsafe {
                #temporary
                #body
            }
        }
    }
}

/// Whether any instruction is such.
fn uses(body: &[Inst], such: &impl Fn(&Inst) -> bool) -> bool {
    body.iter().any(|inst| {
        such(inst)
            || match inst {
                Inst::Range { body, .. } | Inst::When { body, .. } => uses(body, such),
                Inst::Address(..)
                | Inst::Int(..)
                | Inst::Float(..)
                | Inst::Vector(..)
                | Inst::Test(..)
                | Inst::DeclareFloat(..)
                | Inst::DeclareVector(..)
                | Inst::SetFloat(..)
                | Inst::SetVector(..)
                | Inst::StoreFloat(..)
                | Inst::Store(..)
                | Inst::Tile { .. }
                | Inst::Call(_) => false,
            }
    })
}

fn all(body: &[Inst], function: &Function) -> TokenStream {
    body.iter().map(|inst| instruction(inst, function)).collect()
}

fn instruction(inst: &Inst, function: &Function) -> TokenStream {
    match inst {
        Inst::Address(name, expr) => {
            let (name, value) = (address(*name), address_expr(*expr));
            quote!(let #name = #value;)
        }
        Inst::Int(name, expr) => {
            let (name, value) = (int(*name), int_expr(*expr, function));
            quote!(let #name = #value;)
        }
        Inst::Float(name, expr) => {
            let (name, value) = (float(*name), float_expr(*expr));
            quote!(let #name = #value;)
        }
        Inst::Vector(name, expr) => {
            let (name, value) = (vector(*name), vector_expr(expr));
            quote!(let #name = #value;)
        }
        Inst::Test(name, expr) => {
            let (name, value) = (test(*name), test_expr(*expr));
            quote!(let #name = #value;)
        }
        Inst::DeclareFloat(name, value) => {
            let (name, value) = (float_variable(*name), float(*value));
            quote!(let mut #name = #value;)
        }
        Inst::DeclareVector(name, value) => {
            let (name, value) = (vector_variable(*name), vector(*value));
            quote!(let mut #name = #value;)
        }
        Inst::SetFloat(name, value) => {
            let (name, value) = (float_variable(*name), float(*value));
            quote!(#name = #value;)
        }
        Inst::SetVector(name, value) => {
            let (name, value) = (vector_variable(*name), vector(*value));
            quote!(#name = #value;)
        }
        Inst::StoreFloat(value, at, offset) => {
            let (value, at) = (float(*value), offset_by(*at, *offset));
            quote!(rt::store(#value, #at);)
        }
        Inst::Store(value, at, offset) => {
            let (value, at) = (vector(*value), offset_by(*at, *offset));
            quote!(#value.store(#at);)
        }
        Inst::Range {
            index,
            first,
            end,
            body,
        } => {
            let (index, first, end) = (int(*index), count(*first), count(*end));
            let body = all(body, function);
            quote!(for #index in #first..#end { #body })
        }
        Inst::When { condition, body } => {
            let (condition, body) = (test(*condition), all(body, function));
            quote!(if #condition { #body })
        }
        Inst::Tile {
            kernel,
            input,
            weights,
            output,
            residual,
            ahead,
        } => {
            let kernel = format_ident!("tile_{kernel}");
            let pointers = [*input, *weights, *output, *residual, *ahead].map(address);
            quote!(#kernel::<S>([#(#pointers),*]);)
        }
        Inst::Call(inst) => call(inst),
    }
}

/// So many bytes behind an address.
fn offset_by(at: Address, offset: i64) -> TokenStream {
    let at = address(at);
    match offset {
        0 => quote!(#at),
        _ => {
            let offset = literal(offset);
            quote!(#at.wrapping_offset(#offset))
        }
    }
}

fn address_expr(expr: AddressExpr) -> TokenStream {
    match expr {
        AddressExpr::Operand(operand) => quote!(rt::operand(operands, #operand)),
        AddressExpr::Scratch => quote!(scratch),
        AddressExpr::Temporary => quote!(temporary.as_mut_ptr().cast::<u8>()),
        AddressExpr::Offset(base, offset) => offset_by(base, offset),
        AddressExpr::Index(base, index, stride) => {
            let (base, index) = (address(base), int(index));
            match stride {
                1 => quote!(#base.wrapping_offset(#index)),
                _ => {
                    let stride = literal(stride);
                    quote!(#base.wrapping_offset(#index * #stride))
                }
            }
        }
    }
}

fn int_expr(expr: IntExpr, function: &Function) -> TokenStream {
    match expr {
        IntExpr::First => quote!(first as isize),
        IntExpr::End => quote!(end as isize),
        IntExpr::Constant(value) => {
            let value = Literal::isize_suffixed(value as isize);
            quote!(#value)
        }
        IntExpr::Binary(op, a, b) => {
            let (a, b) = (int(a), count(b));
            match op {
                IntOp::Add => quote!(#a + #b),
                IntOp::Subtract => quote!(#a - #b),
                IntOp::Multiply => quote!(#a * #b),
                // Neither is negative: an unsigned division by a constant is a multiplication.
                IntOp::Divide => quote!((#a as usize / #b as usize) as isize),
                IntOp::Min => quote!(#a.min(#b)),
                IntOp::Max => quote!(#a.max(#b)),
            }
        }
        IntExpr::Table(table, index) => {
            let elements = function.tables[table].iter().map(|&element| literal(element));
            let index = int(index);
            quote!({
                static TABLE: &[isize] = &[#(#elements),*];
                TABLE[#index as usize]
            })
        }
    }
}

fn float_expr(expr: FloatExpr) -> TokenStream {
    match expr {
        FloatExpr::Constant(bits) => constant(f32::from_bits(bits)),
        FloatExpr::Load(at, offset) => {
            let at = offset_by(at, offset);
            quote!(rt::load(#at))
        }
        FloatExpr::Binary(op, a, b) => {
            let (a, b) = (float(a), float(b));
            match op {
                FloatOp::Add => quote!(#a + #b),
                FloatOp::Subtract => quote!(#a - #b),
                FloatOp::Multiply => quote!(#a * #b),
                FloatOp::Divide => quote!(#a / #b),
                FloatOp::Max => quote!(if #b < #a { #a } else { #b }),
                FloatOp::Min => quote!(if #a < #b { #a } else { #b }),
            }
        }
        FloatExpr::FromInt(value) => {
            let value = int(value);
            quote!(#value as f32)
        }
        FloatExpr::Lane(value, lane) => {
            let value = vector(value);
            quote!(#value.lane(#lane))
        }
        FloatExpr::Read(variable) => {
            let variable = float_variable(variable);
            quote!(#variable)
        }
        FloatExpr::Select(condition, then, otherwise) => {
            let (condition, then, otherwise) = (test(condition), float(then), float(otherwise));
            quote!(if #condition { #then } else { #otherwise })
        }
    }
}

fn vector_expr(expr: &VectorExpr) -> TokenStream {
    match expr {
        VectorExpr::Load(at, offset) => {
            let at = offset_by(*at, *offset);
            quote!(rt::F32x8::load(#at))
        }
        VectorExpr::Splat(value) => {
            let value = float(*value);
            quote!(rt::F32x8::splat(#value))
        }
        VectorExpr::Binary(op, a, b) => {
            let (a, b) = (vector(*a), vector(*b));
            match op {
                FloatOp::Add => quote!(#a + #b),
                FloatOp::Subtract => quote!(#a - #b),
                FloatOp::Multiply => quote!(#a * #b),
                FloatOp::Divide => quote!(#a / #b),
                FloatOp::Max => quote!(#a.max(#b)),
                FloatOp::Min => quote!(#a.min(#b)),
            }
        }
        VectorExpr::MultiplyAdd(a, b, sum) => {
            let (a, b, sum) = (vector(*a), vector(*b), vector(*sum));
            quote!(#a.mul_add(#b, #sum))
        }
        VectorExpr::Where {
            is,
            left,
            right,
            then,
            otherwise,
        } => {
            let [left, right, then, otherwise] = [*left, *right, *then, *otherwise].map(vector);
            let method = match is {
                Comparison::Less => quote!(where_less),
                Comparison::Greater => quote!(where_greater),
                Comparison::Unordered => quote!(where_unordered),
            };
            quote!(#left.#method(#right, #then, #otherwise))
        }
        VectorExpr::NanOfAny(values, otherwise) => {
            let pairs = values.chunks(2).map(|pair| {
                let (a, b) = (vector(pair[0]), vector(pair[pair.len() - 1]));
                quote!([#a, #b])
            });
            let otherwise = vector(*otherwise);
            quote!(#otherwise.or_nan_of([#(#pairs),*]))
        }
        VectorExpr::WithLane(value, lane, float_value) => {
            let (value, float_value) = (vector(*value), float(*float_value));
            quote!(#value.with_lane(#lane, #float_value))
        }
        VectorExpr::Read(variable) => {
            let variable = vector_variable(*variable);
            quote!(#variable)
        }
    }
}

fn test_expr(expr: TestExpr) -> TokenStream {
    match expr {
        TestExpr::Within(a, b) => {
            let (a, b) = (int(a), count(b));
            quote!((0..#b).contains(&#a))
        }
        TestExpr::Equal(a, b) => {
            let (a, b) = (int(a), count(b));
            quote!(#a == #b)
        }
        TestExpr::Compare(is, a, b) => {
            let (a, b) = (float(a), float(b));
            match is {
                Comparison::Less => quote!(#a < #b),
                Comparison::Greater => quote!(#a > #b),
                Comparison::Unordered => quote!(#a.is_nan() || #b.is_nan()),
            }
        }
        TestExpr::Or(a, b) => {
            let (a, b) = (test(a), test(b));
            quote!(#a || #b)
        }
    }
}
