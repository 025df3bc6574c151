//! Who uses which tensors of a graph.

use std::collections::{HashMap, HashSet};

use crate::proto;

/// How often a graph's tensors are used, by nodes and as the graph's outputs.
#[derive(Debug)]
pub(crate) struct Uses<'a> {
    counts: HashMap<&'a str, usize>,
    /// What convolutions and products of matrices give, perhaps turned.
    sums: HashSet<&'a str>,
}

/// Operators whose sums may begin with a bias.
const SUMS: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

impl<'a> Uses<'a> {
    pub(crate) fn of(graph: &'a proto::Graph) -> Uses<'a> {
        let mut counts = HashMap::new();
        let inputs = graph.node.iter().flat_map(|node| &node.input);
        for name in inputs.chain(graph.output.iter().map(|output| &output.name)) {
            *counts.entry(&**name).or_insert(0) += 1;
        }
        let mut uses = Uses {
            counts,
            sums: HashSet::new(),
        };
        for node in &graph.node {
            let turned = node.op_type == "Transpose" && node.input.first().is_some_and(|name| uses.is_lone_sum(name));
            if turned || SUMS.contains(&&*node.op_type) {
                uses.sums.extend(node.output.iter().map(String::as_str));
            }
        }
        uses
    }

    /// Whether anybody uses a tensor.
    pub(crate) fn any(&self, name: &str) -> bool {
        !name.is_empty() && self.counts.contains_key(name)
    }

    /// Whether a tensor is what a convolution or a product of matrices gives to a single user, which may as well change
    /// the layer itself.
    pub(crate) fn is_lone_sum(&self, name: &str) -> bool {
        self.sums.contains(name) && self.counts.get(name) == Some(&1)
    }
}
