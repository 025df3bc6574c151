//! Mistakes in `cnn!`: each is reported at the guilty token with the word that helps, all at once, and nothing else.

mod text;

use text::{Found, errors};

/// Cases that are not as expected.
#[derive(Default)]
struct Cases(String);

impl Cases {
    /// These should be the mistakes of a macro call: each the tokens it is reported at and a word that it says.
    fn whole(&mut self, source: &str, expected: &[(&str, &str)]) {
        let found = errors(source);
        let fits = |(one, (at, word)): (&Found, &(&str, &str))| one.at == *at && one.text.contains(word);
        if found.len() != expected.len() || !found.iter().zip(expected).all(fits) {
            self.0 += &format!("{source}\nexpected {expected:?}\nfound {found:#?}\n\n");
        }
    }

    /// The mistakes of a network with this body.
    fn body(&mut self, body: &str, expected: &[(&str, &str)]) {
        self.whole(&format!("network Bad {{\n{body}\n}}"), expected);
    }

    /// The mistakes of layers behind an input `image: [3, 8, 8]`.
    fn layers(&mut self, layers: &str, expected: &[(&str, &str)]) {
        self.body(&format!("input image: [3, 8, 8];\n{layers}"), expected);
    }

    fn are_as_expected(&self) {
        assert!(self.0.is_empty(), "{}", self.0);
    }
}

#[test]
fn constants() {
    let mut cases = Cases::default();
    cases.layers(
        "const SIZE: usize = 3; a = conv(image, filters = SIZ, kernel = 3);",
        &[("SIZ", "did you mean `SIZE`?")],
    );
    cases.layers(
        "a = conv(image, filters = K, kernel = 3);",
        &[("K", "no constant `K` is declared above")],
    );
    cases.layers(
        "const K: usize = 0; a = conv(image, filters = K, kernel = 3);",
        &[("K", "filters")],
    );
    cases.layers("const K = 1; const K = 2; a = relu(image);", &[("K", "declared twice")]);
    cases.layers("const K: usize; a = relu(image);", &[(";", "expected `=`")]);
    cases.are_as_expected();
}

#[test]
fn every_mistake_of_the_model_files() {
    let mut cases = Cases::default();
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, activation = rellu);",
        &[("rellu", "`relu`")],
    );
    cases.layers(
        "a = conv(image, filters = 3, kernel = 3); b = add(a, image);",
        &[("a, image", "8")],
    );
    cases.layers("\"a b\" = relu(image);", &[("\"a b\"", "name")]);
    cases.layers(
        "block unit(x; f) { conv(x, filters = f, kernel = 1) } u = unit(image, f = 0);",
        &[("0", "filters")],
    );
    cases.layers(
        "block unit(x; f) { conv(x, filters = f, kernel = 1) } u = unit(image);",
        &[("unit", "`f`")],
    );
    cases.layers("block unit(x) { unit(x) } u = unit(image);", &[("unit", "uses itself")]);
    cases.layers(
        "a = conv(image, filters = 3, kernel = 3); b = concat(a, image);",
        &[("a, image", "8")],
    );
    cases.layers("a = add(image, b); b = relu(a);", &[("image, b", "cycle")]);
    cases.layers("a = dense(image, units = 10);", &[("image", "flatten")]);
    cases.layers("a = relu(image);\n a = tanh(a);", &[("a", "line 3: first here")]);
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, groups = 3);",
        &[("3", "filters")],
    );
    cases.layers(
        "a = conv(image, filters = 9223372036854775807, kernel = 3);",
        &[("9223372036854775807", "filters")],
    );
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, groups = 2);",
        &[("2", "groups")],
    );
    cases.body(
        "input image: [4294967296, 8, 8]; a = relu(image);",
        &[("4294967296", "image")],
    );
    cases.body("input image: [3, 0, 8]; a = relu(image);", &[("0", "found 0")]);
    cases.layers(
        "a = conv(image, filters = 4, kernel = [3, 3, 3]);",
        &[("[3, 3, 3]", "kernel")],
    );
    cases.layers(
        "a = conv(image, filters = 4, kernel = 11);",
        &[("11", "input has only 8")],
    );
    cases.layers("a = conv(image, filters = 4, kernel = \"3\");", &[("\"3\"", "kernel")]);
    cases.layers("a = conv(image, filters = 4, kernel = 0);", &[("0", "kernel")]);
    cases.layers("a = conv(image, kernel = 3);", &[("conv", "filters")]);
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, padding = -1);",
        &[("-1", "padding")],
    );
    cases.body("a = relu(image);", &[("a", "input image: [3, 224, 224];")]);
    cases.body("input image: [3, 8, 8];", &[("image", "no layer")]);
    cases.layers(
        "a = pad(image, padding = 9223372036854775807);",
        &[("9223372036854775807", "padding")],
    );
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, padding = sames);",
        &[("sames", "`same`")],
    );
    cases.layers("a = max_pool(image, size = 3, padding = 3);", &[("3", "padding")]);
    cases.layers("a = max_pool(image, size = 9);", &[("9", "needs 9 rows")]);
    cases.layers("a = reshape(image, shape = [4, 4, 4]);", &[("[4, 4, 4]", "192")]);
    cases.layers("a = channel_shuffle(image, groups = 2);", &[("2", "groups")]);
    cases.layers(
        "a = conv(image, filters = 4, kernel = 3, stride = 0);",
        &[("0", "stride")],
    );
    cases.layers("a = = relu(image);", &[("=", "operator")]);
    cases.layers("a = relu(imge);", &[("imge", "`image`")]);
    cases.layers("a = conv(image, filters = 4, kernal = 3);", &[("kernal", "`kernel`")]);
    cases.layers("a = convv(image, filters = 4, kernel = 3);", &[("convv", "`conv`")]);
    cases.layers("a = relu(image); return zz;", &[("zz", "unknown")]);
    cases.layers("layers = [relu];", &[("[", "operator")]);
    cases.are_as_expected();
}

#[test]
fn what_only_tokens_can_get_wrong() {
    let mut cases = Cases::default();
    cases.layers(
        "a = conv(image filters = 4, kernel = 3);",
        &[("filters", "expected `,`")],
    );
    cases.layers(
        "a = conv(image, filters = 4 kernel = 3);",
        &[("kernel", "expected `,`")],
    );
    cases.body("input image: [3 8, 8]; a = relu(image);", &[("8", "expected `,`")]);
    cases.layers("a = relu(image)\nb = tanh(a);", &[("b", "expected `;`")]);
    cases.layers("a relu(image);", &[("relu", "expected `=`")]);
    cases.layers("a == relu(image);", &[("=", "operator")]);
    cases.layers("let a = relu(image);", &[("let", "without `let`")]);
    cases.layers(
        "a = conv(image, filters = 2 + 2, kernel = 3);",
        &[("+", "nothing is computed")],
    );
    cases.layers(
        "a = conv(image, filters = 4u32, kernel = 3);",
        &[("4u32", "without `u32`")],
    );
    cases.layers("a = conv(image, filters = 'c', kernel = 3);", &[("'c'", "found `'c'`")]);
    cases.layers(
        "a = conv(image, filters = 99999999999999999999, kernel = 3);",
        &[("99999999999999999999", "64 bits")],
    );
    cases.layers("a = conv(image, filters = , kernel = 3);", &[(",", "a value")]);
    cases.layers("a = conv(image, filters = 4, kernel = );", &[(")", "a value")]);
    cases.layers("a = conv(image, filters = -x, kernel = 3);", &[("x", "a number")]);
    cases.layers("a = conv(4, kernel = 3, filters = 4);", &[("4", "behind its key")]);
    cases.layers("a = conv(-4, kernel = 3, filters = 4);", &[("-", "behind its key")]);
    cases.layers(
        "a = conv(from = image, filters = 4, kernel = 3);",
        &[("from", "operands stand first")],
    );
    cases.layers(
        "a = conv(filters = 4, kernel = 3);",
        &[("conv", "takes 1 operand, but has 0")],
    );
    cases.layers("a = relu(image, image);", &[("image, image", "takes 1 operand")]);
    cases.layers("a = 5;", &[("5", "operator")]);
    cases.layers("a = image;", &[("image", "operator")]);
    cases.layers("relu(image); a = relu(image);", &[("relu", "no name")]);
    cases.layers("inputt x: [3, 8, 8]; a = add(x, image);", &[("inputt", "`input`")]);
    cases.layers("a = relu(image); retrun a;", &[("retrun", "`return`")]);
    cases.layers("return a; a = relu(image);", &[("a", "behind the result")]);
    cases.layers("a = relu(image); return;", &[(";", "the name of a layer")]);
    cases.layers("a = relu(image); return a b;", &[("b", "expected `,`")]);
    cases.body("input image [3, 8, 8]; a = relu(image);", &[("[", "`:`")]);
    cases.body("input image = [3, 8, 8]; a = relu(image);", &[("=", "`:`")]);
    cases.body("input: [3, 8, 8]; a = relu(image);", &[(":", "input's name")]);
    cases.body("input image: [3, 8, 8] as hcw; a = relu(image);", &[("hcw", "hwc")]);
    cases.body(
        "input image: 8; a = relu(image);",
        &[("8", "[channels, height, width]")],
    );
    cases.layers("a = relu(image); + b;", &[("+", "a layer")]);
    cases.are_as_expected();
}

#[test]
fn blocks() {
    let mut cases = Cases::default();
    let mut block =
        |block: &str, expected: &[(&str, &str)]| cases.layers(&format!("{block}\na = unit(image);"), expected);
    block(
        "block unit(x, f) { relu(x) }",
        &[(",", "behind a `;`"), ("unit", "`f`")],
    );
    block("block unit { relu(x) }", &[("{", "expected `(`")]);
    block("block unit() { relu(x) }", &[(")", "applied to")]);
    block("block unit(x) relu(x);", &[("relu", "expected `{`")]);
    block("block unit(x) { }", &[("unit", "no layers")]);
    block(
        "block unit(x) { y = relu(image); }",
        &[("image", "sees its own layers and `x`")],
    );
    block("block unit(x) { x = relu(x); }", &[("x", "cannot be called `x`")]);
    block(
        "block unit(x) { input y: [3, 8, 8]; relu(x) }",
        &[("y", "no inputs of its own")],
    );
    block(
        "block unit(x) { batch = 4; relu(x) }",
        &[("batch", "belongs to the network")],
    );
    block(
        "block unit(x) { y = relu(x); z = relu(y); return y, z; }",
        &[("y", "one result")],
    );
    block(
        "block unit(x) { block v(y) { relu(y) } relu(x) }",
        &[("v", "inside another")],
    );
    cases.are_as_expected();
}

#[test]
fn headers() {
    let mut cases = Cases::default();
    let body = "{ input x: [4]; y = relu(x); }";
    cases.whole(&format!("pub netwrok Bad {body}"), &[("netwrok", "`network`")]);
    cases.whole(&format!("pub struct Bad {body}"), &[("struct", "expected `network`")]);
    cases.whole(&format!("network {body}"), &[("{", "the network's name")]);
    cases.whole("network Bad;", &[(";", "expected `{`")]);
    cases.whole("network Bad = 5;", &[("5", "path of a model file")]);
    cases.whole(
        "network Bad = \"missing.toml\";",
        &[("\"missing.toml\"", "cannot read `missing.toml`")],
    );
    cases.whole(
        &format!("network Bad, weights = \"missing.safetensors\" {body}"),
        &[("\"missing.safetensors\"", "cannot read")],
    );
    cases.whole(
        &format!("network Bad, max_areana = 4 {body}"),
        &[("max_areana", "`max_arena`")],
    );
    cases.whole(
        &format!("network Bad, max_arena = \"4 parsec\" {body}"),
        &[("\"4 parsec\"", "\"256KiB\"")],
    );
    cases.whole(
        &format!("network Bad, max_arena {body}"),
        &[("max_arena", "needs a value")],
    );
    cases.whole(&format!("network Bad, batch = 0 {body}"), &[("0", "number of images")]);
    cases.whole(&format!("network Bad, batch = 'x' {body}"), &[("'x'", "found `'x'`")]);
    cases.whole(
        &format!("network Bad, no_std = true {body}"),
        &[("true", "stands alone")],
    );
    cases.whole(
        &format!("network Bad, batch = 1, batch = 2 {body}"),
        &[("batch", "twice")],
    );
    cases.whole(&format!("network Bad batch = 1 {body}"), &[("batch", "expected `,`")]);
    cases.whole(
        "network Bad = \"a.toml\" { }",
        &[("\"a.toml\"", "either a model file or")],
    );
    cases.are_as_expected();
}

#[test]
fn a_model_files_mistake_is_told_with_its_line() {
    let found = errors("network Bad = \"../../cnn-ir/tests/bad/kernel_zero.toml\";");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].at, "\"../../cnn-ir/tests/bad/kernel_zero.toml\"");
    assert!(found[0].text.starts_with("`kernel` must be"), "{found:#?}");
    assert!(found[0].text.contains("kernel_zero.toml:11:10"), "{found:#?}");
}

#[test]
fn independent_mistakes_are_reported_at_once() {
    let mut cases = Cases::default();
    cases.body(
        "input image: [3, 8, 8];
         a = convv(image, filters = 4);
         b = conv(image, filters = 0, kernal = 3, activation = rellu);
         c = dense(image, units = 10);
         d = relu(imge);
         e = relu(flatten(b), c 4);",
        &[
            ("convv", "`conv`"),
            ("0", "filters"),
            ("kernal", "`kernel`"),
            ("rellu", "`relu`"),
            ("image", "flatten"),
            ("imge", "`image`"),
            ("4", "expected `,`"),
        ],
    );
    cases.are_as_expected();
}

#[test]
fn several_networks_of_one_call_do_not_mix() {
    let mut cases = Cases::default();
    cases.whole(
        "network A { input x: [4]; y = rellu(x); } network B { input x: [4]; y = relu(z); } network C { input x: [4]; relu(x) }",
        &[("rellu", "`relu`"), ("z", "unknown")],
    );
    cases.are_as_expected();
}
