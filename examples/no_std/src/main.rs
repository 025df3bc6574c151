//! A network without a standard library, an operating system or a heap: LeNet-5 reads a digit.
//!
//! What a microcontroller needs: the weights are in the program (in flash), the memory for a run is the caller's (here
//! on the stack), and `max_arena` makes more of it than there is a compile error. The code runs on every processor.
//!
//! `cargo run` in this folder prints nothing, for want of a system to print with: the digit is its exit code.
//!
//! ```console
//! $ cargo run; echo $?
//! 7
//! ```
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cnn::cnn;
use cnn::rt::Arena;

cnn! {
    network LeNet5 = "../models/lenet5.toml",
        weights = "../../assets/lenet5-mnist.safetensors",
        max_arena = "48KiB",
        no_std;
}

/// The network is a constant: nothing has to be loaded.
static NETWORK: LeNet5 = LeNet5::new();

/// 32 rows of 32 pixels, from a blank (white) to 9 (black), as a camera might give them.
const DIGIT: [&str; 32] = [
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "                                ",
    "               111556992        ",
    "             168999999981       ",
    "           47899999869992       ",
    "       378899996531118992       ",
    "       6998544      3995        ",
    "       136          7993        ",
    "                   39992        ",
    "                   6996         ",
    "                  4999          ",
    "                 19995          ",
    "                17995           ",
    "                59981           ",
    "               49981            ",
    "              28993             ",
    "             49982              ",
    "            49994               ",
    "          169993                ",
    "          89993                 ",
    "         39982                  ",
    "         2962                   ",
    "                                ",
    "                                ",
    "                                ",
];

/// Where C programs start.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    let mut image = [[[0.0; 32]; 32]; 1];
    for (row, text) in image[0].iter_mut().zip(DIGIT) {
        for (pixel, shade) in row.iter_mut().zip(text.bytes()) {
            *pixel = f32::from(shade.saturating_sub(b'0')) / 9.0;
        }
    }
    let mut arena = Arena::new();
    let probabilities = NETWORK.run_with(&mut arena, &image);
    let ranked = (0..).zip(probabilities);
    ranked.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(255, |(digit, _)| digit)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// What `core`, which was compiled for programs that unwind, mentions and nobody calls.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}
