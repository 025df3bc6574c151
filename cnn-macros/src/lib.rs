//! `cnn!`: a convolutional neural network declared in Rust becomes code at compile time.

mod onnx;

use std::env;
use std::path::{self, PathBuf};

use cnn_codegen::macros::{self, Files};
use proc_macro::TokenStream;

/// Declares networks: each becomes a type that loads weights and runs, with its shapes, sizes and costs as constants.
///
/// ```
/// use cnn::cnn;
/// use cnn::weights::Synthetic;
///
/// cnn! {
///     /// LeNet-5 (LeCun et al., 1998).
///     pub network LeNet5 {
///         input image: [1, 32, 32];
///
///         c1 = conv(image, filters = 6, kernel = 5, activation = tanh);
///         s2 = avg_pool(c1, size = 2);
///         c3 = conv(s2, filters = 16, kernel = 5, activation = tanh);
///         s4 = avg_pool(c3, size = 2);
///         c5 = conv(s4, filters = 120, kernel = 5, activation = tanh);
///         f6 = dense(flatten(c5), units = 84, activation = tanh);
///         output = dense(f6, units = 10);
///         probabilities = softmax(output);
///     }
/// }
///
/// assert_eq!(LeNet5::INPUT_SHAPE, [1, 32, 32]);
/// assert_eq!(LeNet5::OUTPUT_SHAPE, [10]);
/// assert_eq!(LeNet5::PARAMETERS, 61_706);
///
/// let network = LeNet5::load(&Synthetic { seed: 0 })?; // or a `SafetensorsFile`, or `cnn::Weights`
/// let probabilities: [f32; 10] = network.run(&[[[0.0; 32]; 32]; 1]);
/// # Ok::<(), cnn::rt::LoadError>(())
/// ```
///
/// # The type
///
/// | | |
/// |---|---|
/// | `INPUT_SHAPE`, `OUTPUT_SHAPE` (or `…_SHAPES` of several) | without the batch |
/// | `BATCH`, `PARAMETERS`, `MACS`, `ARENA_BYTES`, `WEIGHTS_BYTES`, `IR` | sizes, costs, the network as text |
/// | `load(&weights)` | packs the weights; all that are missing or misshapen are one error |
/// | `load()` with the option `weights` | the weights are in the program, packed when it was compiled |
/// | `run(&image) -> output` | arrays of the network's sizes, with the batch before them if there is one; a tuple of several outputs |
/// | `run_into(&image, &mut output)`, `run_slices(&[…], &mut […])` | for arrays too large for the stack; for slices, whose lengths are checked |
/// | `run_with(&mut arena, &image)` | all values between layers are in an `Arena` of the caller's |
/// | `run_into_with(&mut arena, &image, &mut probabilities)` | the same, and the result in place |
/// | `with_threads(n)` | shares each run between threads; the results stay the same to the bit. The option `threads = n` does so from the start, and divides the work as finely as so many threads need |
/// | `portable()` | without AVX2 and FMA, which are otherwise used where the processor has them |
///
/// Nothing is allocated by a run. With the option `no_std` the type is made by `new(&weights)` (packed weights, as
/// `cnn emit --no-std` writes them) or, with the option `weights`, by `new()`; it has `run_with` and `run_into_with` only, and needs neither an operating
/// system nor an allocator. The option `max_arena` makes more than so many bytes of memory a compile error that names the layer
/// at the peak.
///
/// Large dense layers hold their weights in 16 bits. Weights of which a few are thousands of times the others, or not
/// finite, do not fit: given with the option `weights` they keep all their bits, `load(&weights)` refuses them, and the
/// option `exact` holds any weights (without Winograd's algorithm, too: slower, within 1e-5 of the largest output).
///
/// Emitted code names the crate `::cnn` and is `unsafe` within: it compiles where that is not forbidden.
///
/// What does not fit does not compile: every mistake is an error at its token, with the arithmetic and the nearest word.
///
/// ```compile_fail
/// # use cnn::cnn;
/// cnn! {
///     network TooSmall {
///         input image: [1, 32, 32];
///         c1 = conv(image, filters = 6, kernel = 50); // the kernel needs 50 rows, but the input has only 32
///     }
/// }
/// ```
///
/// # The same as a model file
///
/// Operators, keys and defaults are those of model files.
///
/// | in a model file (TOML) | in `cnn!` |
/// |---|---|
/// | `name = "lenet5"` | `pub network LeNet5 { … }` |
/// | `[inputs]`<br>`image = [1, 32, 32]` | `input image: [1, 32, 32];` |
/// | `image = { shape = [32, 32, 3], layout = "hwc" }` | `input image: [32, 32, 3] as hwc;` or the same table |
/// | `[[layer]]`<br>`name = "c1"`<br>`op = "conv"`<br>`from = "image"`<br>`filters = 6`<br>`kernel = [3, 5]` | `c1 = conv(image, filters = 6, kernel = [3, 5]);` |
/// | `from = ["a", "b"]` | `add(a, b)` or `add([a, b])` |
/// | a layer without `from` | operands are always named; `constant(shape = [4])` has none |
/// | `padding = "same"` | `padding = same` or `padding = "same"` |
/// | `activation = { op = "leaky_relu", alpha = 0.1 }` | `activation = leaky_relu(alpha = 0.1)` or the same table |
/// | `weights = "features.0"` | `weights = "features.0"` |
/// | `name = "layer1.0.conv1"` | `layer1.0.conv1 = …;` |
/// | `name = "fire2-squeeze"` | `"fire2-squeeze" = …;`, also as an operand |
/// | `[block.unit]`<br>`params = ["f"]`<br>…<br>`filters = "$f"`<br>`from = "in"` | `block unit(x; f) { … conv(x, filters = f, kernel = 1) … }` |
/// | `op = "unit"`<br>`f = 64` | `u1 = unit(image, f = 64);` |
/// | `outputs = ["a", "b"]` | `return a, b;` |
///
/// # Grammar
///
/// ```text
/// macro     = { constant | network }
/// network   = { attribute } [ visibility ] "network" NAME [ "=" STRING ] { "," option }
///             ( "{" { statement } [ call | name ] "}" | ";" )      a model file's path, or statements
/// option    = "weights" "=" STRING | "max_arena" "=" size | "batch" "=" INTEGER
///           | "threads" "=" INTEGER | "exact" | "no_std"
/// size      = INTEGER | STRING                                     bytes; "256KiB", "1 MiB", "64kB"
/// constant  = "const" NAME [ ":" type ] "=" value ";"               a value that keys, shapes and options name
/// statement = constant
///           | "input" name ":" ( list [ "as" layout ] | table ) ";"
///           | "block" name "(" NAME [ ";" NAME { "," NAME } ] ")" "{" { statement } [ call | name ] "}"
///           | name "=" call ";"
///           | "return" operand { "," operand } ";"
///           | option ";"
/// call      = NAME "(" { operand "," } { key "=" value "," } ")"   the last comma may be missing
/// operand   = name | call | "[" operand { "," operand } "]"
/// value     = NUMBER | STRING | "true" | "false" | "inf" | NAME | list | table | NAME "(" { key "=" value } ")"
/// list      = "[" value { "," value } "]" | the same in parentheses
/// table     = "{" key "=" value { "," key "=" value } "}"
/// name      = NAME { "." ( NAME | INTEGER ) } | STRING
/// ```
///
/// - Without `return` the last layer is the output; a last call or name without `;` is it too. A block's result is its
///   `return`, last expression or last layer.
/// - A call inside of another is a layer named after its operator: `f6 = dense(flatten(c5), …)` has the layer
///   `f6.flatten`, a second one is `f6.flatten_2`. Inside the operands of a block instance `u` it is `u.in.flatten`. So
///   are the weights of such layers.
/// - A block sees its own layers and its operand (`x` above). From outside its layers are `u1.NAME`.
/// - A constant is seen below the line that declares it: in its network, or, declared before all of them, in each. Nothing
///   is computed, and constants of the program around are not seen: a macro gets words, not what they mean.
/// - Several networks may stand in one `cnn!`; doc comments, other attributes and the visibility are passed on.
///
/// # Files
///
/// `network AlexNet = "models/alexnet.toml";` takes the layers from a model file, `weights = "w.safetensors"` names
/// trained weights that become part of the program. Both may be ONNX files (with the feature `jit` or `onnx` of cnn). Paths are relative to the folder of the crate's `Cargo.toml`; cargo builds again when a file changes.
#[proc_macro]
pub fn cnn(tokens: TokenStream) -> TokenStream {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let build = build_folder();
    let files = Files {
        package: &package,
        build: build.as_deref(),
        import: onnx::import,
    };
    macros::expand(tokens.into(), files).into()
}

/// Where files may be left that belong to the crate being compiled: what a build script would have, or else where the
/// compiler, whose process this is, was told to write.
fn build_folder() -> Option<PathBuf> {
    let mut arguments = env::args_os();
    let compiler = || arguments.find(|word| word == "--out-dir").and(arguments.next());
    let folder = env::var_os("OUT_DIR").or_else(compiler).map(PathBuf::from)?;
    path::absolute(folder).ok()
}
