//! Blocks and their instances.

use cnn_macros::cnn;

cnn! {
    network Value {
        input image: [3, 8, 8];
        block unit(x; f) { conv(x, filters = f, kernel = 1) }
        u = unit(image, f = 0);
    }

    network Missing {
        input image: [3, 8, 8];
        block unit(x; f) { conv(x, filters = f, kernel = 1) }
        u = unit(image);
    }

    network Recursive {
        input image: [3, 8, 8];
        block unit(x) { unit(x) }
        u = unit(image);
    }

    network Outside {
        input image: [3, 8, 8];
        block unit(x) { relu(image) }
        u = unit(image);
    }

    network Form {
        input image: [3, 8, 8];
        block unit(x, f) { conv(x, filters = f, kernel = 1) }
        u = unit(image, f = 4);
    }
}

fn main() {}
