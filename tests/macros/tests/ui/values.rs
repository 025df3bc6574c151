//! Values that an operator does not take.

use cnn_macros::cnn;

cnn! {
    network Values {
        input image: [3, 8, 8];

        a = conv(image, filters = 4, kernel = [3, 3, 3]);
        b = conv(image, filters = 4, kernel = "3");
        c = conv(image, filters = 4, kernel = 0);
        d = conv(image, filters = 4, kernel = 3, padding = -1);
        e = conv(image, filters = 4, kernel = 3, stride = 0);
        f = conv(image, filters = 9223372036854775807, kernel = 3);
        g = pad(image, padding = 9223372036854775807);
        h = conv(image, filters = 4u32, kernel = 'c');
        i = conv(image, filters = 99999999999999999999, kernel = 3);
        j = conv(image, filters = 2 * 2, kernel = 3);
    }

    network Zero {
        input image: [3, 0, 8];
        a = relu(image);
    }

    network Overflow {
        input image: [4294967296, 4294967296, 4294967296];
        a = relu(image);
    }
}

fn main() {}
