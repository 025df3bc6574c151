//! Mistakes as strangers make them: all independent ones of a file are reported, and none that only follow.

use cnn_ir::{front, validate};

/// `line: message` of every error, in order.
fn errors(text: &str) -> Vec<String> {
    let errors = match front::graph_from_toml(text) {
        Err(errors) => errors,
        Ok((graph, _)) => validate::validate(&graph).expect_err("there should be an error"),
    };
    lines(text, &errors)
}

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = front::graph_from_toml(text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    lines(text, &warnings)
}

fn lines(text: &str, diagnostics: &[cnn_ir::diag::Diagnostic]) -> Vec<String> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    diagnostics
        .iter()
        .map(|d| match &d.primary {
            Some(label) => format!("{}: {}", line(label.span.start), d.message),
            None => format!("-: {}", d.message),
        })
        .collect()
}

/// Fails unless there are as many lines as prefixes, each beginning with its own.
#[track_caller]
fn assert_lines(found: &[String], expected: &[&str]) {
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.starts_with(e));
    assert!(fits, "found {found:#?}\nexpected {expected:#?}");
}

const IMAGE: &str = "inputs.image = [3, 8, 8]\n";

fn net(layers: &str) -> String {
    format!("{IMAGE}{layers}")
}

fn layer(name: &str, rest: &str) -> String {
    format!("[[layer]]\nname = \"{name}\"\n{rest}\n")
}

#[test]
fn an_empty_file() {
    for text in ["", "\n", "# nothing\n", "\u{feff}"] {
        assert_lines(
            &errors(text),
            &["-: the network has no input", "-: the network has no layer"],
        );
    }
}

#[test]
fn errors_of_several_layers_are_all_reported() {
    let text = net(&(layer("a", "op = \"conv\"\nfilters = 0\nkernal = 3")
        + &layer("b", "op = \"rellu\"")
        + &layer("c", "op = \"max_pool\"\nsize = 2\nceil = 1\nfrom = \"aa\"")));
    assert_lines(
        &errors(&text),
        &[
            "5: `filters` must be between 1",
            "6: `conv` has no key `kernal`; did you mean `kernel`?",
            "9: unknown operator or block `rellu`; did you mean `relu`?",
            "14: `ceil` must be true or false",
            "15: unknown layer or input `aa`; did you mean `a`?",
        ],
    );
}

#[test]
fn errors_of_shapes_in_two_branches_are_both_reported() {
    let text = net(&(layer("a", "op = \"dense\"\nunits = 1\nfrom = \"image\"")
        + &layer("b", "op = \"max_pool\"\nsize = 20\nfrom = \"image\"")
        + &layer("c", "op = \"relu\"")
        + &layer("d", "op = \"add\"\nfrom = [\"a\", \"c\"]")));
    assert_lines(
        &errors(&text),
        &["6: a: `dense` needs a flat vector", "10: b: the window needs 20 rows"],
    );
}

/// A pool that fits into no image of [`net`], whatever stands beside it.
fn too_large(name: &str) -> String {
    layer(name, "op = \"max_pool\"\nsize = 20\nfrom = \"image\"")
}

#[test]
fn errors_of_words_do_not_hide_those_of_shapes_elsewhere() {
    for (wrong, expected) in [
        ("op = \"rellu\"", "4: unknown operator or block `rellu`"),
        ("op = \"relu\"\nslope = 1", "5: `relu` has no key `slope`"),
        ("op = \"conv\"\nkernel = 3", "4: `conv` needs the key `filters`"),
        ("op = \"relu\"\nfrom = \"imago\"", "5: unknown layer or input `imago`"),
        ("op = \"relu\"\nfrom = 3", "5: `from` must be a name or a list"),
        ("op = \"relu\"\nfrom = [3]", "5: each of `from` must be a string"),
        ("op = \"relu\"\nweights = 3", "5: `weights` must be a prefix"),
        ("op = = \"relu\"", "4: not valid TOML"),
        ("op = 3", "4: `op` must be a string"),
        ("kernel = 3", "3: this layer has no `op`"),
        (
            "op = \"relu\"\nfrom = \"a\"",
            "5: the layer `a` works on its own result",
        ),
    ] {
        // Before and behind it.
        let text = net(&(layer("a", wrong) + &too_large("b")));
        let found = errors(&text);
        let below = format!(
            "{}: b: the window needs 20 rows",
            2 + layer("a", wrong).lines().count() + 3
        );
        assert_lines(&found, &[expected, &below]);
        let text = net(&(too_large("b") + &layer("a", wrong)));
        let found = errors(&text);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("5: b: the window needs 20 rows"), "{found:#?}");
    }
}

#[test]
fn errors_of_words_elsewhere_do_not_hide_those_of_shapes() {
    for (text, expected) in [
        (
            format!("{IMAGE}{}[conf]\nx = 1\n", too_large("b")),
            vec!["5: b:", "7: unknown table"],
        ),
        (
            format!("name = 3\n{IMAGE}{}", too_large("b")),
            vec!["1: the network's name", "6: b:"],
        ),
        (
            format!("outputs = [\"c\"]\n{IMAGE}{}", too_large("b")),
            vec!["1: unknown layer", "6: b:"],
        ),
        (
            format!("inputs.mask = [0]\n{IMAGE}{}", too_large("b")),
            vec!["1: mask: `shape`", "6: b:"],
        ),
        (
            format!("{IMAGE}{}", too_large("9b")),
            vec!["3: \"9b\" is not a valid name", "5: 9b:"],
        ),
        (
            format!("name = = 3\n[inputs]\nimage = [3, 8, 8]\n{}", too_large("b")),
            vec!["1: not valid", "7: b:"],
        ),
    ] {
        let found = errors(&text);
        assert_eq!(found.len(), expected.len(), "{text}\n{found:#?}");
        for (found, expected) in found.iter().zip(&expected) {
            let (line, start) = expected.split_once(": ").unwrap_or((expected, ""));
            assert!(found.starts_with(line) && found.contains(start), "{text}\n{found:#?}");
        }
    }
}

#[test]
fn what_works_on_a_broken_layer_does_not_complain() {
    let dense = |from: &str| layer("d", &format!("op = \"dense\"\nunits = 1\n{from}")) + &layer("e", "op = \"relu\"");
    for (wrong, expected) in [
        ("op = \"flaten\"", "unknown operator"),
        ("op = \"flatten\"\naxis = 1", "`flatten` has no key `axis`"),
        ("op = \"flatten\"\nform = \"image\"", "`flatten` has no key `form`"),
        ("op = \"relu\"\nfrom = \"imago\"", "unknown layer or input"),
        ("op = \"relu\"\nfrom = [3]", "each of `from` must be"),
        ("op = \"relu\"\nfrom = 3", "`from` must be"),
        ("op = \"relu\"\nfrom = \"d\"", "layers work on each other's results"),
        ("op = = \"flatten\"", "not valid TOML"),
    ] {
        for from in ["", "from = \"a\"", "from = [\"a\"]"] {
            let found = errors(&net(&(layer("a", wrong) + &dense(from))));
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{wrong}, {from}: {found:#?}"
            );
        }
    }
    // Whose shape is meant, nobody knows.
    let twice = layer("a", "op = \"relu\"") + &layer("a", "op = \"flatten\"") + &dense("from = \"a\"");
    assert_lines(&errors(&net(&twice)), &["6: the name `a` is given twice"]);
    for (inputs, expected) in [
        ("", "1: unknown table or key `nothing`"),
        ("[inputs]\nimage = [3, 8, 0]\n", "2: image: `shape` must be"),
        ("[inputs]\nimage = [3, 8, \n", ""),
        ("inputs.image = [3, 8, \n", ""),
        ("[inputs]\nimage = [3 8 8]\n", "2: not valid TOML"),
        ("inputs.image = [3 8 8]\n", "1: not valid TOML"),
    ] {
        let text = format!(
            "{inputs}{}",
            layer("c", "op = \"conv\"\nfilters = 1\nkernel = 7") + &dense("")
        );
        let found = errors(&text);
        assert!(
            found.iter().all(|line| !line.contains("c: ") && !line.contains("d: ")),
            "{found:#?}"
        );
        assert!(
            !found.is_empty() && (inputs.is_empty() || found[0].starts_with(expected)),
            "{found:#?}"
        );
    }
    // Layers that were lost between others, or stand under a misspelt name.
    let text = net(&(layer("a", "op = \"relu\"")
        + &layer("b", "op = \"flatten\"").replace("[layer]", "[element]")
        + &dense("")));
    assert_lines(&errors(&text), &["5: unknown table or key `element`"]);
    let text = net(&(layer("a", "op = \"relu\"")
        + &layer("b", "op = \"flatten\"").replace("[layer]", "[layers]")
        + &dense("")));
    assert_lines(
        &errors(&text),
        &["5: unknown table or key `layers`; did you mean `layer`?"],
    );
}

#[test]
fn blocks_with_errors_hide_only_what_depends_on_them() {
    let block = "[block.unit]\nparams = [\"f\"]\n".to_string()
        + &layer("x", "op = \"conv\"\nfilters = \"$f\"\nkernel = 3").replace("[layer]", "[block.unit.layer]")
        + &layer("y", "op = \"max_pool\"\nsize = 20\nfrom = \"in\"").replace("[layer]", "[block.unit.layer]");
    let unit = |rest: &str| net(&(block.clone() + &layer("u", &format!("op = \"unit\"\n{rest}"))));
    for (rest, expected) in [
        (
            "f = 0",
            ["12: u.y: the window", "17: `filters` must be between 1"].as_slice(),
        ),
        (
            "ff = 4",
            &["12: u.y: the window", "17: unknown parameter of the block `unit` `ff`"],
        ),
        (
            "f = 4\ng = 1",
            &["12: u.y: the window", "18: unknown parameter of the block `unit` `g`"],
        ),
        (
            "f = 4\nform = \"image\"",
            &["18: unknown parameter of the block `unit` `form`"],
        ),
        ("f = 4\nfrom = \"imago\"", &["18: unknown layer or input `imago`"]),
        ("f = 4\nfrom = 4", &["18: `from` must be a name"]),
    ] {
        assert_lines(&errors(&unit(rest)), expected);
    }
    let inner = unit("f = 4").replace("from = \"in\"", "from = \"inn\"") + &too_large("z");
    assert_lines(
        &errors(&inner),
        &[
            "13: unknown layer of the block `unit` `inn`",
            "21: z: the window needs 20 rows",
        ],
    );
}

#[test]
fn a_broken_layer_is_still_known_by_name() {
    let text = net(&(layer("a", "op = = \"relu\"")
        + &layer("b", "op = \"relu\"\nfrom = \"a\"")
        + &layer("c", "op = \"softmaxx\"\nfrom = [\"a\", \"b\"]")
        + &layer("d", "op = \"relu\"\nfrom = \"c\"\nalpha = 1")));
    assert_lines(
        &errors(&text),
        &[
            "4: not valid TOML",
            "11: unknown operator or block `softmaxx`",
            "17: `relu` has no key `alpha`",
        ],
    );
}

#[test]
fn nothing_is_unknown_when_the_file_could_not_be_read_whole() {
    let text = "outputs = [\"c\"]\n[inputs]\nimage = [3, 8\n".to_string()
        + &layer("a", "op = \"relu\"\nfrom = \"imagine\"")
        + &layer("b", "op = \"relu\"\nkernel = 3");
    let found = errors(&text);
    assert!(found.iter().any(|line| line.contains("not valid TOML")), "{found:#?}");
    assert!(found.iter().all(|line| !line.contains("unknown layer")), "{found:#?}");
}

#[test]
fn layers_without_name_or_op() {
    let text = net(
        "[[layer]]\nop = \"relu\"\n[[layer]]\nname = \"b\"\n[[layer]]\nnmae = \"c\"\nop = \"relu\"\nfrom = \"b\"\n",
    );
    assert_lines(
        &errors(&text),
        &[
            "2: this layer has no `name`",
            "5: this layer has no `op`",
            "7: unknown key `nmae`; did you mean `name`?",
        ],
    );
}

#[test]
fn wrong_types_of_the_common_keys() {
    let text = format!("name = 3\noutputs = 1\n{IMAGE}[[layer]]\nname = 1\nop = [\"relu\"]\nfrom = [1, \"image\"]\n");
    assert_lines(
        &errors(&text),
        &[
            "1: the network's name must be a string",
            "2: `outputs` must be a name or a list of names",
            "5: `name` must be a string",
            "6: `op` must be a string",
            "7: each of `from` must be a string",
        ],
    );
    let text = format!("layer = 3\nblock = []\n{IMAGE}");
    assert_lines(
        &errors(&text),
        &["1: `layer` must be tables", "2: `block` must be `[block.NAME]`"],
    );
    assert_lines(&errors("inputs = [\"image\"]\n"), &["1: `inputs` must be `[inputs]`"]);
}

#[test]
fn single_brackets() {
    let text = net("[layer]\nname = \"a\"\nop = \"relu\"\n");
    assert_lines(&errors(&text), &["2: a layer begins with `[[layer]]`"]);
}

#[test]
fn misspelt_tables_are_read_as_what_they_mean() {
    let text = "[input]\nimage = [3, 8, 8]\n[[layers]]\nname = \"a\"\nop = \"rellu\"\n[conf]\nx = 1\n";
    assert_lines(
        &errors(text),
        &[
            "1: unknown table or key `input`; did you mean `inputs`?",
            "3: unknown table or key `layers`; did you mean `layer`?",
            "5: unknown operator or block `rellu`",
            "6: unknown table or key `conf`",
        ],
    );
}

#[test]
fn wrong_outputs() {
    let a = layer("a", "op = \"relu\"");
    assert_lines(
        &errors(&format!("outputs = []\n{}", net(&a))),
        &["1: `outputs` names no layer"],
    );
    assert_lines(
        &errors(&format!("outputs = [\"a\", \"b\", \"a\"]\n{}", net(&a))),
        &["1: unknown layer or input `b`", "1: the name `a` is given twice"],
    );
    // TOML gives the key to the table above it.
    let below = net(&(a.clone() + "outputs = [\"a\"]\n"));
    assert_lines(
        &errors(&below),
        &["5: `outputs` is not a key of a layer but of the network"],
    );
}

#[test]
fn inputs_of_wrong_form() {
    let input = |value: &str| format!("[inputs]\nimage = {value}\n{}", layer("a", "op = \"relu\""));
    for (value, expected) in [
        (
            "[3, 8]",
            "2: image: `shape` must be [channels, height, width] or [length]",
        ),
        ("[1, 3, 8, 8]", "2: image: `shape` must be"),
        ("[]", "2: image: `shape` must be"),
        ("3", "2: image: `shape` must be"),
        ("[3, 8, 8.0]", "2: image: `shape` must hold integers"),
        ("[3, 8, -8]", "2: image: `shape` must be between 1"),
        (
            "[2000000000, 2000000000, 1]",
            "2: image: `shape` [2000000000, 2000000000, 1] has too many elements",
        ),
        ("{ layout = \"hwc\" }", "2: image: `input` needs the key `shape`"),
        (
            "{ shape = [8], layout = \"hwc\" }",
            "2: image: `layout = \"hwc\"` needs a `shape` of three dimensions",
        ),
        (
            "{ shape = [8, 8, 3], layout = \"hcw\" }",
            "2: image: `layout` must be \"chw\" or \"hwc\"",
        ),
        (
            "{ shape = [8, 8, 3], layuot = \"hwc\" }",
            "2: image: `input` has no key `layuot`; did you mean `layout`?",
        ),
    ] {
        assert_lines(&errors(&input(value)), &[expected]);
    }
}

#[test]
fn an_input_of_the_wrong_order_is_warned_of() {
    let input = |value: &str| format!("[inputs]\nimage = {value}\n{}", layer("a", "op = \"relu\""));
    assert_lines(
        &warnings(&input("[32, 32, 3]")),
        &["2: the input `image` has 32 channels of 32×3 pixels"],
    );
    let hwc = input("{ shape = [3, 32, 32], layout = \"hwc\" }");
    assert_lines(
        &warnings(&hwc),
        &["2: the input `image` has 32 channels of 3×32 pixels"],
    );
    assert_lines(&warnings(&input("{ shape = [32, 32, 3], layout = \"hwc\" }")), &[]);
}

#[test]
fn cycles() {
    let text = net(&layer("a", "op = \"relu\"\nfrom = \"a\""));
    assert_lines(&errors(&text), &["5: the layer `a` works on its own result: a cycle"]);
    // Two cycles and an unknown key.
    let text = net(&(layer("a", "op = \"add\"\nfrom = [\"image\", \"b\"]")
        + &layer("b", "op = \"relu\"\nslope = 1")
        + &layer("c", "op = \"add\"\nfrom = [\"b\", \"e\"]")
        + &layer("d", "op = \"relu\"")
        + &layer("e", "op = \"relu\"")));
    assert_lines(
        &errors(&text),
        &[
            "5: layers work on each other's results in a cycle: `a` → `b` → `a`",
            "9: `relu` has no key `slope`",
            "13: layers work on each other's results in a cycle: `c` → `d` → `e` → `c`",
        ],
    );
}

#[test]
fn references_to_layers_further_down_are_fine() {
    let text = net(&(layer("a", "op = \"relu\"\nfrom = \"b\"") + &layer("b", "op = \"tanh\"\nfrom = \"image\"")));
    let (graph, warnings) = front::graph_from_toml(&format!("outputs = [\"a\"]\n{text}")).unwrap();
    assert_eq!(warnings, []);
    let a = graph.find("a").unwrap();
    assert_eq!(graph.operands(a), [graph.find("b").unwrap()]);
    assert!(validate::validate(&graph).is_ok());
}

#[test]
fn numbers_beyond_every_size() {
    let text = net(&layer(
        "a",
        "op = \"conv\"\nfilters = 99999999999999999999999\nkernel = -0x0",
    ));
    let found = errors(&net(&layer(
        "a",
        "op = \"conv\"\nfilters = 99999999999999999999999\nkernel = 3",
    )));
    assert_lines(&found, &["5: this number does not fit into 64 bits"]);
    assert!(!errors(&text).is_empty());
    let text = net(&layer("a", "op = \"clip\"\nmin = -1e400\nmax = 1979-05-27"));
    let found = errors(&text);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("6: a date or time means nothing")),
        "{found:#?}"
    );
}

#[test]
fn what_no_output_needs_is_warned_of() {
    let text = format!(
        "outputs = [\"a\"]\ninputs.mask = [8]\n{}",
        net(&(layer("a", "op = \"relu\"\nfrom = \"image\"")
            + &layer("b", "op = \"relu\"")
            + &layer("c", "op = \"relu\"")))
    );
    assert_lines(
        &warnings(&text),
        &[
            "2: no output needs the input `mask`",
            "12: no output needs the layer `c`",
        ],
    );
}

#[test]
fn a_key_given_twice() {
    let text = net(&layer("a", "op = \"relu\"\nop = \"tanh\""));
    assert_lines(&errors(&text), &["5: not valid TOML: duplicate key"]);
}

#[test]
fn weights_must_be_text() {
    let text = net(&(layer("a", "op = \"prelu\"\nweights = 3") + &layer("b", "op = \"prelu\"\nweights = \"\"")));
    assert_lines(
        &errors(&text),
        &["5: `weights` must be a prefix", "9: `weights` must be a prefix"],
    );
}
