//! More memory than the declaration allows.

use cnn_macros::cnn;

cnn! {
    network TooLarge, max_arena = "16KiB" {
        input image: [1, 32, 32];
        c1 = conv(image, filters = 6, kernel = 5, activation = relu);
        p1 = max_pool(c1, size = 2);
        y = dense(flatten(p1), units = 10);
    }

    network TooLargeWithoutSystem, no_std {
        max_arena = 4096;
        input image: [3, 16, 16];
        c1 = conv(image, filters = 8, kernel = 3, padding = same);
        c2 = conv(c1, filters = 8, kernel = 3, padding = same);
    }
}

fn main() {
    let _ = TooLarge::load;
}
