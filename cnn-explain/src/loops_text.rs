//! Loop code as text: one instruction a line, values as `a3`, `i0`, `f1`, `v2`, in the order the compiler sees them.

use cnn_codegen::loops::{
    Address, AddressExpr, Call, Comparison, Count, Float, FloatExpr, FloatOp, Function, Inst, Int, IntExpr, IntOp,
    Test, TestExpr, Vector, VectorExpr,
};

/// The function's body, a line an instruction; ends of loops have lines of their own.
pub(crate) fn text(function: &Function) -> Vec<String> {
    let mut lines = Vec::new();
    body(&function.body, 0, &mut lines);
    lines
}

fn body(instructions: &[Inst], depth: usize, lines: &mut Vec<String>) {
    for instruction in instructions {
        let line = line(instruction);
        lines.push(format!("{}{line}", "  ".repeat(depth)));
        if let Inst::Range { body: inner, .. } | Inst::When { body: inner, .. } = instruction {
            body(inner, depth + 1, lines);
            lines.push(format!("{}}}", "  ".repeat(depth)));
        }
    }
}

fn line(instruction: &Inst) -> String {
    match instruction {
        Inst::Address(name, expr) => format!("{} = {}", address(*name), address_expr(expr)),
        Inst::Int(name, expr) => format!("{} = {}", int(*name), int_expr(expr)),
        Inst::Float(name, expr) => format!("{} = {}", float(*name), float_expr(expr)),
        Inst::Vector(name, expr) => format!("{} = {}", vector(*name), vector_expr(expr)),
        Inst::Test(name, expr) => format!("{} = {}", test(*name), test_expr(expr)),
        Inst::DeclareFloat(variable, value) => format!("let mut x{} = {}", variable.0, float(*value)),
        Inst::DeclareVector(variable, value) => format!("let mut w{} = {}", variable.0, vector(*value)),
        Inst::SetFloat(variable, value) => format!("x{} = {}", variable.0, float(*value)),
        Inst::SetVector(variable, value) => format!("w{} = {}", variable.0, vector(*value)),
        Inst::StoreFloat(value, to, offset) => format!("{} = {}", place(*to, *offset), float(*value)),
        Inst::Store(value, to, offset) => format!("{}₈ = {}", place(*to, *offset), vector(*value)),
        Inst::Range { index, first, end, .. } => {
            format!("for {} in {}..{} {{", int(*index), count(*first), count(*end))
        }
        Inst::When { condition, .. } => format!("if {} {{", test(*condition)),
        Inst::Tile {
            kernel,
            input,
            weights,
            output,
            residual,
            ahead,
        } => format!(
            "tile_{kernel}({}, {}, {}, {}, ahead {})",
            address(*input),
            address(*weights),
            address(*output),
            address(*residual),
            address(*ahead)
        ),
        Inst::Call(inner) => call(inner),
    }
}

fn call(call: &Call) -> String {
    match call {
        Call::Row {
            function,
            from,
            to,
            floats,
        } => format!("{function:?}({} → {}, {floats} floats)", address(*from), address(*to)),
        Call::Softmax { log, from, to, floats } => format!(
            "{}({} → {}, {floats} floats)",
            if *log { "log_softmax" } else { "softmax" },
            address(*from),
            address(*to)
        ),
        Call::Lrn { row, from, to } => format!("lrn({} → {}, {row:?})", address(*from), address(*to)),
        Call::Task {
            kernel,
            input,
            other,
            output,
            task,
        } => format!(
            "{kernel:?}({}, {} → {}, task {})",
            address(*input),
            address(*other),
            address(*output),
            int(*task)
        ),
        Call::WinogradInput {
            variant,
            from,
            to,
            first_tile,
            tiles,
            ..
        } => format!(
            "winograd_input({variant:?}, {} → {}, {} tiles from {})",
            address(*from),
            address(*to),
            int(*tiles),
            int(*first_tile)
        ),
        Call::WinogradOutput {
            variant,
            from,
            to,
            bias,
            first_tile,
            tiles,
            ..
        } => format!(
            "winograd_output({variant:?}, {} → {}, bias {}, {} tiles from {})",
            address(*from),
            address(*to),
            address(*bias),
            int(*tiles),
            int(*first_tile)
        ),
    }
}

fn address_expr(expr: &AddressExpr) -> String {
    match expr {
        AddressExpr::Operand(index) => format!("operand {index}"),
        AddressExpr::Scratch => "scratch".into(),
        AddressExpr::Temporary => "temporary".into(),
        AddressExpr::Offset(base, offset) => format!("{}{}", address(*base), signed(*offset)),
        AddressExpr::Index(base, index, stride) => format!("{} + {}·{stride}", address(*base), int(*index)),
    }
}

fn int_expr(expr: &IntExpr) -> String {
    match expr {
        IntExpr::First => "first task".into(),
        IntExpr::End => "end of tasks".into(),
        IntExpr::Constant(number) => number.to_string(),
        IntExpr::Binary(op, a, b) => {
            let (a, b) = (int(*a), count(*b));
            match op {
                IntOp::Add => format!("{a} + {b}"),
                IntOp::Subtract => format!("{a} − {b}"),
                IntOp::Multiply => format!("{a} · {b}"),
                IntOp::Divide => format!("{a} / {b}"),
                IntOp::Min => format!("min({a}, {b})"),
                IntOp::Max => format!("max({a}, {b})"),
            }
        }
        IntExpr::Table(table, index) => format!("table {table}[{}]", int(*index)),
    }
}

fn binary(op: FloatOp, a: &str, b: &str) -> String {
    match op {
        FloatOp::Add => format!("{a} + {b}"),
        FloatOp::Subtract => format!("{a} − {b}"),
        FloatOp::Multiply => format!("{a} · {b}"),
        FloatOp::Divide => format!("{a} / {b}"),
        FloatOp::Max => format!("max({a}, {b})"),
        FloatOp::Min => format!("min({a}, {b})"),
    }
}

fn float_expr(expr: &FloatExpr) -> String {
    match expr {
        FloatExpr::Constant(number) => number.to_string(),
        FloatExpr::Load(from, offset) => place(*from, *offset),
        FloatExpr::Binary(op, a, b) => binary(*op, &float(*a), &float(*b)),
        FloatExpr::FromInt(number) => format!("{} as float", int(*number)),
        FloatExpr::Lane(from, lane) => format!("{}[{lane}]", vector(*from)),
        FloatExpr::Read(variable) => format!("x{}", variable.0),
        FloatExpr::Select(is, then, otherwise) => {
            format!("{} ? {} : {}", test(*is), float(*then), float(*otherwise))
        }
    }
}

fn vector_expr(expr: &VectorExpr) -> String {
    match expr {
        VectorExpr::Load(from, offset) => format!("{}₈", place(*from, *offset)),
        VectorExpr::Splat(number) => format!("splat {}", float(*number)),
        VectorExpr::Binary(op, a, b) => binary(*op, &vector(*a), &vector(*b)),
        VectorExpr::MultiplyAdd(a, b, sum) => format!("{} · {} + {}", vector(*a), vector(*b), vector(*sum)),
        VectorExpr::Where {
            is,
            left,
            right,
            then,
            otherwise,
        } => format!(
            "{} ? {} : {}",
            comparison(*is, &vector(*left), &vector(*right)),
            vector(*then),
            vector(*otherwise)
        ),
        VectorExpr::NanOfAny(any, otherwise) => {
            let any: Vec<_> = any.iter().map(|&one| vector(one)).collect();
            format!("nan of any of {}, else {}", any.join(", "), vector(*otherwise))
        }
        VectorExpr::WithLane(from, lane, number) => format!("{} with [{lane}] = {}", vector(*from), float(*number)),
        VectorExpr::Read(variable) => format!("w{}", variable.0),
    }
}

fn test_expr(expr: &TestExpr) -> String {
    match expr {
        TestExpr::Within(a, b) => format!("0 ≤ {} < {}", int(*a), count(*b)),
        TestExpr::Equal(a, b) => format!("{} = {}", int(*a), count(*b)),
        TestExpr::Compare(is, a, b) => comparison(*is, &float(*a), &float(*b)),
        TestExpr::Or(a, b) => format!("{} or {}", test(*a), test(*b)),
    }
}

fn comparison(is: Comparison, a: &str, b: &str) -> String {
    match is {
        Comparison::Less => format!("{a} < {b}"),
        Comparison::Greater => format!("{a} > {b}"),
        Comparison::Unordered => format!("{a} or {b} is NaN"),
    }
}

fn address(Address(number): Address) -> String {
    format!("a{number}")
}

fn int(Int(number): Int) -> String {
    format!("i{number}")
}

fn float(Float(number): Float) -> String {
    format!("f{number}")
}

fn vector(Vector(number): Vector) -> String {
    format!("v{number}")
}

fn test(Test(number): Test) -> String {
    format!("t{number}")
}

fn count(count: Count) -> String {
    match count {
        Count::Constant(number) => number.to_string(),
        Count::Value(value) => int(value),
    }
}

fn signed(offset: i64) -> String {
    match offset {
        0 => String::new(),
        _ if offset < 0 => format!(" − {}", offset.unsigned_abs()),
        _ => format!(" + {offset}"),
    }
}

fn place(base: Address, offset: i64) -> String {
    format!("[{}{}]", address(base), signed(offset))
}
