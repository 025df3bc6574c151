//! Shapes that do not fit, with their arithmetic; uses of the network say nothing besides.

use cnn_macros::cnn;

cnn! {
    /// A network with many mistakes.
    #[derive(Clone)]
    pub network Shapes {
        input image: [3, 8, 8];

        a = conv(image, filters = 4, kernel = 11);
        b = conv(image, filters = 4, kernel = 3, groups = 2);
        c = conv(image, filters = 4, kernel = 3, groups = 3);
        d = dense(image, units = 10);
        e = conv(image, filters = 3, kernel = 3);
        f = add(e, image);
        g = concat(e, image);
        h = max_pool(image, size = 9);
        i = max_pool(image, size = 3, padding = 3);
        j = reshape(image, shape = [4, 4, 4]);
        k = channel_shuffle(image, groups = 2);
    }
}

fn main() {
    let network = Shapes::load("weights.safetensors").unwrap();
    let output: [f32; Shapes::CLASSES] = network.run(&[0.0; 192]);
    println!("{output:?}");
}
