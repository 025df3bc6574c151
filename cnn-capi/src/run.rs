//! `cnn_run`: pointers and lengths become slices once they are checked.

use std::ops::Range;
use std::slice;

use cnn::{ArrayInfo, Error};

use crate::handles;
use crate::status::{Failure, Status, guarded};

/// Runs a network on so many images: an array for each input, and room for each output, each with its number of
/// elements; in the order of cnn_input and cnn_output. Arrays must not share memory with an output.
///
/// # Safety
/// Each of the four pointers is null or points to as many elements as the network has inputs or outputs; each array is
/// null or has as many f32 as the length beside it says, which nobody writes (inputs) or uses (outputs) meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cnn_run(
    network: u64,
    batch: usize,
    inputs: *const *const f32,
    input_elements: *const usize,
    outputs: *const *mut f32,
    output_elements: *const usize,
) -> Status {
    guarded(|| {
        let loaded = handles::get(network)?;
        let session = &loaded.session;
        if batch == 0 {
            return Err(Failure::Argument("`batch` is 0: a run needs at least one image".into()));
        }
        if let Some(fixed) = session.fixed_batch().filter(|&fixed| fixed != batch) {
            return Err(Failure::Argument(format!(
                "the network takes a batch of {fixed}, {batch} was given"
            )));
        }
        // SAFETY: the caller's promise.
        let (from, to) = unsafe {
            (
                places(
                    "inputs",
                    "input_elements",
                    session.inputs(),
                    batch,
                    inputs.cast(),
                    input_elements,
                )?,
                places(
                    "outputs",
                    "output_elements",
                    session.outputs(),
                    batch,
                    outputs.cast(),
                    output_elements,
                )?,
            )
        };
        let ranges = |places: &[Place]| places.iter().map(Place::range).collect::<Vec<_>>();
        let (read, written) = (ranges(&from), ranges(&to));
        for (index, range) in written.iter().enumerate() {
            let mut others = read.iter().chain(&written[..index]);
            if others.any(|other| range.start < other.end && other.start < range.end) {
                return Err(misfit(
                    &session.outputs()[index],
                    "its memory is an input's or another output's too".into(),
                ));
            }
        }
        // A batch that no memory could hold is refused before anybody's array is taken to be as long.
        let network = session.network(batch)?;
        // SAFETY: the caller's promise; they are aligned, and what is written has nothing in common with the others.
        let from: Vec<&[f32]> = from
            .iter()
            .map(|place| unsafe { slice::from_raw_parts(place.start, place.elements) })
            .collect();
        // SAFETY: as above.
        let mut to: Vec<&mut [f32]> = to
            .iter()
            .map(|place| unsafe { slice::from_raw_parts_mut(place.start, place.elements) })
            .collect();
        network.run_into(&from, &mut to)?;
        Ok(())
    })
}

/// An array of the caller's.
struct Place {
    start: *mut f32,
    elements: usize,
}

impl Place {
    fn range(&self) -> Range<usize> {
        let start = self.start.addr();
        // The caller's array has so many elements, so its end is an address.
        start..start.saturating_add(self.elements.saturating_mul(size_of::<f32>()))
    }
}

/// The arrays that C gave, each held against what the network says of it.
///
/// # Safety
/// Each pointer is null or points to as many elements as there are infos.
unsafe fn places(
    name: &str,
    lengths_name: &str,
    infos: &[ArrayInfo],
    batch: usize,
    arrays: *const *mut f32,
    lengths: *const usize,
) -> Result<Vec<Place>, Failure> {
    for (name, null) in [(name, arrays.is_null()), (lengths_name, lengths.is_null())] {
        if null {
            return Err(Failure::Argument(format!("`{name}` is a null pointer")));
        }
    }
    let each = infos.iter().enumerate().map(|(index, info)| {
        // SAFETY: the caller's promise; they need not be aligned.
        let (start, elements) = unsafe { (arrays.add(index).read_unaligned(), lengths.add(index).read_unaligned()) };
        let shape = info.shape(batch);
        let expected = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        if start.is_null() {
            return Err(misfit(info, "its array is a null pointer".into()));
        }
        if !start.is_aligned() {
            return Err(misfit(info, "its array is not aligned to 4 bytes".into()));
        }
        if expected != Some(elements) {
            let count = expected.map_or("more elements than there are addresses".into(), |count| {
                count.to_string()
            });
            return Err(misfit(
                info,
                format!("expected {count} elements for shape {shape:?}, found {elements}"),
            ));
        }
        Ok(Place { start, elements })
    });
    each.collect()
}

fn misfit(info: &ArrayInfo, problem: String) -> Failure {
    let name = info.name.clone();
    Failure::Library(Error::Input { name, problem })
}
