//! Options that are unknown, wrong or given twice.

use cnn_macros::cnn;

cnn! {
    network Options, max_areana = "64KiB", max_arena = "64 parsec", batch = 0, no_std = true {
        input x: [4];
        batch = 2;
        weights = 5;
        relu(x)
    }

    network Threads, threads = 2, no_std { input x: [4]; relu(x) }

    network NoThreads, threads = 0 { input x: [4]; relu(x) }

    network Comma batch = 1 { input x: [4]; relu(x) }
}

fn main() {}
