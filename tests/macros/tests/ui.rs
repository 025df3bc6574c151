//! Mistakes in `cnn!` as the compiler shows them. `TRYBUILD=overwrite` writes the texts anew.

#[test]
fn mistakes_are_shown_at_the_guilty_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
