//! What all steps need: addresses of views, and activations of rows.

use cnn_ir::op::Activation;

use super::code::{Address, AddressExpr, Call, Comparison, FloatExpr, Int, IntOp, LANES, Vector, VectorExpr};
use super::interner::Interner;
use super::writer::{FLOAT, Writer};
use crate::plan::layout::BLOCK;
use crate::plan::{Plan, Strides, View};
use crate::tile::TileSpec;

/// What a step's function is written for.
pub(super) struct Step<'a> {
    pub(super) plan: &'a Plan,
    /// The kernels of all functions so far.
    pub(super) kernels: &'a mut Interner<TileSpec>,
    /// The addresses of the step's operands.
    pub(super) operands: Vec<Address>,
    /// Memory that the thread has for itself; see [`crate::plan::Work::scratch_bytes`].
    pub(super) scratch: Option<Address>,
}

/// Writes one step's function.
pub(super) type Builder<'a> = Writer<Step<'a>>;

/// A view's strides in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteStrides {
    pub(super) image: i64,
    pub(super) block: i64,
    pub(super) lane: i64,
    pub(super) row: i64,
    pub(super) pixel: i64,
}

/// Which lanes of a block have a channel: those whose number is below the count of what is left. The others get the
/// filler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask {
    lanes: Vector,
    count: Vector,
    filler: Vector,
}

impl From<&Strides> for ByteStrides {
    fn from(strides: &Strides) -> Self {
        let bytes = |floats: usize| floats as i64 * FLOAT;
        ByteStrides {
            image: bytes(strides.image),
            block: bytes(strides.block),
            lane: bytes(strides.lane),
            row: bytes(strides.row),
            pixel: bytes(strides.pixel),
        }
    }
}

impl Builder<'_> {
    /// The address of element (image 0, first channel, row 0, column 0) of a view.
    pub(super) fn origin(&mut self, operand: usize, view: View) -> Address {
        let origin = self.plan.origin(view);
        self.offset(self.operands[operand], origin)
    }

    /// The address of a view's first element in one image, and the view's strides.
    pub(super) fn image(&mut self, operand: usize, view: View, image: Int) -> (Address, ByteStrides) {
        let strides = ByteStrides::from(self.plan.strides(view));
        let base = self.origin(operand, view);
        (self.index(base, image, strides.image), strides)
    }

    /// The same for the block of channels of a task, where tasks are the blocks of all images.
    pub(super) fn block(&mut self, operand: usize, view: View, task: Int) -> (Address, ByteStrides) {
        let (image, block) = self.divide(task, view.shape.channels().div_ceil(BLOCK));
        let (base, strides) = self.image(operand, view, image);
        (self.index(base, block, strides.block), strides)
    }

    /// Applies an activation to a row of floats in place.
    pub(super) fn activate(&mut self, activation: Activation, at: Address, floats: usize) {
        self.call(Call::Row {
            function: activation.into(),
            from: at,
            to: at,
            floats,
        });
    }

    /// The kernel of a tile, by its number.
    pub(super) fn kernel(&mut self, spec: &TileSpec) -> usize {
        self.kernels.number(spec)
    }

    /// Which lanes of a block have a channel.
    pub(super) fn mask(&mut self, channels: usize, block: Int, filler: f32) -> Mask {
        let zero = self.splat(0.0);
        let filler = self.splat(filler);
        let lanes = (1..LANES).fold(zero, |lanes, lane| {
            let number = self.float(lane as f32);
            self.vector(VectorExpr::WithLane(lanes, lane, number))
        });
        let all = self.int(channels);
        let before = self.scaled(block, LANES);
        let left = self.arithmetic(IntOp::Subtract, all, before);
        let left = self.float_expr(FloatExpr::FromInt(left));
        let count = self.splat_value(left);
        Mask { lanes, count, filler }
    }

    /// A vector with the filler in lanes without a channel.
    pub(super) fn existing(&mut self, mask: Mask, value: Vector) -> Vector {
        self.select((mask.lanes, Comparison::Less, mask.count), value, mask.filler)
    }

    /// The address of eight floats that this call has for itself.
    pub(super) fn temporary(&mut self) -> Address {
        self.address(AddressExpr::Temporary)
    }
}
