//! The program starts where C programs do.

fn main() {
    println!("cargo::rustc-link-lib=c");
}
