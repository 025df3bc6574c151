//! What a compiled network needs while it runs.
//!
//! A compiler decides everything about a network beforehand: which kernel computes a layer, where
//! in memory its result lies, in what order its weights are read. What is left for run time is
//! here, and this crate knows no compiler type: it is handed names, shapes, slices and addresses.
//!
//! | module | what it owns |
//! |---|---|
//! | [`weights`] | named tensors: safetensors files, synthetic weights, maps |
//! | [`pack`] | those tensors in the order in which kernels read them |
//! | [`memory`] | aligned buffers on huge pages; how much memory is left |
//! | [`threads`] | the fork–join pool that layers are split over |
//! | [`kernels`] | elementary functions, softmax and Winograd's transforms, by instruction set |
//! | [`steps`] | a compiled network's steps, one after the other |
//! | [`executor`] | the same on threads, with arenas kept from run to run |
//! | [`emitted`] | what code that `cnn!` emits calls |
//! | `sources` | these sources, which `cnn emit` copies (feature `sources`) |
//!
//! Without the feature `std` there are kernels, steps and what emitted code calls: nothing that allocates.
//!
//! A program loads a network in four steps. A [`weights::WeightSource`] gives the tensors, each
//! checked against the shape that the network needs. [`pack::Recipe`]s fold, transform and reorder
//! them, once. A [`memory::AlignedBuffer`] becomes the arena in which all activations live. And
//! [`threads::ThreadPool`] runs the tasks of each step, whose code calls [`kernels`] by address:
//! by the tables there, for the [`kernels::Isa`] that the processor has.
//!
//! **Trust.** Files are hostile until checked: no header, length, offset or shape of a weights file
//! can cause a panic, an overflow or a read outside the file. Compiled code is trusted: the
//! functions it calls by address are `unsafe` and say what they rely on.
//!
//! **The same bits.** Results do not depend on the number of threads, on alignment, or on where in
//! a slice an element stands. They do depend, in the last bits, on the instruction set.

#![cfg_attr(not(feature = "std"), no_std)]

pub mod emitted;
#[cfg(feature = "std")]
pub mod executor;
pub mod kernels;
#[cfg(feature = "std")]
pub mod memory;
#[cfg(feature = "std")]
pub mod pack;
#[cfg(feature = "sources")]
pub mod sources;
pub mod steps;
#[cfg(feature = "std")]
pub mod threads;
#[cfg(feature = "std")]
pub mod weights;
