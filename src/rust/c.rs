//! What makes an emitted network a C library: its functions, their header, a program that calls them.

use cnn_codegen::plan::{Plan, Port};
use cnn_codegen::rust::identifier;
use proc_macro2::Ident;

/// Words that C and C++ keep for themselves and Rust does not.
const KEYWORDS: [&str; 76] = [
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "decltype",
    "default",
    "delete",
    "double",
    "dynamic_cast",
    "explicit",
    "export",
    "float",
    "friend",
    "goto",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "short",
    "signed",
    "sizeof",
    "static_assert",
    "static_cast",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "void",
    "volatile",
    "wchar_t",
    "xor",
    "xor_eq",
];
/// Names in the header and the example.
const USED: [&str; 10] = [
    "arena", "fprintf", "i", "main", "printf", "size_t", "status", "stderr", "stdin", "stdout",
];

/// A network as C calls it.
pub(super) struct Interface<'a> {
    /// What its functions' names begin with: `lenet5`.
    pub(super) prefix: &'a str,
    /// Its type in Rust.
    pub(super) type_name: &'a str,
    /// Whether there is no operating system, and so nobody who handles a panic.
    pub(super) no_std: bool,
    batch: usize,
    arena_bytes: usize,
    inputs: Vec<Array>,
    outputs: Vec<Array>,
}

/// An input or output.
struct Array {
    name: Ident,
    dims: Vec<usize>,
    elements: usize,
}

impl<'a> Interface<'a> {
    pub(super) fn new(prefix: &'a str, type_name: &'a str, no_std: bool, plan: &Plan) -> Interface<'a> {
        let mut taken: Vec<String> = KEYWORDS.iter().chain(&USED).map(|&word| word.to_owned()).collect();
        let mut array = |port: &Port| Array {
            name: identifier(&port.name, &mut taken),
            dims: port.dims(),
            elements: plan.batch * port.shape.elements(),
        };
        Interface {
            inputs: plan.inputs.iter().map(&mut array).collect(),
            outputs: plan.outputs.iter().map(&mut array).collect(),
            prefix,
            type_name,
            no_std,
            batch: plan.batch,
            // An arena is a type of that alignment, which rounds its size up.
            arena_bytes: plan.run_bytes().next_multiple_of(64),
        }
    }

    /// The parameters of both functions, as C has them: `const float *image, float *probabilities`.
    fn parameters(&self) -> String {
        let inputs = self.inputs.iter().map(|array| format!("const float *{}", array.name));
        let outputs = self.outputs.iter().map(|array| format!("float *{}", array.name));
        inputs.chain(outputs).collect::<Vec<_>>().join(", ")
    }

    /// The header.
    pub(super) fn header(&self) -> String {
        let (prefix, upper, batch) = (self.prefix, self.prefix.to_uppercase(), self.batch);
        let sizes = self.inputs.iter().chain(&self.outputs).map(|array| {
            let name = array.name.to_string().to_uppercase();
            let Array { dims, elements, .. } = array;
            format!("#define {upper}_{name}_ELEMENTS {elements} /* {dims:?} */\n")
        });
        let (sizes, parameters, arena_bytes) = (sizes.collect::<String>(), self.parameters(), self.arena_bytes);
        format!(
            r#"/* A network, written by `cnn emit --c`. */
#ifndef {upper}_H
#define {upper}_H

#ifdef __cplusplus
extern "C" {{
#endif

/* Images of one run. */
#define {upper}_BATCH {batch}
/* Floats of each array: row-major, the images of a batch one after the other, each of the shape beside it. */
{sizes}/* Bytes of an arena, and what its address is a multiple of. */
#define {upper}_ARENA_BYTES {arena_bytes}
#define {upper}_ARENA_ALIGNMENT 64

/* What the functions return: all is well; */
#define {upper}_OK 0
/* a pointer is null or not aligned, or an array or arena that is written shares memory with another; */
#define {upper}_ARGUMENT 1
/* another thread is in {prefix}_run. */
#define {upper}_BUSY 2

/* Runs the network in memory of the library's, which one thread at a time may do. Allocates nothing. */
int {prefix}_run({parameters});

/* The same in memory of the caller's, in any number of threads, each with an arena of its own. */
int {prefix}_run_in(void *arena, {parameters});

#ifdef __cplusplus
}}
#endif

#endif
"#
        )
    }

    /// The functions, as a part of the network's crate.
    pub(super) fn functions(&self) -> String {
        let (prefix, type_name) = (self.prefix, self.type_name);
        let inputs = self.inputs.iter().map(|array| format!("{}: *const f32", array.name));
        let outputs = self.outputs.iter().map(|array| format!("{}: *mut f32", array.name));
        let parameters = inputs.chain(outputs).collect::<Vec<_>>().join(", ");
        let names = |arrays: &[Array]| arrays.iter().map(|array| array.name.to_string()).collect::<Vec<_>>();
        let (inputs, outputs) = (names(&self.inputs), names(&self.outputs));
        let arguments = [&*inputs, &*outputs].concat().join(", ");
        let places = |arrays: &[Array]| -> String {
            let places = arrays.iter().map(|array| {
                let Array { name, elements, .. } = array;
                format!("Place::of({name}, {elements}), ")
            });
            places.collect()
        };
        let (read, written) = (places(&self.inputs), places(&self.outputs));
        let given = inputs.iter().map(|name| format!("&*{name}.cast()"));
        let given = given.chain(outputs.iter().map(|name| format!("&mut *{name}.cast()")));
        let given = given.collect::<Vec<_>>().join(", ");
        let panic = match self.no_std {
            true => "\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! {\n    loop {}\n}\n",
            false => "",
        };
        format!(
            r#"
use core::ffi::{{c_int, c_void}};

use cnn_runtime::emitted::{{Arena, Place, SharedArena}};

const OK: c_int = 0;
const ARGUMENT: c_int = 1;
const BUSY: c_int = 2;

static NETWORK: {type_name} = {type_name}::new();
static ARENA: SharedArena<{{ {type_name}::ARENA_BYTES }}> = SharedArena::new();

/// Runs the network in memory of the library's; `BUSY` while another thread does.
///
/// # Safety
/// Pointers that are not null have as many elements as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn {prefix}_run({parameters}) -> c_int {{
    // SAFETY: the caller's promise; the arena is this thread's meanwhile.
    let status = ARENA.with(|arena| unsafe {{ {prefix}_run_in(arena.cast(), {arguments}) }});
    status.unwrap_or(BUSY)
}}

/// Runs the network in memory of the caller's.
///
/// # Safety
/// Pointers that are not null have as many elements, and the arena as many bytes, as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn {prefix}_run_in(arena: *mut c_void, {parameters}) -> c_int {{
    let arena: *mut Arena<{{ {type_name}::ARENA_BYTES }}> = arena.cast();
    if !Place::are_usable(&[{written}Place::of(arena, 1)], &[{read}]) {{
        return ARGUMENT;
    }}
    // SAFETY: the caller's promise; addresses are valid, and what is written is apart from the rest.
    unsafe {{ NETWORK.run_into_with(&mut *arena, {given}) }}
    OK
}}
{panic}"#
        )
    }

    /// A program that runs the network once, on inputs of 0.5, and prints the first results.
    pub(super) fn example(&self) -> String {
        let (prefix, upper) = (self.prefix, self.prefix.to_uppercase());
        let size = |array: &Array| format!("{upper}_{}_ELEMENTS", array.name.to_string().to_uppercase());
        let all = || self.inputs.iter().chain(&self.outputs);
        let declared: String = all()
            .map(|array| format!("static float {}[{}];\n", array.name, size(array)))
            .collect();
        let filled = self.inputs.iter().map(|array| {
            let name = &array.name;
            format!("    for (size_t i = 0; i < {}; i++) {name}[i] = 0.5f;\n", size(array))
        });
        let printed = self.outputs.iter().map(|array| {
            let (name, size) = (&array.name, size(array));
            format!("    for (size_t i = 0; i < {size} && i < 10; i++) printf(\"%.9g\\n\", {name}[i]);\n")
        });
        let (filled, printed) = (filled.collect::<String>(), printed.collect::<String>());
        let arguments = all().map(|array| array.name.to_string()).collect::<Vec<_>>().join(", ");
        format!(
            "/* Runs the network once, on inputs of 0.5. */\n#include \"{prefix}.h\"\n#include <stddef.h>\n#include <stdio.h>\n\n\
             {declared}\nint main(void) {{\n{filled}    int status = {prefix}_run({arguments});\n    \
             if (status != {upper}_OK) {{\n        fprintf(stderr, \"{prefix}_run: %d\\n\", status);\n        return 1;\n    }}\n\
             {printed}    return 0;\n}}\n"
        )
    }
}
