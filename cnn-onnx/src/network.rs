//! The network under construction: layers with their operands, shapes and weights.

use std::collections::{BTreeMap, HashMap, HashSet};

use cnn_ir::ast::{InputDecl, Key, LayerDecl, NetDecl, Value as KeyValue, ValueKind};
use cnn_ir::op::{Dialect, Meaning, Op};
use cnn_ir::shape::Shape;
use cnn_ir::span::{Span, Spanned};
use cnn_ir::value::{ElementType, ValueType};

use crate::budget::Budget;
use crate::names::Names;
use crate::value::Data;
use crate::weights::Weight;

/// Keys of a layer.
pub(crate) type Keys = Vec<(&'static str, ValueKind)>;

/// Layers and weights as they come.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) net: NetDecl,
    pub(crate) names: Names,
    pub(crate) weights: BTreeMap<String, Weight>,
    /// Better names, best first, of layers that found them taken.
    wishes: HashMap<String, Vec<String>>,
    /// Where in the declaration a layer is.
    places: HashMap<String, usize>,
    /// Whether axis 0 of every computed tensor is the batch. Otherwise the whole tensor is one image.
    pub(crate) batched: bool,
    /// So that a small file cannot ask for all memory.
    pub(crate) budget: Budget,
}

fn unplaced(text: impl Into<String>) -> Spanned<String> {
    Spanned::new(text.into(), Span::NONE)
}

fn keys(keys: Keys) -> Vec<Key> {
    let key = |(name, value): (&str, ValueKind)| Key {
        name: unplaced(name),
        value: KeyValue::unplaced(value),
    };
    keys.into_iter().map(key).collect()
}

/// An integer as a key's value.
pub(crate) fn integer(number: usize) -> ValueKind {
    ValueKind::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A list of integers as a key's value.
pub(crate) fn integers(numbers: &[usize]) -> ValueKind {
    ValueKind::List(
        numbers
            .iter()
            .map(|&number| KeyValue::unplaced(integer(number)))
            .collect(),
    )
}

/// A number as a key's value, with as few digits as tell it from its neighbours.
pub(crate) fn number(number: f32) -> ValueKind {
    let short = number.to_string().parse().unwrap_or(f64::from(number));
    ValueKind::Float(short)
}

/// A word as a key's value.
pub(crate) fn word(text: &str) -> ValueKind {
    ValueKind::Text(text.to_owned())
}

/// Height and width as a key's value: one integer when they are equal.
pub(crate) fn pair([h, w]: [usize; 2]) -> ValueKind {
    if h == w { integer(h) } else { integers(&[h, w]) }
}

/// Top, left, bottom, right as a key's value in the shortest way that says it.
pub(crate) fn sides([top, left, bottom, right]: [usize; 4]) -> ValueKind {
    if (top, left) == (bottom, right) {
        pair([top, left])
    } else {
        integers(&[top, left, bottom, right])
    }
}

impl Network {
    pub(crate) fn new(batched: bool, budget: Budget) -> Network {
        Network {
            net: NetDecl::default(),
            names: Names::default(),
            weights: BTreeMap::new(),
            wishes: HashMap::new(),
            places: HashMap::new(),
            batched,
            budget,
        }
    }

    /// A name for a layer: the best that is free.
    pub(crate) fn claim(&mut self, candidates: Vec<String>) -> String {
        let name = self.names.claim(&candidates);
        if candidates.first() != Some(&name) {
            self.wishes.insert(name.clone(), candidates);
        }
        name
    }

    /// Counts a constant that is about to be computed.
    pub(crate) fn spend(&mut self, dims: &[usize]) -> Result<(), String> {
        self.budget.constant(dims)
    }

    /// Declares an input; `dims` as its arrays have them.
    pub(crate) fn input(&mut self, name: &str, dims: &[usize], hwc: bool) -> Result<Data, String> {
        let shape = match (hwc, dims) {
            (true, &[h, w, c]) => Some(Shape::map(c, h, w)),
            _ => Shape::from_dims(dims),
        };
        let shape = shape.and_then(Shape::checked).ok_or_else(|| {
            format!("shape {dims:?}: an input of this network has one or three dimensions, from 1 up")
        })?;
        let mut keys = vec![("shape", integers(dims))];
        keys.extend(hwc.then(|| ("layout", word("hwc"))));
        let layer = self.names.claim(&[crate::names::valid(name)]);
        self.net.inputs.push(InputDecl {
            name: unplaced(&layer),
            keys: self::keys(keys),
        });
        Ok(Data {
            layer,
            shape,
            element: ElementType::F32,
            meaning: Meaning::Values,
        })
    }

    /// Adds a layer; its name is already claimed.
    ///
    /// # Errors
    /// What is wrong with the keys, the operands' shapes, or the weights for them.
    pub(crate) fn layer(
        &mut self,
        name: String,
        op: &str,
        keys: Keys,
        operands: &[&Data],
        weights: Vec<(&'static str, Weight)>,
    ) -> Result<Data, String> {
        let keys = self::keys(keys);
        let read = Op::read(&unplaced(op), &keys, Dialect::Declaration).map_err(|errors| {
            errors
                .into_iter()
                .map(|error| error.message)
                .collect::<Vec<_>>()
                .join("; ")
        })?;
        let shapes: Vec<_> = operands.iter().map(|data| data.shape).collect();
        let types: Vec<_> = operands.iter().map(|data| data.value_type()).collect();
        let ValueType { element, shape } = read.value_type(&types).map_err(|faults| {
            let told = faults
                .into_iter()
                .map(|fault| [vec![fault.message], fault.notes].concat().join(": "));
            told.collect::<Vec<_>>().join("; ")
        })?;
        let meanings: Vec<_> = operands.iter().map(|data| data.meaning).collect();
        let meaning = read.meaning_of(&meanings);
        let declared = read.weights("", &shapes);
        for (role, weight) in weights {
            let Some(declared) = declared.iter().find(|declared| declared.role() == role) else {
                return Err(format!("`{op}` has no weight `{role}`"));
            };
            if weight.dims() != declared.shape {
                return Err(format!(
                    "`{role}` must have the shape {:?}, found {:?}",
                    declared.shape,
                    weight.dims()
                ));
            }
            if !weight.tensor().kind.is_float() {
                return Err(format!(
                    "`{role}` holds elements of {:?}; floats are possible",
                    weight.tensor().kind
                ));
            }
            if weight.tensor().is_uniform() {
                self.budget.repeated(&declared.shape)?;
            }
            self.weights.insert(format!("{name}.{role}"), weight);
        }
        self.places.insert(name.clone(), self.net.layers.len());
        self.net.layers.push(LayerDecl {
            name: unplaced(&name),
            op: unplaced(op),
            from: (!operands.is_empty()).then(|| operands.iter().map(|data| unplaced(&data.layer)).collect()),
            keys,
            span: Span::NONE,
            instances: Vec::new(),
        });
        Ok(Data {
            layer: name,
            shape,
            element,
            meaning,
        })
    }

    /// Whether a layer is declared without the bias that it could have.
    pub(crate) fn lacks_bias(&self, layer: &str) -> bool {
        let found = self.places.get(layer).map(|&place| &self.net.layers[place]);
        found.is_some_and(|layer| layer.keys.iter().any(|key| key.name.value == "bias"))
    }

    /// Gives such a layer a bias, one number for each channel.
    pub(crate) fn give_bias(&mut self, layer: &str, bias: Weight) {
        if let Some(&place) = self.places.get(layer) {
            self.net.layers[place].keys.retain(|key| key.name.value != "bias");
            self.weights.insert(format!("{layer}.bias"), bias);
        }
    }

    /// The declaration with these outputs: layers that none of them needs are left out, their names go to those that
    /// wished for them, and `from` is left out where it is the layer above. The last part is which layers got other names.
    pub(crate) fn finish(mut self, outputs: &[Data]) -> (NetDecl, BTreeMap<String, Weight>, HashMap<String, String>) {
        let mut needed: HashSet<&str> = outputs.iter().map(|data| &*data.layer).collect();
        let layers = std::mem::take(&mut self.net.layers);
        for layer in layers.iter().rev() {
            if needed.contains(&*layer.name.value) {
                needed.extend(layer.from.iter().flatten().map(|operand| &*operand.value));
            }
        }
        let kept: Vec<bool> = layers.iter().map(|layer| needed.contains(&*layer.name.value)).collect();
        let mut gone = Vec::new();
        let mut above = self.net.inputs.first().map(|input| input.name.value.clone());
        for (mut layer, kept) in layers.into_iter().zip(kept) {
            if !kept {
                gone.push(layer.name.value);
                continue;
            }
            if let (Some([operand]), Some(above)) = (layer.from.as_deref(), &above)
                && operand.value == *above
            {
                layer.from = None;
            }
            above = Some(layer.name.value.clone());
            self.net.layers.push(layer);
        }
        let gone: HashSet<String> = gone.into_iter().collect();
        self.weights.retain(|weight, _| {
            let layer = weight.rsplit_once('.').map(|(layer, _)| layer);
            !layer.is_some_and(|layer| gone.contains(layer))
        });
        // The default is the last layer.
        let last = self.net.layers.last().map(|layer| layer.name.value.as_str());
        let default = matches!(outputs, [one] if Some(&*one.layer) == last);
        self.net.outputs = (!default).then(|| outputs.iter().map(|data| unplaced(&data.layer)).collect());
        let renamed = self.granted();
        self.rename(&renamed);
        (self.net, self.weights, renamed)
    }

    /// The wishes for names that are free now.
    fn granted(&self) -> HashMap<String, String> {
        let inputs = self.net.inputs.iter().map(|input| &input.name.value);
        let layers = self.net.layers.iter().map(|layer| &layer.name.value);
        let mut taken: HashSet<&String> = inputs.chain(layers.clone()).collect();
        let mut renamed = HashMap::new();
        for name in layers {
            let mut better = self
                .wishes
                .get(name)
                .into_iter()
                .flatten()
                .take_while(|wish| *wish != name);
            if let Some(wish) = better.find(|wish| !taken.contains(wish)) {
                taken.remove(name);
                taken.insert(wish);
                renamed.insert(name.clone(), wish.clone());
            }
        }
        renamed
    }

    fn rename(&mut self, renamed: &HashMap<String, String>) {
        let rename = |name: &mut String| {
            if let Some(new) = renamed.get(name) {
                name.clone_from(new);
            }
        };
        for layer in &mut self.net.layers {
            rename(&mut layer.name.value);
            layer.from.iter_mut().flatten().for_each(|from| rename(&mut from.value));
        }
        self.net
            .outputs
            .iter_mut()
            .flatten()
            .for_each(|output| rename(&mut output.value));
        self.weights = std::mem::take(&mut self.weights)
            .into_iter()
            .map(|(name, weight)| match name.rsplit_once('.') {
                Some((layer, role)) if renamed.contains_key(layer) => (format!("{}.{role}", renamed[layer]), weight),
                _ => (name, weight),
            })
            .collect();
    }
}
