//! LSTM and GRU.

use cnn_ir::ast::ValueKind;
use cnn_ir::op::Recurrent;
use cnn_ir::shape::Shape;

use super::window::size;
use crate::network::{Keys, integer, word};
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::{Data, Known, Value};
use crate::weights::Weight;

/// What the two operators differ in.
pub(super) struct Kind {
    op: &'static str,
    /// Which of ONNX's gates each of PyTorch's is.
    gates: &'static [usize],
    activations: &'static [&'static str],
    /// Inputs that are first states.
    states: &'static [usize],
}

/// ONNX has i, o, f, c.
pub(super) const LSTM: Kind = Kind {
    op: "lstm",
    gates: &[0, 2, 3, 1],
    activations: &["sigmoid", "tanh", "tanh"],
    states: &[5, 6],
};

/// ONNX has z, r, h.
pub(super) const GRU: Kind = Kind {
    op: "gru",
    gates: &[1, 0, 2],
    activations: &["sigmoid", "tanh"],
    states: &[5],
};

/// Sequences, steps, features; directions, units.
struct Sizes {
    sequences: usize,
    steps: usize,
    features: usize,
    directions: usize,
    units: usize,
}

pub(super) fn recurrent(node: &mut Node<'_>, kind: &Kind) -> Outputs {
    let value = node.value(0)?;
    let batch_first = node.attributes.flag("layout", false)?;
    if node.network.batched && !batch_first {
        return Err("axis 0 are the steps of the sequences, not the batch".to_owned());
    }
    // Sequences, steps, features.
    let value = match (&*value.dims, batch_first) {
        ([_, _], true) if node.network.batched => value.unsqueezed(&[0]),
        ([_, _, _], true) if !node.network.batched => value,
        ([_, _, _], false) => value.transposed(&[1, 0, 2]),
        (dims, _) => {
            return Err(format!(
                "input 1 has the dimensions {dims:?}; sequences of vectors are possible"
            ));
        }
    };
    let direction = node.attributes.text("direction", "forward")?;
    let (direction, reverse): (_, &[usize]) = match direction {
        "forward" => ("forward", &[0]),
        "reverse" => ("reverse", &[1]),
        "bidirectional" => ("both", &[0, 1]),
        other => return Err(format!("`direction` is {other:?}, which ONNX does not know")),
    };
    let of_input = node.constant(1, "the weights of the features")?;
    let of_state = node.constant(2, "the weights of the state")?;
    let units = match node.attributes.optional_int("hidden_size")? {
        Some(units) => size("hidden_size", units, 1)?,
        None => of_state.dims.last().copied().unwrap_or(0),
    };
    let sizes = Sizes {
        sequences: value.dims[0],
        steps: value.dims[1],
        features: value.dims[2],
        directions: reverse.len(),
        units,
    };
    refuse(node, kind, &sizes)?;
    let bias = node.optional_constant(3, "the biases")?;

    let mut keys = vec![("units", integer(units))];
    if direction != "forward" {
        keys.push(("direction", word(direction)));
    }
    if bias.is_none() {
        keys.push(("bias", ValueKind::Boolean(false)));
    }
    let cells = kind.op == "lstm" && node.gives(2);
    if cells {
        keys.push(("cells", ValueKind::Boolean(true)));
    }
    // The default is not PyTorch's.
    if kind.op == "gru" && !node.attributes.flag("linear_before_reset", false)? {
        keys.push(("reset_after", ValueKind::Boolean(false)));
    }
    let mut weights = Vec::new();
    for (index, &reverse) in reverse.iter().enumerate() {
        let names = Recurrent::WEIGHTS[reverse];
        let place = [index, sizes.directions];
        weights.push((names[0], ordered(node, kind, &of_input, place, units, sizes.features)?));
        weights.push((names[1], ordered(node, kind, &of_state, place, units, units)?));
        for (half, name) in names[2..].iter().enumerate().filter(|_| bias.is_some()) {
            let Some(bias) = &bias else { continue };
            let place = [2 * index + half, 2 * sizes.directions];
            weights.push((*name, ordered(node, kind, bias, place, units, 0)?));
        }
    }
    let standard = node.standard(&value)?;
    let shape = Shape::map(sizes.sequences, sizes.steps, sizes.features);
    let mut operands = vec![node.shaped(&standard.data, shape)?];
    operands.extend(states(node, kind, &sizes, batch_first)?);
    let operands: Vec<&Data> = operands.iter().collect();
    let data = node.layer(kind.op, keys, &operands, weights)?;

    let given = Given { data, cells };
    let last = |node: &mut Node<'_>, output: usize| match node.gives(output) {
        true => last_states(node, &given, output - 1, &sizes, reverse, batch_first).map(Known::Value),
        false => Ok(Known::Lost),
    };
    let last = [last(node, 1)?, last(node, 2)?];
    let data = match (cells, node.gives(0)) {
        (false, _) => given.data,
        (true, false) => return Ok([[Known::Lost].as_slice(), &last].concat()),
        (true, true) => node.helper("slice", slice(2, 0, sizes.directions * sizes.units), &[&given.data])?,
    };
    let Sizes {
        sequences,
        steps,
        directions,
        ..
    } = sizes;
    let result = match (node.network.batched, batch_first) {
        (true, _) => Value::plain(data, vec![steps, directions, units]),
        (false, true) => Value::plain(data, vec![sequences, steps, directions, units]),
        (false, false) => Value::plain(data, vec![sequences, steps, directions, units]).transposed(&[1, 2, 0, 3]),
    };
    Ok([[Known::Value(result)].as_slice(), &last].concat())
}

/// What the layer gives: h of each direction, and c of each if it is wanted.
struct Given {
    data: Data,
    cells: bool,
}

impl Given {
    /// The units of a direction's h (0) or c (1), of some of its steps.
    fn part(
        &self,
        node: &mut Node<'_>,
        steps: &Data,
        sizes: &Sizes,
        direction: usize,
        state: usize,
    ) -> Result<Data, String> {
        let states = if self.cells { 2 } else { 1 };
        match states * sizes.directions {
            1 => Ok(steps.clone()),
            _ => {
                let start = (state * sizes.directions + direction) * sizes.units;
                node.helper("slice", slice(2, start, sizes.units), &[steps])
            }
        }
    }
}

/// The keys of a slice of some elements of an axis.
fn slice(axis: usize, start: usize, count: usize) -> Keys {
    vec![
        ("axis", integer(axis)),
        ("start", integer(start)),
        ("end", integer(start + count)),
    ]
}

/// What the language has no words for.
fn refuse(node: &Node<'_>, kind: &Kind, sizes: &Sizes) -> Result<(), String> {
    if let Some(activations) = node.attributes.texts("activations")? {
        let expected = kind.activations.iter().cycle();
        let same = activations.iter().zip(expected).all(|(a, b)| a.eq_ignore_ascii_case(b));
        if !same {
            return Err(format!(
                "`activations` are {}; {} are possible",
                activations.join(", "),
                kind.activations.join(", ")
            ));
        }
    }
    for name in ["activation_alpha", "activation_beta"] {
        // Sigmoid and tanh have none.
        node.attributes.ignore(name);
    }
    if node.attributes.optional_float("clip")?.is_some() {
        return Err("`clip` limits what goes into the gates, which is not possible".to_owned());
    }
    if kind.op == "lstm" && (node.attributes.flag("input_forget", false)? || node.has(7)) {
        return Err("gates that are coupled, or that see c (peepholes), are not possible".to_owned());
    }
    if let Some(lengths) = node.optional_constant(4, "the sequences' lengths")?
        && lengths.integers()?.iter().any(|&length| length != sizes.steps as i64)
    {
        return Err(format!(
            "its sequences differ in length; all of {} steps are possible",
            sizes.steps
        ));
    }
    Ok(())
}

/// Part `part` of `parts` of a tensor of gates, `[gates·units, columns]` (no columns: a vector), in PyTorch's order.
fn ordered(
    node: &mut Node<'_>,
    kind: &Kind,
    tensor: &Tensor,
    [part, parts]: [usize; 2],
    units: usize,
    columns: usize,
) -> Result<Weight, String> {
    let rows = units.checked_mul(kind.gates.len()).ok_or("there are too many units")?;
    let dims = if columns == 0 { vec![rows] } else { vec![rows, columns] };
    let row = columns.max(1);
    let all = [dims.as_slice(), &[parts]].concat();
    if crate::tensor::count(&all)? != tensor.len() {
        return Err(format!(
            "weights of the dimensions {:?} do not fit {} gates of {units} units",
            tensor.dims,
            kind.gates.len()
        ));
    }
    node.network.spend(&dims)?;
    let gate = units * row;
    let first = part * rows * row;
    let elements = kind
        .gates
        .iter()
        .flat_map(|&from| (0..gate).map(move |i| first + from * gate + i));
    Ok(Weight::Plain(tensor.picked(dims, elements)))
}

/// Whether all elements are 0; of a uniform tensor, which may have any number of them, one is looked at.
fn is_zero(tensor: &Tensor) -> bool {
    let zero = |tensor: &Tensor| tensor.doubles().iter().all(|&x| x == 0.0);
    tensor.repeated().map_or_else(|| zero(tensor), |one| zero(&one))
}

/// The first states as the layer takes them, `[sequences, directions, units]`; none if all are 0.
fn states(node: &mut Node<'_>, kind: &Kind, sizes: &Sizes, batch_first: bool) -> Result<Vec<Data>, String> {
    let given: Vec<Option<Known>> = kind
        .states
        .iter()
        .map(|&input| node.inputs.get(input).cloned().flatten())
        .map(|known| match known {
            Some(Known::Constant(tensor)) if is_zero(&tensor) => None,
            known => known,
        })
        .collect();
    if given.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let shape = Shape::map(sizes.sequences, sizes.directions, sizes.units);
    let [sequences, directions, units] = shape.extent();
    let mut operands = Vec::new();
    for known in given {
        operands.push(match known {
            Some(Known::Value(value)) => {
                let value = match (node.network.batched, batch_first) {
                    (false, false) if value.dims.len() == 3 => value.transposed(&[1, 0, 2]),
                    _ => value,
                };
                if value.dims.iter().product::<usize>() != shape.elements() {
                    return Err(format!(
                        "a first state has the dimensions {:?}, not {shape}",
                        value.dims
                    ));
                }
                let value = node.standard(&value)?;
                node.shaped(&value.data, shape)?
            }
            Some(Known::Constant(tensor)) => {
                let tensor = match (&*tensor.dims, batch_first) {
                    (&[d, n, h], false) if [n, d, h] == [sequences, directions, units] => {
                        node.turned(&tensor, &[1, 0, 2])?
                    }
                    (dims, true) if dims == [sequences, directions, units] => tensor,
                    (dims, _) => return Err(format!("a first state has the dimensions {dims:?}, not {shape}")),
                };
                node.constant_layer(&tensor, shape)?
            }
            Some(Known::Lost) => return Err("a first state is not known".to_owned()),
            None => {
                let zero = Tensor::from_floats(vec![1], vec![0.0]);
                node.constant_layer(&Tensor::uniform(shape.dims(), &zero), shape)?
            }
        });
    }
    Ok(operands)
}

/// h (0) or c (1) after the last step of each direction: `[directions, sequences, units]`.
fn last_states(
    node: &mut Node<'_>,
    given: &Given,
    state: usize,
    sizes: &Sizes,
    reverse: &[usize],
    batch_first: bool,
) -> Result<Value, String> {
    let mut parts = Vec::new();
    for (index, &reverse) in reverse.iter().enumerate() {
        let step = if reverse == 1 { 0 } else { sizes.steps - 1 };
        let last = match sizes.steps {
            1 => given.data.clone(),
            _ => node.helper("slice", slice(1, step, 1), &[&given.data])?,
        };
        parts.push(given.part(node, &last, sizes, index, state)?);
    }
    let parts: Vec<&Data> = parts.iter().collect();
    let joined = match *parts {
        [one] => one.clone(),
        _ => node.helper("concat", Vec::new(), &parts)?,
    };
    let dims = vec![sizes.directions, sizes.sequences, sizes.units];
    Ok(match (node.network.batched, batch_first) {
        (true, _) => Value::plain(joined, vec![sizes.directions, sizes.units]),
        (false, true) => Value::plain(joined, dims).transposed(&[1, 0, 2]),
        (false, false) => Value::plain(joined, dims),
    })
}
