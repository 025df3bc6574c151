//! Words that are not known, with the nearest one that is.

use cnn_macros::cnn;

cnn! {
    network Words {
        input image: [3, 8, 8];

        a = convv(image, filters = 4, kernel = 3);
        b = conv(image, filters = 4, kernal = 3);
        c = conv(image, filters = 4, kernel = 3, activation = rellu);
        d = conv(image, filters = 4, kernel = 3, padding = sames);
        e = conv(image, kernel = 3);
        f = relu(imge);
        g = linear(image, units = 4);
        h = relu(image);
        h = tanh(image);
        "i j" = relu(image);
        return zz;
    }

    network Cycle {
        input image: [3, 8, 8];
        a = add(image, b);
        b = relu(a);
    }

    network NoInput {
        a = relu(image);
    }

    network NoLayers {
        input image: [3, 8, 8];
    }
}

fn main() {}
