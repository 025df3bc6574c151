//! Networks on any number of images: what an emitted type can do whatever its arrays are called.

use super::{LengthError, Network};
#[cfg(feature = "ndarray")]
use ndarray::{ArrayD, ArrayView, Dimension, IxDyn};

/// A network that was declared with `cnn!` and has its memory from the system: it runs on any number of images.
///
/// # Safety
/// [`network`](Self::network) is of a definition whose plan has this batch and these inputs and outputs.
pub unsafe trait Declared: Sized {
    /// Images of one run.
    const BATCH: usize;
    /// The shape of each input, without the batch.
    const INPUTS: &'static [&'static [usize]];
    /// The shape of each output, without the batch.
    const OUTPUTS: &'static [&'static [usize]];

    /// What carries it out.
    #[doc(hidden)]
    fn network(&self) -> &Network<Self>;

    /// Runs the network on any number of images, as many at a time as it was declared for: of each input and output a
    /// slice of all their elements, image by image. Where fewer images are left, the others of that run are zeros.
    ///
    /// # Errors
    /// A number of slices or elements that is not that of whole images, the same of each.
    fn run_images(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<(), LengthError> {
        let lengths = |shapes: &[&[usize]]| {
            shapes
                .iter()
                .map(|shape| shape.iter().product())
                .collect::<Vec<usize>>()
        };
        let (each_input, each_output) = (lengths(Self::INPUTS), lengths(Self::OUTPUTS));
        let whole = |lengths: &[usize], images: usize| lengths.iter().map(|length| length * images).collect::<Vec<_>>();
        let first = each_input.first().zip(inputs.first());
        let images = first.map_or(0, |(length, slice)| slice.len() / length);
        LengthError::check(
            "input",
            &whole(&each_input, images),
            inputs.iter().map(|slice| slice.len()),
        )?;
        LengthError::check(
            "output",
            &whole(&each_output, images),
            outputs.iter().map(|slice| slice.len()),
        )?;
        for first in (0..images).step_by(Self::BATCH) {
            let range = |length: usize| length * first..length * images.min(first + Self::BATCH);
            let inputs = inputs.iter().zip(&each_input);
            let outputs = outputs.iter_mut().zip(&each_output);
            let some: Vec<&[f32]> = inputs.map(|(slice, &length)| &slice[range(length)]).collect();
            let mut others: Vec<&mut [f32]> = outputs.map(|(slice, &length)| &mut slice[range(length)]).collect();
            if first + Self::BATCH <= images {
                // SAFETY: the trait's promise; the slices are of as many images as a run has.
                unsafe { self.network().run(&some, &mut others) };
                continue;
            }
            let mut padded: Vec<Vec<f32>> = some.iter().map(|slice| slice.to_vec()).collect();
            let grown = padded.iter_mut().zip(&each_input);
            grown.for_each(|(slice, length)| slice.resize(length * Self::BATCH, 0.0));
            let padded: Vec<&[f32]> = padded.iter().map(Vec::as_slice).collect();
            let mut whole: Vec<Vec<f32>> = each_output
                .iter()
                .map(|length| vec![0.0; length * Self::BATCH])
                .collect();
            let mut places: Vec<&mut [f32]> = whole.iter_mut().map(Vec::as_mut_slice).collect();
            // SAFETY: as above.
            unsafe { self.network().run(&padded, &mut places) };
            let pairs = others.iter_mut().zip(&whole);
            pairs.for_each(|(some, whole)| some.copy_from_slice(&whole[..some.len()]));
        }
        Ok(())
    }

    /// Runs the network on arrays, one for each input, with any number of images before the input's own axes, the same
    /// of each; gives an array for each output.
    ///
    /// # Errors
    /// An array of another shape, or too many or too few.
    #[cfg(feature = "ndarray")]
    fn run_arrays<D: Dimension>(&self, inputs: &[ArrayView<'_, f32, D>]) -> Result<Vec<ArrayD<f32>>, ShapeError> {
        let images = inputs.first().and_then(|array| array.shape().first().copied());
        let images = images.unwrap_or(0);
        let batched = |shape: &[usize]| [&[images], shape].concat();
        let expected: Vec<Vec<usize>> = Self::INPUTS.iter().map(|shape| batched(shape)).collect();
        if !inputs.iter().map(|array| array.shape()).eq(&expected) {
            let found = inputs.iter().map(|array| array.shape().to_vec()).collect();
            return Err(ShapeError {
                expected: Self::INPUTS,
                found,
            });
        }
        let standard: Vec<_> = inputs.iter().map(|array| array.as_standard_layout()).collect();
        let slices: Vec<&[f32]> = standard.iter().filter_map(|array| array.as_slice()).collect();
        let mut outputs: Vec<ArrayD<f32>> = Self::OUTPUTS
            .iter()
            .map(|shape| ArrayD::zeros(IxDyn(&batched(shape))))
            .collect();
        let mut places: Vec<&mut [f32]> = outputs.iter_mut().filter_map(ArrayD::as_slice_mut).collect();
        match self.run_images(&slices, &mut places) {
            Ok(()) => Ok(outputs),
            // Not expected: the shapes are the network's.
            Err(error) => panic!("{error}"),
        }
    }
}

/// So many arrays of floats, all 0, without one of them on the stack.
///
/// # Safety
/// `T` is an array of floats, or of such arrays.
pub unsafe fn zeros<T: Copy>(count: usize) -> Vec<T> {
    let mut arrays: Vec<T> = Vec::with_capacity(count);
    // SAFETY: there is room for so many, and all bits 0 are floats, by the caller's promise.
    unsafe {
        arrays.as_mut_ptr().write_bytes(0, count);
        arrays.set_len(count);
    }
    arrays
}

/// Arrays that are not a network's inputs.
#[cfg(feature = "ndarray")]
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the network's inputs are {}, found {}", Axes(.expected, true), Axes(.found, false))]
pub struct ShapeError {
    expected: &'static [&'static [usize]],
    found: Vec<Vec<usize>>,
}

/// As `main` shows it.
#[cfg(feature = "ndarray")]
impl std::fmt::Debug for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Shapes for people, with the number of images in front or not.
#[cfg(feature = "ndarray")]
struct Axes<'a, T>(&'a [T], bool);

#[cfg(feature = "ndarray")]
impl<T: AsRef<[usize]>> std::fmt::Display for Axes<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Axes(shapes, batched) = self;
        let shape = |shape: &T| {
            let sizes = shape.as_ref().iter().map(usize::to_string);
            let images = batched.then(|| "N".to_owned());
            format!("[{}]", images.into_iter().chain(sizes).collect::<Vec<_>>().join(", "))
        };
        let shapes: Vec<_> = shapes.iter().map(shape).collect();
        f.write_str(if shapes.is_empty() { "none" } else { "" })?;
        f.write_str(&shapes.join(" and "))
    }
}
