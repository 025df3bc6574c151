//! Reductions along axes.

use cnn_ir::shape::Shape;

use crate::network::integers;
use crate::node::{Node, Outputs};
use crate::value::{Data, Known, Value, frame};

/// What reduces, one axis after the other, to the same as all axes at once.
const SEPARABLE: [&str; 5] = ["reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"];

/// `ReduceX` as the language's `op`.
pub(super) fn reduce(node: &mut Node<'_>, op: &'static str) -> Outputs {
    let value = node.value(0)?;
    let axes = node.integers("axes", 1)?.unwrap_or_default();
    let keep = node.attributes.flag("keepdims", true)?;
    let nothing = node.attributes.flag("noop_with_empty_axes", false)?;
    let axes = match axes.is_empty() {
        true if nothing => return Ok(vec![Known::Value(value)]),
        true if node.network.batched => {
            return Err("works along axis 0, which is the batch; images are independent here".to_owned());
        }
        true => (0..value.dims.len()).collect(),
        false => node.axes(&axes, &value)?,
    };
    let reduced = reduced(node, op, &value, &axes, true)?;
    Ok(vec![Known::Value(if keep { reduced } else { reduced.squeezed(&axes) })])
}

/// The value with these axes (ascending) reduced to 1; by the node's own layer if it is the `last` one.
pub(super) fn reduced(
    node: &mut Node<'_>,
    op: &'static str,
    value: &Value,
    axes: &[usize],
    last: bool,
) -> Result<Value, String> {
    super::function::known(op)?;
    let mut dims = value.dims.clone();
    axes.iter().for_each(|&axis| dims[axis] = 1);
    let data = match frame(&value.in_memory()) {
        Some(_) => of_map(node, op, value, axes, last)?,
        None => of_many(node, op, value, axes, last)?,
    };
    Ok(Value {
        data,
        dims,
        order: value.order.clone(),
    })
}

fn layer(node: &mut Node<'_>, op: &'static str, places: &[usize], data: &Data, last: bool) -> Result<Data, String> {
    let keys = vec![("axes", integers(places))];
    match last {
        true => node.layer(op, keys, &[data], Vec::new()),
        false => node.helper(op, keys, &[data]),
    }
}

fn of_map(node: &mut Node<'_>, op: &'static str, value: &Value, axes: &[usize], last: bool) -> Result<Data, String> {
    let (data, places) = node.framed(value)?;
    let mut places: Vec<usize> = axes.iter().filter_map(|&axis| places[axis]).collect();
    places.sort_unstable();
    if places.is_empty() {
        // Of one element, the sum of squares is no identity.
        return match SEPARABLE.contains(&op) {
            true => Ok(data),
            false => layer(node, op, &[0], &data, last),
        };
    }
    let unit = matches!(data.shape, Shape::Map { height: 1, .. });
    let pool = match op {
        "reduce_mean" => Some("global_avg_pool"),
        "reduce_max" => Some("global_max_pool"),
        _ => None,
    };
    match pool.filter(|_| *places == [1, 2] || (unit && *places == [2])) {
        Some(pool) if last => node.layer(pool, Vec::new(), &[&data], Vec::new()),
        Some(pool) => node.helper(pool, Vec::new(), &[&data]),
        None => layer(node, op, &places, &data, last),
    }
}

/// Of more than three axes: those that lie side by side are one.
fn of_many(node: &mut Node<'_>, op: &'static str, value: &Value, axes: &[usize], last: bool) -> Result<Data, String> {
    let mut dims = value.in_memory();
    let mut places: Vec<usize> = (0..dims.len())
        .filter(|&place| axes.contains(&value.order[place]) && dims[place] != 1)
        .collect();
    let mut data = value.data.clone();
    while let Some(&first) = places.first() {
        let run = (0..places.len()).take_while(|&i| places[i] == first + i).count();
        let end = first + run;
        places.drain(..run);
        if !(places.is_empty() || SEPARABLE.contains(&op)) {
            return Err(format!("axes of {:?} must lie side by side", value.dims));
        }
        let product = |dims: &[usize]| dims.iter().product();
        let shape = Shape::map(
            product(&dims[..first]),
            product(&dims[first..end]),
            product(&dims[end..]),
        );
        let map = node.shaped(&data, shape)?;
        data = layer(node, op, &[1], &map, last && places.is_empty())?;
        dims[first..end].fill(1);
    }
    Ok(data)
}
