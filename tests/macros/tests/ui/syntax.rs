//! What is not well formed: one error for each statement.

use cnn_macros::cnn;

cnn! {
    network Statements {
        input image: [3, 8, 8];
        input other [3, 8, 8];
        inputt third: [3, 8, 8];

        a = conv(image filters = 4, kernel = 3);
        b = conv(image, filters = 4 kernel = 3);
        c = = relu(image);
        d = relu(image)
        e relu(image);
        f = conv(3, filters = 4, kernel = 5);
        let g = relu(image);
        h = image;
        i = conv(image, filters = , kernel = 3);
        j = conv(from = image, filters = 4, kernel = 3);
        relu(image);
        k: relu(image);
        return a, b
        l = relu(image);
    }

    netwrok Word { input x: [4]; relu(x) }

    pub struct Struct { input x: [4]; relu(x) }

    network { input x: [4]; relu(x) }

    network Nothing;
}

fn main() {}
