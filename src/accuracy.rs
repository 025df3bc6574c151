//! How far compiled code is from the interpreter on someone's own data, layer by layer.

use cnn_codegen::compile::{self, Executable};
use cnn_ir::graph::Graph;
use cnn_ir::op::Op;
use cnn_ir::validate::Shapes;

use crate::{Backend, Error, Model, Options, Weights, executable};

/// One layer's results, as compiled code and the interpreter have them.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerAccuracy {
    /// The layer, as it is after fusing.
    pub layer: String,
    /// Its operator.
    pub op: &'static str,
    /// The largest finite number of the interpreter's result.
    pub largest: f32,
    /// The largest difference of compiled code from the interpreter, as a share of `largest`; infinite if one of them has
    /// a NaN or an infinity where the other has not.
    pub error: f64,
    /// The same of code compiled with [`Options::exact`].
    pub exact_error: f64,
    /// Numbers of the compiled code's result that are NaN or infinite.
    pub not_finite: usize,
}

impl Model {
    /// Runs the network on one batch as `options` say, exactly, and interpreted, and compares the results of all layers,
    /// operands before users. Inputs are as for [`Network::run_into`](crate::Network::run_into).
    ///
    /// Every layer's result is kept here, where compiled code otherwise overwrites most: layers that would share memory
    /// do not, but each has the kernel that it has otherwise.
    ///
    /// # Errors
    /// As [`compile`](Self::compile) and [`run_into`](crate::Network::run_into).
    pub fn accuracy(
        &self,
        weights: &Weights,
        options: &Options,
        inputs: &[&[f32]],
    ) -> Result<Vec<LayerAccuracy>, Error> {
        let optimised = self.optimised()?;
        let (graph, shapes) = (with_all_results(&optimised.graph)?, &optimised.shapes);
        let run = |backend, exact| {
            let options = Options {
                backend,
                exact,
                // The passes ran already; now they would see layers whose results somebody else wants.
                optimise: false,
                ..options.clone()
            };
            let (code, _) = compile::compile(&graph, weights.source(), &options)?;
            results(&code, &graph, shapes, inputs, options.batch)
        };
        let expected = run(Backend::Interp, false)?;
        let found = run(Backend::Jit, options.exact)?;
        let exact = run(Backend::Jit, true)?;
        let layers = graph.outputs().iter().zip(expected).zip(found.iter().zip(&exact));
        let layers = layers.map(|((output, expected), (found, exact))| {
            let largest = expected
                .iter()
                .filter(|x| x.is_finite())
                .fold(0f32, |most, x| most.max(x.abs()));
            LayerAccuracy {
                layer: graph[output.node].name.clone(),
                op: graph[output.node].op.name(),
                largest,
                error: share(&expected, found, largest),
                exact_error: share(&expected, exact, largest),
                not_finite: found.iter().filter(|x| !x.is_finite()).count(),
            }
        });
        Ok(layers.collect())
    }
}

/// The same graph, with the results of all its layers as outputs, in the order in which they are computed.
pub(crate) fn with_all_results(graph: &Graph) -> Result<Graph, Error> {
    let order = graph
        .order()
        .map_err(|_| Error::Internal("the optimised graph has a cycle".into()))?;
    let mut all = graph.clone();
    all.clear_outputs();
    for id in order {
        if !matches!(graph[id].op, Op::Input(_)) {
            all.add_output(graph[id].name.clone(), id);
        }
    }
    Ok(all)
}

/// All outputs of one run.
pub(crate) fn results(
    code: &Executable,
    graph: &Graph,
    shapes: &Shapes,
    inputs: &[&[f32]],
    batch: usize,
) -> Result<Vec<Vec<f32>>, Error> {
    let mut results = Vec::new();
    for output in graph.outputs() {
        let count = shapes[output.node].elements().checked_mul(batch);
        let mut result = Vec::new();
        let fits = count.is_some_and(|count| result.try_reserve_exact(count).is_ok());
        let count = count.filter(|_| fits);
        let count = count.ok_or_else(|| Error::Limit(format!("there is no memory for `{}`", output.name)))?;
        result.resize(count, 0.0);
        results.push(result);
    }
    let mut slices: Vec<_> = results.iter_mut().map(Vec::as_mut_slice).collect();
    executable::run(code, inputs, &mut slices, batch)?;
    Ok(results)
}

/// The largest difference as a share of the largest element.
fn share(expected: &[f32], found: &[f32], largest: f32) -> f64 {
    let mut most = 0f64;
    for (&expected, &found) in expected.iter().zip(found) {
        let same = expected == found || expected.is_nan() && found.is_nan();
        let difference = (f64::from(expected) - f64::from(found)).abs();
        most = most.max(if same {
            0.0
        } else if difference.is_finite() {
            difference / f64::from(largest)
        } else {
            f64::INFINITY
        });
    }
    most
}
