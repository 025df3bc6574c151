//! Subgraphs that exporters write for one operation, as that operation; and nodes that nobody needs, left out.

use std::collections::{HashMap, HashSet};

use crate::proto::{self, kind};
use crate::tensor::Tensor;

/// What a tensor must be.
enum Pattern {
    /// The operand: the same tensor everywhere.
    X,
    /// A constant of one element: this number.
    Number(f64),
    /// A constant of one element, which the operation needs to know.
    Captured,
    /// What an operator makes of these. The operands of sums and products may stand in any order.
    Op(&'static str, Vec<Pattern>),
    /// The mean along axes, which stay; the same axes everywhere.
    Mean(Box<Pattern>),
    /// What is cut off at these bounds.
    Clip(Box<Pattern>, f64, f64),
    /// One of several ways to write it.
    Any(Vec<Pattern>),
}

use Pattern::{Any, Captured, Number, X};

fn op<const N: usize>(name: &'static str, operands: [Pattern; N]) -> Pattern {
    Pattern::Op(name, operands.into())
}

fn mul(a: Pattern, b: Pattern) -> Pattern {
    op("Mul", [a, b])
}

fn add(a: Pattern, b: Pattern) -> Pattern {
    op("Add", [a, b])
}

/// `a · number`, or `a` over one over it.
fn times(a: fn() -> Pattern, number: f64) -> Pattern {
    Any(vec![mul(a(), Number(number)), op("Div", [a(), Number(1.0 / number)])])
}

/// `x/2 · gate`, however it is bracketed.
fn half_gated(gate: fn() -> Pattern) -> Pattern {
    let half = |a: Pattern| mul(a, Number(0.5));
    Any(vec![
        half(mul(X, gate())),
        mul(half(X), gate()),
        mul(X, half(gate())),
        op("Div", [mul(X, gate()), Number(2.0)]),
    ])
}

/// `(1 + erf(x/√2))`
fn erf_gate() -> Pattern {
    add(op("Erf", [times(|| X, std::f64::consts::FRAC_1_SQRT_2)]), Number(1.0))
}

/// `(1 + tanh(√(2/π) · (x + 0.044715·x³)))`
fn tanh_gate() -> Pattern {
    fn cube() -> Pattern {
        Any(vec![
            op("Pow", [X, Number(3.0)]),
            mul(mul(X, X), X),
            mul(op("Pow", [X, Number(2.0)]), X),
        ])
    }
    const FACTOR: f64 = 0.044_715;
    fn inner() -> Pattern {
        Any(vec![
            add(X, mul(cube(), Number(FACTOR))),
            // Factored: x · (1 + 0.044715·x²).
            mul(X, add(mul(mul(X, X), Number(FACTOR)), Number(1.0))),
            mul(X, add(mul(mul(X, Number(FACTOR)), X), Number(1.0))),
        ])
    }
    let root = (2.0 / std::f64::consts::PI).sqrt();
    add(op("Tanh", [times(inner, root)]), Number(1.0))
}

/// `min(max(x + 3, 0), 6)`
fn relu6_of_x_and_3() -> Pattern {
    Pattern::Clip(Box::new(add(X, Number(3.0))), 0.0, 6.0)
}

/// `ln(1 + e^x)`, which PyTorch leaves at `x` above 20.
fn softplus() -> Pattern {
    op("Where", [op("Greater", [X, Number(20.0)]), X, op("Softplus", [X])])
}

/// `(x − mean) / √(variance + ε)`
fn normalised() -> Pattern {
    fn centred() -> Pattern {
        op("Sub", [X, Pattern::Mean(Box::new(X))])
    }
    fn squares() -> Pattern {
        Any(vec![op("Pow", [centred(), Number(2.0)]), mul(centred(), centred())])
    }
    let deviation = op("Sqrt", [add(Pattern::Mean(Box::new(squares())), Captured)]);
    op("Div", [centred(), deviation])
}

/// The operators that a pattern's last node may be, the pattern, and the node it becomes.
type Operation = (&'static [&'static str], Pattern, fn(&Match<'_>) -> proto::Node);

/// The operations that are known.
fn operations() -> Vec<Operation> {
    vec![
        (&["Mul", "Div"], half_gated(erf_gate), |_| plain("Gelu")),
        (&["Mul", "Div"], half_gated(tanh_gate), |_| {
            let mut node = plain("Gelu");
            node.attribute.push(proto::Attribute {
                name: "approximate".into(),
                kind: kind::STRING,
                s: "tanh".into(),
                ..proto::Attribute::default()
            });
            node
        }),
        (
            &["Mul", "Div"],
            Any(vec![
                mul(X, times(relu6_of_x_and_3, 1.0 / 6.0)),
                times(|| mul(X, relu6_of_x_and_3()), 1.0 / 6.0),
            ]),
            |_| plain("HardSwish"),
        ),
        (&["Mul", "Div"], times(relu6_of_x_and_3, 1.0 / 6.0), |_| {
            let mut node = plain("HardSigmoid");
            node.attribute.push(float("alpha", 1.0 / 6.0));
            node
        }),
        (&["Where"], softplus(), |_| plain("Softplus")),
        (&["Div"], normalised(), |found| {
            let mut node = plain("MeanVarianceNormalization");
            node.attribute.push(float("epsilon", found.captured.unwrap_or(0.0)));
            node.attribute.push(proto::Attribute {
                name: "axes".into(),
                kind: kind::INTS,
                ints: found.axes.clone().unwrap_or_default(),
                ..proto::Attribute::default()
            });
            node
        }),
    ]
}

fn plain(op: &str) -> proto::Node {
    proto::Node {
        op_type: op.to_owned(),
        ..proto::Node::default()
    }
}

fn float(name: &str, f: f64) -> proto::Attribute {
    proto::Attribute {
        name: name.to_owned(),
        kind: kind::FLOAT,
        f: f as f32,
        ..proto::Attribute::default()
    }
}

/// What a pattern's parts turned out to be.
#[derive(Clone, Default)]
struct Match<'a> {
    x: Option<&'a str>,
    captured: Option<f64>,
    axes: Option<Vec<i64>>,
}

/// A graph to look for patterns in.
struct Search<'a> {
    nodes: &'a [proto::Node],
    /// Which node gives a tensor.
    givers: HashMap<&'a str, usize>,
    /// Constants of one element.
    numbers: HashMap<&'a str, f64>,
    /// Constants that may be axes.
    lists: HashMap<&'a str, Vec<i64>>,
}

/// Constants are looked at up to so many elements.
const FEW: i64 = 8;

impl<'a> Search<'a> {
    fn of(graph: &'a proto::Graph) -> Search<'a> {
        let mut search = Search {
            nodes: &graph.node,
            givers: HashMap::new(),
            numbers: HashMap::new(),
            lists: HashMap::new(),
        };
        for tensor in &graph.initializer {
            search.constant(&tensor.name, tensor);
        }
        for (index, node) in graph.node.iter().enumerate() {
            for output in &node.output {
                search.givers.insert(output, index);
            }
            if let ("Constant", Some(output)) = (&*node.op_type, node.output.first()) {
                for attribute in &node.attribute {
                    match (&*attribute.name, &attribute.t) {
                        ("value", Some(tensor)) => search.constant(output, tensor),
                        ("value_float", _) => drop(search.numbers.insert(output, attribute.f.into())),
                        ("value_ints", _) if attribute.ints.len() <= FEW as usize => {
                            search.lists.insert(output, attribute.ints.clone());
                        }
                        _ => {}
                    }
                }
            }
        }
        search
    }

    fn constant(&mut self, name: &'a str, tensor: &proto::Tensor) {
        let elements = tensor.dims.iter().try_fold(1i64, |count, &dim| count.checked_mul(dim));
        if !elements.is_some_and(|elements| (1..=FEW).contains(&elements)) || tensor.data_location == 1 {
            return;
        }
        let Ok(tensor) = Tensor::read(tensor, |_| Err(String::new())) else {
            return;
        };
        match tensor.kind.is_float() {
            true => drop(tensor.scalar().map(|number| self.numbers.insert(name, number))),
            false => drop(tensor.integers().map(|list| self.lists.insert(name, list))),
        }
    }

    /// Whether a tensor is what the pattern says, given what is known of its parts.
    fn matches(&self, pattern: &Pattern, name: &'a str, known: &Match<'a>) -> Option<Match<'a>> {
        match pattern {
            X => match known.x {
                Some(x) => (x == name).then(|| known.clone()),
                None => (!self.numbers.contains_key(name)).then(|| Match {
                    x: Some(name),
                    ..known.clone()
                }),
            },
            Number(number) => {
                let found = self.numbers.get(name)?;
                // Exporters round constants to half precision at worst.
                ((found - number).abs() <= 1e-3 * number.abs()).then(|| known.clone())
            }
            Captured => {
                let number = *self.numbers.get(name)?;
                known.captured.is_none_or(|other| other == number).then(|| Match {
                    captured: Some(number),
                    ..known.clone()
                })
            }
            Any(ways) => ways.iter().find_map(|way| self.matches(way, name, known)),
            Pattern::Op(operator, operands) => {
                let node = self.node(name, operator)?;
                let inputs: Vec<&'a str> = node.input.iter().map(String::as_str).collect();
                self.all(operands, &inputs, known)
                    .or_else(|| match (&*inputs, *operator) {
                        (&[a, b], "Add" | "Mul") => self.all(operands, &[b, a], known),
                        _ => None,
                    })
            }
            Pattern::Mean(of) => {
                let node = self.node(name, "ReduceMean")?;
                let axes = self.axes(node)?;
                if known.axes.as_ref().is_some_and(|other| *other != axes) {
                    return None;
                }
                let known = Match {
                    axes: Some(axes),
                    ..known.clone()
                };
                self.matches(of, node.input.first()?, &known)
            }
            Pattern::Clip(of, low, high) => {
                let node = self.node(name, "Clip")?;
                let bound = |attribute: &str, input: usize| {
                    let written = node
                        .attribute
                        .iter()
                        .find(|one| one.name == attribute)
                        .map(|one| one.f.into());
                    let given = node
                        .input
                        .get(input)
                        .and_then(|name| self.numbers.get(&**name))
                        .copied();
                    written.or(given)
                };
                let fits = (bound("min", 1), bound("max", 2)) == (Some(*low), Some(*high));
                fits.then(|| self.matches(of, node.input.first()?, known)).flatten()
            }
        }
    }

    /// All operands, from the first to the last.
    fn all(&self, patterns: &[Pattern], names: &[&'a str], known: &Match<'a>) -> Option<Match<'a>> {
        if patterns.len() != names.len() {
            return None;
        }
        let mut pairs = patterns.iter().zip(names);
        pairs.try_fold(known.clone(), |known, (pattern, name)| {
            self.matches(pattern, name, &known)
        })
    }

    /// The node that gives a tensor, if it is of that operator.
    fn node(&self, name: &str, operator: &str) -> Option<&'a proto::Node> {
        let node = &self.nodes[*self.givers.get(name)?];
        (node.op_type == operator && matches!(&*node.domain, "" | "ai.onnx")).then_some(node)
    }

    /// The axes of a reduction that keeps them.
    fn axes(&self, node: &proto::Node) -> Option<Vec<i64>> {
        let attribute = |name: &str| node.attribute.iter().find(|one| one.name == name);
        if attribute("keepdims").is_some_and(|keep| keep.i != 1) {
            return None;
        }
        match (attribute("axes"), node.input.get(1)) {
            (Some(axes), _) => (axes.ints.len() <= FEW as usize).then(|| axes.ints.clone()),
            (None, Some(name)) => self.lists.get(&**name).cloned(),
            (None, None) => None,
        }
    }
}

/// Puts operations in the place of what exporters write for them, and leaves out the nodes that no output needs.
pub(crate) fn simplify(graph: &mut proto::Graph) {
    let operations = operations();
    let search = Search::of(graph);
    let mut found = Vec::new();
    for (index, node) in graph.node.iter().enumerate() {
        let [output] = &*node.output else { continue };
        let way = operations.iter().find_map(|(last, pattern, make)| {
            let matched = last
                .contains(&&*node.op_type)
                .then(|| search.matches(pattern, output, &Match::default()))??;
            Some((make(&matched), matched.x?.to_owned()))
        });
        if let Some((made, x)) = way {
            found.push((index, made, x));
        }
    }
    for (index, made, x) in found {
        let node = &mut graph.node[index];
        (node.op_type, node.attribute, node.input) = (made.op_type, made.attribute, vec![x]);
        node.domain.clear();
    }
    let needed = needed(graph);
    let mut needed = needed.into_iter();
    graph.node.retain(|_| needed.next().unwrap_or(true));
}

/// Which nodes some output needs.
fn needed(graph: &proto::Graph) -> Vec<bool> {
    let mut givers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            givers.entry(output).or_default().push(index);
        }
    }
    let mut needed = vec![false; graph.node.len()];
    let mut seen = HashSet::new();
    let mut waiting: Vec<&str> = graph.output.iter().map(|output| &*output.name).collect();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name) {
            continue;
        }
        for &index in givers.get(name).into_iter().flatten() {
            needed[index] = true;
            waiting.extend(graph.node[index].input.iter().map(String::as_str));
        }
    }
    needed
}
