//! What a model's inputs mean: their types and dimensions, which axis is the batch, and where channels are last.

use std::collections::{BTreeMap, HashMap};

use cnn_ir::front::sizes::USUAL;

use crate::error::{Place, Problem, quoted};
use crate::proto::{self, DimensionValue};
use crate::tensor::DataType;

/// A dimension of an input as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dim {
    Size(usize),
    /// Any size; its name, perhaps empty.
    Free(String),
}

/// An input that whoever runs the network gives.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) dims: Vec<Dim>,
    /// Whether it is `[N, H, W, C]` and first of all brought to `[N, C, H, W]`.
    pub(crate) channels_last: bool,
}

impl Declared {
    /// The size of the batch: `None` if it is free.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self.dims.first() {
            Some(Dim::Size(size)) => Some(*size),
            _ => None,
        }
    }

    /// What to say where its free size fits nothing that was tried.
    pub(crate) fn unfit(&self, name: &str) -> Problem {
        let tried: Vec<_> = USUAL.iter().map(usize::to_string).collect();
        Problem {
            place: Place::Value {
                what: "input",
                name: self.name.clone(),
            },
            message: format!(
                "{} is free, and the layers fit none of the sizes that were tried ({}). Say which it is with --shape {}={}",
                quoted(name),
                tried.join(", "),
                self.name.escape_debug(),
                self.example()
            ),
        }
    }

    /// A shape that the input could be given.
    fn example(&self) -> String {
        let example = self.dims.iter().enumerate().map(|(axis, dim)| match (axis, dim) {
            (_, Dim::Size(size)) => size.to_string(),
            (0, Dim::Free(_)) => "1".to_owned(),
            (1, Dim::Free(_)) => "3".to_owned(),
            (_, Dim::Free(_)) => "224".to_owned(),
        });
        example.collect::<Vec<_>>().join(",")
    }

    /// The dimensions from `first` on, all of which must be known.
    pub(crate) fn sizes(&self, first: usize) -> Result<Vec<usize>, String> {
        let sizes: Option<Vec<usize>> = self.dims[first..]
            .iter()
            .map(|dim| match dim {
                Dim::Size(size) => Some(*size),
                Dim::Free(_) => None,
            })
            .collect();
        sizes.ok_or_else(|| {
            let free = |dim: &Dim| match dim {
                Dim::Free(name) if !name.is_empty() => Some(quoted(name)),
                Dim::Free(_) => Some("without a name".to_owned()),
                Dim::Size(_) => None,
            };
            format!(
                "dimensions are free: {}; only the batch, height and width may be. Say which they are with --shape {}={}",
                self.dims[first..]
                    .iter()
                    .filter_map(free)
                    .collect::<Vec<_>>()
                    .join(", "),
                self.name.escape_debug(),
                self.example()
            )
        })
    }
}

/// Names of the heights and widths that are free, in the order of first places, and where they stand: an input's position
/// and an axis. Those without a name get one.
pub(crate) fn free(declared: &mut [Declared]) -> Vec<(String, Vec<(usize, usize)>)> {
    let mut found: Vec<(String, Vec<(usize, usize)>)> = Vec::new();
    let several = declared.len() > 1;
    for (position, input) in declared.iter_mut().enumerate() {
        // `[N, C, H, W]`, `[N, H, W, C]`, or `[N, C, length]`.
        let (axes, names) = match (input.dims.len(), input.channels_last) {
            (4, false) => (2..4, ["height", "width"]),
            (4, true) => (1..3, ["height", "width"]),
            (3, _) => (2..3, ["length", ""]),
            _ => continue,
        };
        for (axis, plain) in axes.zip(names) {
            let Dim::Free(name) = &mut input.dims[axis] else {
                continue;
            };
            if name.is_empty() {
                *name = match several {
                    true => format!("{}.{plain}", input.name),
                    false => plain.to_owned(),
                };
            }
            match found.iter_mut().find(|(known, _)| known == name) {
                Some((_, places)) => places.push((position, axis)),
                None => found.push((name.clone(), vec![(position, axis)])),
            }
        }
    }
    found
}

/// The inputs of a graph that no initialiser fills, with the shapes that the options give them, and what is wrong.
pub(crate) fn read(graph: &proto::Graph, shapes: &BTreeMap<String, Vec<usize>>) -> (Vec<Declared>, Vec<Problem>) {
    let filled: std::collections::HashSet<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
    let mut problems = Vec::new();
    let mut declared = Vec::new();
    let mut users: HashMap<&str, Vec<&proto::Node>> = HashMap::new();
    for node in &graph.node {
        for name in &node.input {
            users.entry(name).or_default().push(node);
        }
    }
    for input in graph.input.iter().filter(|input| !filled.contains(&*input.name)) {
        match one(&users, input, shapes.get(&input.name)) {
            Ok(input) => declared.push(input),
            Err(message) => problems.push(Problem {
                place: Place::Value {
                    what: "input",
                    name: input.name.clone(),
                },
                message,
            }),
        }
    }
    for name in shapes.keys() {
        if !declared.iter().any(|input| input.name == *name) && problems.is_empty() {
            let names: Vec<_> = declared.iter().map(|input| quoted(&input.name)).collect();
            problems.push(Problem {
                place: Place::Value {
                    what: "input",
                    name: name.clone(),
                },
                message: format!(
                    "a shape is given for it, but the model's inputs are {}",
                    names.join(", ")
                ),
            });
        }
    }
    (declared, problems)
}

fn one(
    users: &HashMap<&str, Vec<&proto::Node>>,
    input: &proto::ValueInfo,
    given: Option<&Vec<usize>>,
) -> Result<Declared, String> {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or("is no tensor")?;
    let kind = DataType::from_number(tensor.elem_type)?;
    if !kind.is_float() {
        return Err(format!(
            "holds elements of {kind:?}; what runs takes floats. A constant belongs into the file as an initializer"
        ));
    }
    let from_file = || -> Result<Vec<Dim>, String> {
        let shape = tensor.shape.as_ref().ok_or("has no shape")?;
        let dim = |dim: &proto::Dimension| match &dim.value {
            Some(DimensionValue::Size(size)) => match usize::try_from(*size) {
                Ok(size) if size > 0 => Ok(Dim::Size(size)),
                // Some exporters write 0 or −1 for a free dimension.
                _ => Ok(Dim::Free(String::new())),
            },
            Some(DimensionValue::Name(name)) => Ok(Dim::Free(name.clone())),
            None => Ok(Dim::Free(String::new())),
        };
        shape.dim.iter().map(dim).collect()
    };
    let dims = match given {
        None => from_file()?,
        Some(given) => {
            if let Ok(file) = from_file() {
                let fits = |(dim, size): (&Dim, &usize)| !matches!(dim, Dim::Size(known) if known != size);
                if file.len() != given.len() || !file.iter().zip(given).skip(1).all(fits) {
                    return Err(format!("is given the shape {given:?}, but has {}", described(&file)));
                }
            }
            given.iter().map(|&size| Dim::Size(size)).collect()
        }
    };
    Ok(Declared {
        name: input.name.clone(),
        channels_last: dims.len() == 4 && is_turned(users, &input.name),
        dims,
    })
}

/// Operators between an image and the first convolution that work wherever the channels are.
const ANY_ORDER: [&str; 9] = ["Add", "Cast", "Clip", "Div", "Identity", "Mul", "Pad", "Relu", "Sub"];

/// So many of them are followed.
const MOST_BEFORE: usize = 16;

/// Whether a tensor is brought from `[N, H, W, C]` to `[N, C, H, W]` before anything asks where its channels are.
fn is_turned(users: &HashMap<&str, Vec<&proto::Node>>, name: &str) -> bool {
    let mut names = vec![name];
    let mut turned = false;
    let mut next = 0;
    while let Some(&name) = names.get(next) {
        next += 1;
        for node in users.get(name).into_iter().flatten() {
            let turns = |one: &proto::Attribute| one.name == "perm" && one.ints == [0, 3, 1, 2];
            match &*node.op_type {
                "Transpose" if node.attribute.iter().any(turns) => turned = true,
                op if ANY_ORDER.contains(&op) => names.extend(node.output.iter().map(String::as_str)),
                _ => return false,
            }
            if names.len() > MOST_BEFORE {
                return false;
            }
        }
    }
    turned
}

fn described(dims: &[Dim]) -> String {
    let text = |dim: &Dim| match dim {
        Dim::Size(size) => size.to_string(),
        Dim::Free(name) if name.is_empty() => "?".to_owned(),
        Dim::Free(name) => name.escape_debug().to_string(),
    };
    format!("[{}]", dims.iter().map(text).collect::<Vec<_>>().join(", "))
}
