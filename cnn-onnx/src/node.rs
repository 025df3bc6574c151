//! A node while it is imported: its inputs, attributes and version, and the layers it becomes.

use cnn_ir::shape::Shape;

use crate::attributes::Attributes;
use crate::movement::{Blocks, Movement, movement};
use crate::names;
use crate::network::{Keys, Network, integer, integers, word};
use crate::proto;
use crate::tensor::{MAX_RANK, Tensor};
use crate::uses::Uses;
use crate::value::{Data, Frame, Known, Value, frame, identity};
use crate::weights::Weight;

/// What importing a node gives: something for each output, or why not.
pub(crate) type Outputs = Result<Vec<Known>, String>;

/// A node while it is imported.
pub(crate) struct Node<'a> {
    pub(crate) message: &'a proto::Node,
    pub(crate) attributes: Attributes<'a>,
    /// The version of the operator set.
    pub(crate) opset: i64,
    /// What is known of each input; `None` for one that is left out.
    pub(crate) inputs: Vec<Option<Known>>,
    /// How many images the arrays of the file hold; 1 if their number is free.
    pub(crate) batch: usize,
    pub(crate) uses: &'a Uses<'a>,
    pub(crate) network: &'a mut Network,
}

impl Node<'_> {
    /// Whether there is such an input.
    pub(crate) fn has(&self, input: usize) -> bool {
        self.inputs.get(input).is_some_and(Option::is_some)
    }

    /// An input that is there.
    pub(crate) fn input(&self, input: usize) -> Result<&Known, String> {
        match self.inputs.get(input) {
            Some(Some(known)) => Ok(known),
            _ => Err(format!("input {} is missing", input + 1)),
        }
    }

    /// An input that the network computes.
    pub(crate) fn value(&self, input: usize) -> Result<Value, String> {
        match self.input(input)? {
            Known::Value(value) => Ok(value.clone()),
            Known::Constant(_) => Err(format!(
                "input {} must be computed from the network's inputs, but is a constant",
                input + 1
            )),
            Known::Lost => Err(format!("input {} is not known", input + 1)),
        }
    }

    /// An input whose elements are known now.
    pub(crate) fn constant(&self, input: usize, what: &str) -> Result<Tensor, String> {
        match self.input(input)? {
            Known::Constant(tensor) => Ok(tensor.clone()),
            Known::Value(_) | Known::Lost => {
                Err(format!("{what} (input {}) must be a constant of the file", input + 1))
            }
        }
    }

    /// An input that may be left out, and must be a constant otherwise.
    pub(crate) fn optional_constant(&self, input: usize, what: &str) -> Result<Option<Tensor>, String> {
        self.has(input).then(|| self.constant(input, what)).transpose()
    }

    /// Integers that are an input from some version on and were an attribute before.
    pub(crate) fn integers(&self, attribute: &'static str, input: usize) -> Result<Option<Vec<i64>>, String> {
        if let Some(tensor) = self.optional_constant(input, &format!("`{attribute}`"))? {
            self.attributes.ignore(attribute);
            return tensor.list().map(Some);
        }
        Ok(self.attributes.ints(attribute)?.map(<[i64]>::to_vec))
    }

    /// Whether somebody uses this output.
    pub(crate) fn gives(&self, output: usize) -> bool {
        self.message.output.get(output).is_some_and(|name| self.uses.any(name))
    }

    /// An error if an output beside the first is used.
    pub(crate) fn one_output(&self, other: &str) -> Result<(), String> {
        if (1..self.message.output.len()).any(|output| self.gives(output)) {
            return Err(format!("only the first output is computed, not {other}"));
        }
        Ok(())
    }

    /// Axes of the ONNX tensor that are not in `dims`: the batch.
    pub(crate) fn outside(&self) -> usize {
        usize::from(self.network.batched)
    }

    /// An axis, perhaps counted from the end, as an index into a value's `dims`.
    pub(crate) fn axis(&self, axis: i64, value: &Value) -> Result<usize, String> {
        let axis = absolute_axis(axis, value.dims.len() + self.outside())?;
        axis.checked_sub(self.outside())
            .ok_or_else(|| "works along axis 0, which is the batch; images are independent here".to_owned())
    }

    /// Several axes, ascending.
    pub(crate) fn axes(&self, axes: &[i64], value: &Value) -> Result<Vec<usize>, String> {
        let mut axes = axes
            .iter()
            .map(|&axis| self.axis(axis, value))
            .collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        match axes.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err("an axis is given twice".to_owned()),
            false => Ok(axes),
        }
    }

    /// The layer that this node becomes, under its name.
    pub(crate) fn layer(
        &mut self,
        op: &str,
        keys: Keys,
        operands: &[&Data],
        weights: Vec<(&'static str, Weight)>,
    ) -> Result<Data, String> {
        let name = self.network.claim(names::candidates(self.message));
        self.network.layer(name, op, keys, operands, weights)
    }

    /// A layer that this node needs besides.
    pub(crate) fn helper(&mut self, op: &str, keys: Keys, operands: &[&Data]) -> Result<Data, String> {
        let stem = names::candidates(self.message).swap_remove(0);
        let name = self.network.names.claim(&[format!("{stem}.{op}")]);
        self.network.layer(name, op, keys, operands, Vec::new())
    }

    /// A tensor of the file as a layer.
    pub(crate) fn constant_layer(&mut self, tensor: &Tensor, shape: Shape) -> Result<Data, String> {
        let stem = names::candidates(self.message).swap_remove(0);
        let name = self.network.names.claim(&[format!("{stem}.constant")]);
        let keys = vec![("shape", integers(&shape.dims()))];
        let tensor = self.real(tensor)?;
        let weight = Weight::Plain(tensor.reshaped(shape.dims()));
        self.network.layer(name, "constant", keys, &[], vec![("value", weight)])
    }

    /// A constant as floats; integers and truth values are these as single precision has them.
    fn real(&mut self, tensor: &Tensor) -> Result<Tensor, String> {
        if tensor.kind.is_float() {
            return Ok(tensor.clone());
        }
        if !tensor.is_uniform() {
            self.network.spend(&tensor.dims)?;
        }
        const EXACT: f64 = (1u32 << 24) as f64;
        let beyond = |numbers: &Tensor| numbers.doubles().into_iter().find(|number| number.abs() > EXACT);
        let checked = tensor.repeated().unwrap_or_else(|| tensor.clone());
        match beyond(&checked) {
            Some(number) => Err(format!("the integer {number} is not exact in single precision")),
            None => Ok(tensor.map(|number| number)),
        }
    }

    /// A constant with its axes permuted.
    pub(crate) fn turned(&mut self, tensor: &Tensor, permutation: &[usize]) -> Result<Tensor, String> {
        if !permutation.is_sorted() && !tensor.is_uniform() {
            self.network.spend(&tensor.dims)?;
        }
        Ok(crate::fold::transposed(tensor, permutation))
    }

    /// Data under another shape of as many elements.
    pub(crate) fn shaped(&mut self, data: &Data, shape: Shape) -> Result<Data, String> {
        match shape {
            _ if data.shape == shape => Ok(data.clone()),
            Shape::Flat(_) => self.helper("flatten", Vec::new(), &[data]),
            Shape::Map { .. } => self.helper("reshape", vec![("shape", integers(&shape.dims()))], &[data]),
        }
    }

    /// The value's data under the shape that its dimensions have in memory, with the axis in that shape of each.
    pub(crate) fn framed(&mut self, value: &Value) -> Result<(Data, Vec<Option<usize>>), String> {
        let dims = value.in_memory();
        let frame = frame(&dims).ok_or_else(|| too_many_axes(&value.dims))?;
        let data = self.shaped(&value.data, frame.shape)?;
        let mut axes = vec![None; dims.len()];
        for (&axis, place) in value.order.iter().zip(frame.axes) {
            axes[axis] = place;
        }
        Ok((data, axes))
    }

    /// The value's data under a shape whose channels are the axis that is first in memory; all others are its pixels.
    pub(crate) fn by_channels(&mut self, value: &Value) -> Result<Data, String> {
        let dims = value.in_memory();
        let shape = match (frame(&dims), &*dims) {
            (Some(frame), _) => frame.shape,
            (None, [channels, pixels @ ..]) => Shape::map(*channels, 1, pixels.iter().product()),
            (None, []) => Shape::Flat(1),
        };
        self.shaped(&value.data, shape)
    }

    /// The value's data as a map in which one axis of the tensor is axis 0, 1 or 2 of the map.
    pub(crate) fn along(&mut self, value: &Value, axis: usize) -> Result<(Data, usize), String> {
        if frame(&value.in_memory()).is_some() {
            let (data, axes) = self.framed(value)?;
            if let Some(place) = axes[axis] {
                return Ok((data, place));
            }
        }
        let dims = value.in_memory();
        let position = value.order.iter().position(|&other| other == axis).unwrap_or(0);
        let shape = Shape::map(
            dims[..position].iter().product(),
            dims[position],
            dims[position + 1..].iter().product(),
        );
        Ok((self.shaped(&value.data, shape)?, 1))
    }

    /// The value with its axes in another order in memory.
    pub(crate) fn ordered(&mut self, value: &Value, order: &[usize]) -> Result<Value, String> {
        let movement = movement(&value.dims, &value.order, order);
        let data = match (&*movement.permutation, value.data.shape) {
            ([] | [0], _) => value.data.clone(),
            // Channels change places, pixels stay: no matter how the pixels are arranged.
            ([1, 0] | [1, 0, 2], Shape::Map { channels, .. }) if channels == movement.from[0] * movement.from[1] => {
                let groups = vec![("groups", integer(movement.from[0]))];
                self.helper("channel_shuffle", groups, &[&value.data])?
            }
            _ => match (movement.blocks(), frame(&value.in_memory())) {
                (Some(blocks), _) => self.rearranged(&value.data, &blocks)?,
                (None, Some(frame)) => self.turned_map(value, &frame, order)?,
                (None, None) => self.transposed(value, &movement)?,
            },
        };
        Ok(Value {
            data,
            dims: value.dims.clone(),
            order: order.to_vec(),
        })
    }

    /// Pixels become channels, or channels pixels.
    fn rearranged(&mut self, data: &Data, blocks: &Blocks) -> Result<Data, String> {
        let [channels, height, width] = blocks.from;
        let data = self.shaped(data, Shape::map(channels, height, width))?;
        let mut keys = vec![("block", integer(blocks.block))];
        keys.extend(blocks.dcr.then(|| ("mode", word("dcr"))));
        self.helper(blocks.op, keys, &[&data])
    }

    /// A value that fits a map, turned as the map that it is.
    fn turned_map(&mut self, value: &Value, frame: &Frame, order: &[usize]) -> Result<Data, String> {
        let place = |axis: &usize| {
            let position = value.order.iter().position(|other| other == axis)?;
            frame.axes[position]
        };
        let mut places: Vec<usize> = order.iter().filter_map(place).collect();
        if let [first, last] = *places {
            places = vec![first, 1, last];
        }
        let data = self.shaped(&value.data, frame.shape)?;
        self.helper("transpose", vec![("order", integers(&places))], &[&data])
    }

    fn transposed(&mut self, value: &Value, movement: &Movement) -> Result<Data, String> {
        let mut data = value.data.clone();
        for step in movement.steps().ok_or_else(|| too_many_axes(&value.dims))? {
            let [channels, height, width] = step.from;
            data = self.shaped(&data, Shape::map(channels, height, width))?;
            data = self.helper("transpose", vec![("order", integers(&step.order))], &[&data])?;
        }
        Ok(data)
    }

    /// The value with its axes in memory as they are numbered.
    pub(crate) fn standard(&mut self, value: &Value) -> Result<Value, String> {
        self.ordered(value, &identity(value.dims.len()))
    }
}

/// What to say of a tensor that does not fit a map.
fn too_many_axes(dims: &[usize]) -> String {
    format!("a tensor of dimensions {dims:?} has too many axes; three are possible beside the batch")
}

/// An axis of a tensor of that rank, perhaps counted from the end.
pub(crate) fn absolute_axis(axis: i64, rank: usize) -> Result<usize, String> {
    if rank > MAX_RANK {
        return Err(format!("a tensor of {rank} axes; at most {MAX_RANK} are possible"));
    }
    let from_start = if axis < 0 {
        axis.checked_add(rank as i64)
    } else {
        Some(axis)
    };
    from_start
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| format!("there is no axis {axis} of {rank}"))
}
