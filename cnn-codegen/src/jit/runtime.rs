//! The runtime's functions that code calls: their names, parameters and addresses.

use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::task::Kernel;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::kernels::{Isa, lrn, softmax};
use cranelift_codegen::ir::Type;
use cranelift_codegen::ir::types::{F32, I64};

/// A function of the runtime.
pub(super) struct RuntimeFunction {
    pub(super) name: &'static str,
    /// Parameters; it gives nothing back.
    pub(super) parameters: &'static [Type],
    pub(super) address: *const u8,
}

/// All of them, compiled for an instruction set; their order is always the same.
pub(super) fn runtime_functions(isa: Isa) -> Vec<RuntimeFunction> {
    let function = |name, parameters, address| RuntimeFunction {
        name,
        parameters,
        address,
    };
    let rows = RowFunction::ALL.into_iter().map(|row| {
        let parameters: &[_] = &[I64, I64, I64, F32, F32];
        function(row.name(), parameters, row.symbol(isa) as *const u8)
    });
    let mut functions: Vec<_> = rows.collect();
    for (name, log) in [("softmax", false), ("log_softmax", true)] {
        functions.push(function(
            name,
            &[I64; 3],
            softmax::softmax_symbol(isa, log) as *const u8,
        ));
    }
    functions.push(function("lrn", &[I64; 3], lrn::lrn_symbol(isa) as *const u8));
    functions.extend(Kernel::NAMES.iter().filter_map(|name| {
        let symbol = Kernel::symbol(name, isa)?;
        Some(function(name, &[I64; 5], symbol as *const u8))
    }));
    for variant in Winograd::ALL {
        let (input, output) = transforms(variant);
        functions.push(function(input, &[I64], variant.input_symbol(isa) as *const u8));
        functions.push(function(output, &[I64], variant.output_symbol(isa) as *const u8));
    }
    functions
}

/// The name itself, if it is that of one of them.
pub(super) fn runtime_name(name: &str) -> Option<&'static str> {
    let functions = runtime_functions(Isa::PORTABLE);
    functions
        .iter()
        .map(|function| function.name)
        .find(|known| *known == name)
}

/// Names of the runtime's transforms: of the input, of the output.
pub(super) fn transforms(variant: Winograd) -> (&'static str, &'static str) {
    match variant {
        Winograd::F2x3 => ("winograd_f2x3_input", "winograd_f2x3_output"),
        Winograd::F4x3 => ("winograd_f4x3_input", "winograd_f4x3_output"),
        Winograd::F4x5 => ("winograd_f4x5_input", "winograd_f4x5_output"),
    }
}
