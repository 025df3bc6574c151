//! The command `cnn`.

fn main() {}
