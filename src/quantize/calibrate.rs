//! The range of each value on the data.

use cnn_ir::graph::NodeId;

use super::histogram::Histogram;
use super::measure::Floats;
use super::prepare::Prepared;
use super::{Calibration, Method};
use crate::Error;

/// The least and the greatest number of each value that count, by [`NodeId::index`]; both 0 at nodes that are not there.
pub(super) type Ranges = Vec<[f32; 2]>;

/// Levels of magnitudes among 255 integers: half of them if there are numbers of both signs.
const LEVELS: [usize; 2] = [255, 128];

pub(super) fn ranges(
    prepared: &Prepared,
    floats: &Floats,
    method: Method,
    data: &Calibration<'_>,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Ranges, Error> {
    let last = prepared.order.iter().map(|id| id.index()).max().unwrap_or(0);
    let mut ranges = vec![[0f32; 2]; last + 1];
    each_value(floats, data, progress, "ranges", |id, numbers| {
        let [least, greatest] = &mut ranges[id.index()];
        for &number in numbers {
            if !number.is_finite() {
                return Err(Error::Limit(format!(
                    "`{}` is {number} somewhere on the calibration data: no integers can stand for that",
                    prepared.graph[id].name
                )));
            }
            *least = least.min(number);
            *greatest = greatest.max(number);
        }
        Ok(())
    })?;
    if method == Method::MinMax {
        return Ok(ranges);
    }
    let most = |range: &[f32; 2]| range[1].max(-range[0]);
    let mut histograms: Vec<_> = ranges.iter().map(|range| Histogram::new(most(range))).collect();
    each_value(floats, data, progress, "distributions", |id, numbers| {
        histograms[id.index()].count(numbers);
        Ok(())
    })?;
    for (range, histogram) in ranges.iter_mut().zip(&histograms) {
        if most(range) == 0.0 {
            continue;
        }
        let most = match method {
            Method::MinMax => most(range),
            Method::Percentile(percent) => histogram.percentile(percent),
            Method::Entropy => histogram.entropy(LEVELS[usize::from(range[0] < 0.0)]),
        };
        *range = [range[0].max(-most), range[1].min(most)];
    }
    Ok(ranges)
}

/// Shows the numbers of every value on the data, run by run.
fn each_value(
    floats: &Floats,
    data: &Calibration<'_>,
    progress: &mut dyn FnMut(&'static str, usize, usize),
    what: &'static str,
    mut see: impl FnMut(NodeId, &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    for run in 0..data.runs {
        progress(what, run, data.runs);
        let (arrays, images) = (data.arrays)(run)?;
        for (id, numbers) in floats.values(&arrays, images)? {
            see(id, &numbers)?;
        }
    }
    Ok(())
}
