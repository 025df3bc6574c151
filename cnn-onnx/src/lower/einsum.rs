//! Einsum of one or two operands: sums along axes, and a product of matrices.

use super::dense::{Operand, multiplied};
use super::reduce::reduced;
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::{Known, Value, identity};

/// More letters than there are for two operands and a result without one twice, and signs.
const LONGEST: usize = 200;

/// What an equation says: the axes of each operand and of the result.
struct Equation {
    operands: Vec<Vec<char>>,
    result: Vec<char>,
}

impl Equation {
    fn read(text: &str) -> Result<Equation, String> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        // More letters than there are: some axis would be there twice.
        if text.len() > LONGEST {
            return Err(format!(
                "the equation has {} letters and signs, and at most {LONGEST} are read",
                text.len()
            ));
        }
        if text.contains('.') {
            return Err(format!(
                "the equation `{text}` has an ellipsis; letters for all axes are possible"
            ));
        }
        let (operands, result) = match text.split_once("->") {
            Some((operands, result)) => (operands, Some(result)),
            None => (&*text, None),
        };
        let operands: Vec<Vec<char>> = operands.split(',').map(|letters| letters.chars().collect()).collect();
        // Without it, what is there once, in the order of the alphabet.
        let result = match result {
            Some(result) => result.chars().collect(),
            None => {
                let all: Vec<char> = operands.iter().flatten().copied().collect();
                let mut once: Vec<char> = all.iter().copied().filter(|one| count(&all, *one) == 1).collect();
                once.sort_unstable();
                once
            }
        };
        let letters: Vec<&Vec<char>> = operands.iter().chain([&result]).collect();
        if letters
            .iter()
            .copied()
            .flatten()
            .any(|letter| !letter.is_ascii_alphabetic())
        {
            return Err(format!("the equation `{text}` has characters that name no axis"));
        }
        if letters
            .iter()
            .any(|letters| letters.iter().any(|&one| count(letters, one) > 1))
        {
            return Err(format!("the equation `{text}` takes a diagonal, which is not possible"));
        }
        if result
            .iter()
            .any(|one| operands.iter().all(|letters| !letters.contains(one)))
        {
            return Err(format!(
                "the equation `{text}` has an axis in its result that no operand has"
            ));
        }
        Ok(Equation { operands, result })
    }
}

fn count(letters: &[char], letter: char) -> usize {
    letters.iter().filter(|&&other| other == letter).count()
}

pub(super) fn einsum(node: &mut Node<'_>) -> Outputs {
    let equation = node.attributes.text("equation", "")?.to_owned();
    let mut equation = Equation::read(&equation)?;
    if equation.operands.len() != node.inputs.len() {
        return Err(format!(
            "the equation has {} operands, the node {}",
            equation.operands.len(),
            node.inputs.len()
        ));
    }
    if node.network.batched {
        without_batch(node, &mut equation)?;
    }
    match node.inputs.len() {
        1 => {
            let value = node.value(0)?;
            let letters = equation.operands.swap_remove(0);
            let (value, letters) = summed(node, value, letters, &|letter| equation.result.contains(&letter))?;
            let order = places(&letters, &equation.result)?;
            Ok(vec![Known::Value(value.transposed(&order))])
        }
        2 => product(node, &equation),
        many => Err(format!("has {many} operands; one or two are possible")),
    }
}

/// Takes the letter of the batch away from the values and the result.
fn without_batch(node: &Node<'_>, equation: &mut Equation) -> Result<(), String> {
    let batch = *equation.result.first().ok_or("sums over the batch")?;
    for (letters, input) in equation.operands.iter_mut().zip(&node.inputs) {
        match input {
            Some(Known::Value(_)) if letters.first() == Some(&batch) => drop(letters.remove(0)),
            Some(Known::Constant(_)) if !letters.contains(&batch) => {}
            _ => return Err("works along axis 0, which is the batch; images are independent here".to_owned()),
        }
    }
    equation.result.remove(0);
    Ok(())
}

/// Where each of `letters` stands among `of`.
fn places(of: &[char], letters: &[char]) -> Result<Vec<usize>, String> {
    let place = |letter: &char| of.iter().position(|other| other == letter);
    let found: Option<Vec<usize>> = letters.iter().map(place).collect();
    found.ok_or_else(|| "an axis of the result is nowhere".to_owned())
}

/// The value summed along the axes that are not kept.
fn summed(
    node: &mut Node<'_>,
    value: Value,
    letters: Vec<char>,
    kept: &dyn Fn(char) -> bool,
) -> Result<(Value, Vec<char>), String> {
    if value.dims.len() != letters.len() {
        return Err(format!("{:?} has not {} axes", value.dims, letters.len()));
    }
    let gone: Vec<usize> = (0..letters.len()).filter(|&axis| !kept(letters[axis])).collect();
    if gone.is_empty() {
        return Ok((value, letters));
    }
    let value = reduced(node, "reduce_sum", &value, &gone, false)?.squeezed(&gone);
    let letters = letters.into_iter().filter(|&letter| kept(letter)).collect();
    Ok((value, letters))
}

fn product(node: &mut Node<'_>, equation: &Equation) -> Outputs {
    let mut operands = Vec::new();
    for (index, letters) in equation.operands.iter().enumerate() {
        let other = &equation.operands[1 - index];
        let kept = |letter: char| other.contains(&letter) || equation.result.contains(&letter);
        operands.push(match node.input(index)?.clone() {
            Known::Value(value) => {
                let (value, letters) = summed(node, value, letters.clone(), &kept)?;
                (Operand::Value(value), letters)
            }
            Known::Constant(tensor) if letters.iter().all(|&letter| kept(letter)) => {
                if tensor.dims.len() != letters.len() {
                    return Err(format!("{:?} has not {} axes", tensor.dims, letters.len()));
                }
                (Operand::Constant(tensor), letters.clone())
            }
            Known::Constant(_) => return Err("sums a constant alone".to_owned()),
            Known::Lost => return Err("an operand is not known".to_owned()),
        });
    }
    let [(left, a), (right, b)] = <[_; 2]>::try_from(operands).map_err(|_| "has not two operands".to_owned())?;
    let pick = |of: &[char], wanted: &dyn Fn(char) -> bool| -> Vec<char> {
        of.iter().copied().filter(|&letter| wanted(letter)).collect()
    };
    let result = &equation.result;
    let shared = pick(&a, &|letter| b.contains(&letter) && result.contains(&letter));
    let inner = pick(&a, &|letter| b.contains(&letter) && !result.contains(&letter));
    let (rows, columns) = (
        pick(&a, &|letter| !b.contains(&letter)),
        pick(&b, &|letter| !a.contains(&letter)),
    );
    let mut sizes: Vec<(char, usize)> = Vec::new();
    for (letters, dims) in [(&a, left.dims()), (&b, right.dims())] {
        for (&letter, &dim) in letters.iter().zip(dims) {
            match sizes.iter().find(|(other, _)| *other == letter) {
                Some(&(_, known)) if known != dim => {
                    return Err(format!("axis `{letter}` has the sizes {known} and {dim}"));
                }
                Some(_) => {}
                None => sizes.push((letter, dim)),
            }
        }
    }
    let dims = |letters: &[char]| -> Vec<usize> {
        let size = |letter: &char| {
            sizes
                .iter()
                .find(|(other, _)| other == letter)
                .map_or(1, |(_, size)| *size)
        };
        letters.iter().map(size).collect()
    };
    let product = |letters: &[char]| dims(letters).iter().product::<usize>();
    let left = matrices(node, left, &a, [&shared, &rows, &inner], &dims)?;
    let right = matrices(node, right, &b, [&shared, &inner, &columns], &dims)?;
    crate::tensor::count(&[&*dims(&shared), &[product(&rows), product(&columns)]].concat())?;
    let value = multiplied(node, left, right, true)?;
    let letters = [&*shared, &*rows, &*columns].concat();
    let value = Value::plain(value.data, dims(&letters));
    Ok(vec![Known::Value(value.transposed(&places(&letters, result)?))])
}

/// An operand as matrices: its axes in three groups, of which the last two are one axis each.
fn matrices(
    node: &mut Node<'_>,
    operand: Operand,
    letters: &[char],
    [outer, rows, columns]: [&[char]; 3],
    dims: &dyn Fn(&[char]) -> Vec<usize>,
) -> Result<Operand, String> {
    let order = places(letters, &[outer, rows, columns].concat())?;
    let size = |letters: &[char]| dims(letters).iter().product::<usize>();
    let shape = [&*dims(outer), &[size(rows), size(columns)]].concat();
    Ok(match operand {
        Operand::Value(value) => {
            let value = node.standard(&value.transposed(&order))?;
            Operand::Value(Value::plain(value.data, shape))
        }
        Operand::Constant(tensor) => {
            let turned: Tensor = if order == identity(order.len()) {
                tensor
            } else {
                node.turned(&tensor, &order)?
            };
            Operand::Constant(turned.reshaped(shape))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_read() {
        let read = |text| Equation::read(text).map(|one| (one.operands, one.result));
        assert_eq!(
            read("bij, bjk -> bik"),
            Ok((vec![vec!['b', 'i', 'j'], vec!['b', 'j', 'k']], vec!['b', 'i', 'k']))
        );
        assert_eq!(read("ij,jk").map(|(_, result)| result), Ok(vec!['i', 'k']));
        for (wrong, what) in [
            ("...i->i", "ellipsis"),
            ("ii->i", "diagonal"),
            ("i->j", "no operand"),
            ("i,1->i", "name no axis"),
        ] {
            let told = read(wrong).expect_err("a wrong equation");
            assert!(told.contains(what), "{told}");
        }
    }
}
