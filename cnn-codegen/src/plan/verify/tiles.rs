//! What a sweep's tiles touch, and that no two tasks write the same place.

use std::ops::Range;

use crate::plan::data::{Move, Nest, Region, Repeat, Segment};

/// Bytes of one vector of outputs.
const VECTOR: i64 = 32;

/// Adds up all loops of a nest: the bytes its kernels touch of input, weights, output and residual; of the first image
/// only, or of all. Counts and steps are below 2^48, so that nothing overflows.
pub(super) fn reach(nest: &Nest, start: Move, all_images: bool) -> [Range<i128>; 4] {
    let mut touched: [Range<i128>; 4] = std::array::from_fn(|_| Range {
        start: i128::MAX,
        end: i128::MIN,
    });
    let panel_inputs = (
        nest.panel_inputs.iter().min().copied().unwrap_or(0),
        nest.panel_inputs.iter().max().copied().unwrap_or(0),
    );
    let one = Repeat {
        count: 1,
        ..nest.images
    };
    let images = if all_images { &nest.images } else { &one };
    for region in &nest.regions {
        for segment in &region.segments {
            for (pass, &spec) in segment.specs.iter().enumerate() {
                let spec = &nest.specs[spec];
                let weights = 0..(spec.weight_floats() * size_of::<f32>()) as i64;
                let ranges = [spec.input_bytes(), weights, spec.output_bytes(), spec.residual_bytes()];
                let fixed = [start, nest.passes[pass], region.start, segment.start];
                let axes = [images, &nest.panels, &region.rows, &segment.tiles];
                for (operand, range) in ranges.into_iter().enumerate() {
                    if operand == 3 && !spec.residual {
                        continue;
                    }
                    let of = |m: &Move| i128::from([m.input, m.weights, m.output, m.residual][operand]);
                    let start: i128 = fixed.iter().map(of).sum();
                    // From the first iteration to the last, forwards or backwards.
                    let steps = |axis: &&Repeat| of(&axis.step) * (axis.count as i128 - 1);
                    let below: i128 = axes.iter().map(|axis| steps(axis).min(0)).sum();
                    let above: i128 = axes.iter().map(|axis| steps(axis).max(0)).sum();
                    let (low, high) = if operand == 0 { panel_inputs } else { (0, 0) };
                    let all = &mut touched[operand];
                    all.start = all.start.min(start + below + i128::from(low) + i128::from(range.start));
                    all.end = all.end.max(start + above + i128::from(high) + i128::from(range.end));
                }
            }
        }
    }
    touched
}

/// What is wrong with the lists of a nest, which the emitter takes for consistent.
pub(super) fn lists(nest: &Nest) -> Option<&'static str> {
    if !nest.panel_inputs.is_empty() && nest.panel_inputs.len() != nest.panels.count {
        return Some("panels and their inputs differ in number");
    }
    let segments = nest.regions.iter().flat_map(|region| &region.segments);
    let whole = |specs: &[usize]| specs.len() == nest.passes.len() && specs.iter().all(|&spec| spec < nest.specs.len());
    if !segments.into_iter().all(|segment| whole(&segment.specs)) {
        return Some("a segment has not one kernel a pass");
    }
    if nest.regions.iter().any(|region| region.block == 0) {
        return Some("a task has no rows");
    }
    None
}

/// The outputs of a set of pixels: the first and the last, and how far neighbours are apart at least.
struct Pixels {
    first: i64,
    last: i64,
    apart: i64,
}

/// Why two tasks of a nest may write the same place, or why an activation after the tiles meets other places than
/// they wrote. The nest's lists are consistent, and all that it touches is within the `output_bytes` of its output.
///
/// Outputs are pixels × vectors of filters × images. They are distinct if the vectors of a filter block are farther
/// apart than the map is large (maps), or the pixels farther than all filters (matrix products).
pub(super) fn interference(nest: &Nest, output_bytes: i128) -> Option<&'static str> {
    let Some(first) = nest.specs.first() else {
        return Some("a nest has no kernel");
    };
    // Each output is a vector of its own: more of them than there is room for need not be looked at.
    let pixels_of = |segment: &Segment| {
        let tile = segment.specs.first().map_or(0, |&spec| nest.specs[spec].pixels.len());
        segment.tiles.count as u128 * tile as u128
    };
    let rows = |region: &Region| region.rows.count as u128 * region.segments.iter().map(pixels_of).sum::<u128>();
    let pixels_of_all: u128 = nest.regions.iter().map(rows).sum();
    let tasks = nest.images.count as u128 * nest.panels.count as u128;
    let room = output_bytes as u128 / VECTOR as u128;
    let is_room = pixels_of_all.checked_mul(tasks);
    if is_room
        .and_then(|pixels| pixels.checked_mul(first.vectors as u128))
        .is_none_or(|vectors| vectors > room)
    {
        return Some("two tiles write the same place: there are more than have room");
    }
    if nest.passes.iter().any(|pass| pass.output != 0) {
        return Some("a pass has outputs of its own");
    }
    let vectors = first.vectors as i64;
    // From one vector of filters to the next, the same within a panel and between panels.
    let pitch = first
        .output_vectors
        .get(1)
        .map_or(nest.panels.step.output, |&pitch| i64::from(pitch));
    let even = |offsets: &[i32]| {
        let mut places = (0..vectors).map(|vector| vector * pitch);
        offsets.len() as i64 == vectors && offsets.iter().all(|&at| places.next() == Some(i64::from(at)))
    };
    let regular = nest.specs.iter().all(|spec| even(&spec.output_vectors));
    if !regular || (nest.panels.count > 1 && nest.panels.step.output != vectors * pitch) {
        return Some("the filters of a pixel are not evenly apart");
    }
    let mut regions = Vec::with_capacity(nest.regions.len());
    for region in &nest.regions {
        match pixels(nest, region, pitch) {
            Ok(pixels) => regions.push(pixels),
            Err(what) => return Some(what),
        }
    }
    let map = join(regions)?;
    let filters = nest.panels.count as i64 * vectors;
    let size = map.last - map.first + VECTOR;
    let last_filter = (filters - 1) * pitch;
    let maps = map.apart >= VECTOR && (filters == 1 || size <= pitch);
    let rows = (filters == 1 || pitch >= VECTOR) && last_filter + VECTOR <= map.apart;
    if !maps && !rows {
        return Some("two tiles write the same place");
    }
    if nest.images.count > 1 && last_filter + size > nest.images.step.output {
        return Some("two images write the same place");
    }
    None
}

/// The outputs of a region; each of its rows is looked at once.
fn pixels(nest: &Nest, region: &Region, pitch: i64) -> Result<Pixels, &'static str> {
    let mut starts: Vec<i64> = Vec::new();
    for segment in &region.segments {
        let mut specs = segment.specs.iter().map(|&spec| &nest.specs[spec].pixels);
        let Some(tile) = specs.next() else { continue };
        let outputs = |tile: &[crate::tile::Pixel]| tile.iter().map(|pixel| pixel.output).collect::<Vec<_>>();
        if segment.specs.len() > 1 && specs.any(|other| outputs(other) != outputs(tile)) {
            return Err("the passes of a tile write different places");
        }
        for index in 0..segment.tiles.count as i64 {
            let start = segment.start.output + index * segment.tiles.step.output;
            starts.extend(tile.iter().map(|pixel| start + i64::from(pixel.output)));
        }
    }
    starts.sort_unstable();
    let apart = |starts: &[i64]| starts.windows(2).map(|pair| pair[1] - pair[0]).min();
    if nest.finish.is_some() {
        let vectors = nest.specs[0].vectors as i64;
        let mut written: Vec<i64> = starts
            .iter()
            .flat_map(|start| (0..vectors).map(move |vector| start + vector * pitch))
            .collect();
        written.sort_unstable();
        let runs = region
            .runs
            .iter()
            .map(|&(_, floats)| floats.div_ceil(8) as u128)
            .sum::<u128>();
        if runs != written.len() as u128 {
            return Err("an activation meets other places than its task wrote");
        }
        let mut finished: Vec<i64> = Vec::with_capacity(written.len());
        for &(start, floats) in &region.runs {
            // A run of the first tile where the others are its repetitions.
            finished.extend((0..floats.div_ceil(8) as i64).map(|vector| start + vector * VECTOR));
            if !floats.is_multiple_of(8) {
                return Err("an activation ends within a vector");
            }
        }
        finished.sort_unstable();
        if finished != written {
            return Err("an activation meets other places than its task wrote");
        }
    }
    let (Some(&first), Some(&last)) = (starts.first(), starts.last()) else {
        return Err("a region has no tiles");
    };
    let mut pixels = Pixels {
        first: region.start.output + first,
        last: region.start.output + last,
        apart: apart(&starts).unwrap_or(i64::MAX),
    };
    if region.rows.count > 1 {
        let step = region.rows.step.output;
        pixels.apart = pixels.apart.min(step - (last - first));
        pixels.last += (region.rows.count as i64 - 1) * step;
    }
    Ok(pixels)
}

/// All regions together.
fn join(mut regions: Vec<Pixels>) -> Option<Pixels> {
    regions.sort_unstable_by_key(|region| region.first);
    regions.into_iter().reduce(|all, next| Pixels {
        first: all.first,
        last: all.last.max(next.last),
        apart: all.apart.min(next.apart).min(next.first - all.last),
    })
}
