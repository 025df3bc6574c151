//! The program that runs an emitted network once, as source.

use cnn_codegen::plan::{Plan, Port};
use cnn_codegen::rust::Memory;

/// A program around a network.
pub(super) struct Program<'a> {
    /// The network's crate, as code names it.
    pub(super) module: String,
    /// Its type.
    pub(super) type_name: &'a str,
    /// How it is carried out.
    pub(super) plan: &'a Plan,
}

impl Program<'_> {
    /// Its source.
    pub(super) fn text(&self, memory: &Memory) -> String {
        match memory {
            Memory::System => self.with_system(
                r#"let path = std::env::args().nth(1).ok_or("give the weights: a .safetensors file")?;
    let weights = cnn_runtime::weights::SafetensorsFile::open(path)?;
    "#,
                "&weights",
            ),
            Memory::Embedded(_) => self.with_system("", ""),
            Memory::Caller | Memory::CallerEmbedded(_) => self.without_system(),
        }
    }

    /// Loads the network by statements and an argument, and runs it.
    fn with_system(&self, statements: &str, argument: &str) -> String {
        let Program {
            module,
            type_name,
            plan,
        } = self;
        let ports = |ports: &[Port]| {
            let ports = ports.iter();
            let ports: Vec<String> = ports
                .map(|port| format!("({:?}, {})", port.name, plan.batch * port.shape.elements()))
                .collect();
            ports.join(", ")
        };
        let (inputs, outputs) = (ports(&plan.inputs), ports(&plan.outputs));
        format!(
            r#"//! Runs the network once on made-up numbers, those of `cnn run --input random:0`.

use std::error::Error;

use cnn_runtime::weights::synthetic_input;
use {module}::{type_name};

fn main() -> Result<(), Box<dyn Error>> {{
    {statements}let network = {type_name}::load({argument})?;
    let inputs = [{inputs}].map(|(name, elements)| synthetic_input(name, elements, 0));
    let mut outputs = [{outputs}].map(|(name, elements)| (name, vec![0.0; elements]));
    network.run_slices(
        &inputs.each_ref().map(Vec::as_slice),
        &mut outputs.each_mut().map(|(_, output)| output.as_mut_slice()),
    )?;
    for (name, output) in &outputs {{
        println!("{{name}}: {{:?}}", &output[..output.len().min(10)]);
    }}
    Ok(())
}}
"#
        )
    }

    /// Runs the network in memory of its own.
    fn without_system(&self) -> String {
        let Program {
            module,
            type_name,
            plan,
        } = self;
        let input = |port: &Port| {
            let dims = port.dims().into_iter().rev();
            let image = dims.fold("0.5".to_owned(), |inner, dim| format!("[{inner}; {dim}]"));
            match plan.batch {
                1 => format!("&{image}"),
                batch => format!("&[{image}; {batch}]"),
            }
        };
        let inputs: Vec<String> = plan.inputs.iter().map(input).collect();
        let inputs = inputs.join(", ");
        format!(
            r#"//! Runs the network once, on inputs of 0.5. The network needs neither an operating system nor an allocator;
//! this program does, to print.

use cnn_runtime::emitted::Arena;
use {module}::{type_name};

static NETWORK: {type_name} = {type_name}::new();

fn main() {{
    let mut arena = Box::new(Arena::new());
    let output = NETWORK.run_with(&mut arena, {inputs});
    println!("{{output:?}}");
}}
"#
        )
    }
}
