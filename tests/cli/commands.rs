//! What the subcommands print and write when all is well.

use cnn::io::npy;
use cnn::ir::text;
use cnn::{Backend, ir};
use ndarray::array;
use serde_json::Value;

use crate::support::{Folder, SMALL, cnn, npy_f32, safetensors};

/// `SMALL`'s weights: 1, 2, 3, 4 and a bias of ½.
fn weights() -> Vec<u8> {
    safetensors(&[
        ("c.weight", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]),
        ("c.bias", &[1], &[0.5]),
    ])
}

#[test]
fn run_lenet5_needs_nothing_else() {
    let text = cnn(&["run", "lenet5"]).ok();
    let lines: Vec<_> = text.lines().collect();
    assert!(text.contains('█') && text.contains('▄'), "{text}");
    let classes = lines
        .iter()
        .position(|line| *line == "probabilities: 10 classes")
        .unwrap();
    assert!(lines[classes + 1].starts_with("  7   99."), "{text}");
    let last = lines.last().unwrap();
    assert!(
        last.contains("61,706 parameters") && last.contains("compiled for") && last.contains(" in "),
        "{last}"
    );
}

#[test]
fn run_names_classes() {
    let folder = Folder::new();
    let names = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let labels = folder.file("labels.txt", names.join("\n") + "\n");
    let text = cnn(&["run", "lenet5", "--labels", &labels, "--top", "2"]).ok();
    assert!(text.contains("\n  seven") && !text.contains("three"), "{text}");
}

#[test]
fn run_writes_what_it_computes() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let weights = folder.file("w.safetensors", weights());
    let two = folder.file(
        "x.npy",
        npy_f32(&[2, 1, 2, 2], &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0]),
    );
    let one = folder.file("one.npy", npy_f32(&[1, 2, 2], &[1.0, 0.0, 0.0, 1.0]));
    for backend in Backend::ALL {
        let run = |input: &str, more: &[&str]| {
            let arguments = [
                "run",
                &model,
                "--weights",
                &weights,
                "--input",
                input,
                "--backend",
                backend.name(),
            ];
            cnn(&[&arguments[..], more].concat()).ok()
        };
        let output = folder.at("y.npy");
        run(&two, &["--output", &output]);
        assert_eq!(
            npy::read(output.as_ref()).unwrap(),
            array![[[[5.5]]], [[[-3.5]]]].into_dyn()
        );
        // Without the batch dimension, by name, with batch 1.
        run(
            &format!("image={one}"),
            &["--output", &output, "--batch", "1", "--threads", "1", "--no-optimise"],
        );
        assert_eq!(npy::read(output.as_ref()).unwrap(), array![[[[5.5]]]].into_dyn());
        assert!(run(&one, &[]).contains("\n  5.5\n"));
    }
}

#[test]
fn several_inputs_and_outputs() {
    let folder = Folder::new();
    let model = folder.file(
        "net.toml",
        "outputs = [\"sum\", \"product\"]\n\n[inputs]\na = [3]\nb = [3]\n\n\
         [[layer]]\nname = \"sum\"\nop = \"add\"\nfrom = [\"a\", \"b\"]\n\n\
         [[layer]]\nname = \"product\"\nop = \"mul\"\nfrom = [\"a\", \"b\"]\n",
    );
    let a = folder.file("a.npy", npy_f32(&[3], &[1.0, 2.0, 3.0]));
    let b = folder.file("b.npy", npy_f32(&[3], &[10.0, 20.0, 30.0]));
    let output = folder.at("out");
    let named = format!("b={b}");
    let text = cnn(&["run", &model, "--input", &named, "--input", &a, "--output", &output]).ok();
    assert!(text.contains("sum: 1 × 3") && text.contains("product: 1 × 3"), "{text}");
    assert_eq!(
        npy::read(folder.at("out/sum.npy").as_ref()).unwrap(),
        array![[11.0, 22.0, 33.0]].into_dyn()
    );
    assert_eq!(
        npy::read(folder.at("out/product.npy").as_ref()).unwrap(),
        array![[10.0, 40.0, 90.0]].into_dyn()
    );
    cnn(&["run", &model, "--input", &a]).fails(2, &["input `b` [3] is missing", "--input b="]);
}

#[test]
fn made_up_numbers_are_the_same_everywhere() {
    let folder = Folder::new();
    let (a, b, c) = (folder.at("a.npy"), folder.at("b.npy"), folder.at("c.npy"));
    let run = |weights: &str, input: &str, output: &str| {
        cnn(&[
            "run",
            "lenet5",
            "--weights",
            weights,
            "--input",
            input,
            "--output",
            output,
        ])
        .ok();
        npy::read(output.as_ref()).unwrap()
    };
    let first = run("random:7", "random", &a);
    assert_eq!(first, run("random:7", "image=random:0", &b));
    assert_ne!(first, run("random:8", "random", &c));
}

#[test]
fn check_says_what_a_model_takes_and_gives() {
    let text = cnn(&["check", "lenet5"]).ok();
    for line in ["ok: lenet5", "image [1, 32, 32]", "probabilities [10]", "61,706"] {
        assert!(text.contains(line), "{text}");
    }
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL);
    let file = folder.file("w.safetensors", weights());
    let text = cnn(&["check", &model, "--weights", &file]).ok();
    assert!(text.contains("2 tensors of") && text.contains("right shape"), "{text}");
    let hwc = folder.file(
        "hwc.toml",
        SMALL.replace("[1, 2, 2]", "{ shape = [39, 31, 3], layout = \"hwc\" }"),
    );
    assert!(
        cnn(&["check", &hwc])
            .ok()
            .contains("image [39, 31, 3] (height, width, channels)")
    );
}

#[test]
fn summary_shows_the_arithmetic_within_120_columns() {
    let text = cnn(&["summary", "lenet5"]).ok();
    for word in [
        "⌊(32 + 2·0 − 5)/1⌋ + 1 = 28",
        "(28×28)×(5×5)×6 = 117600",
        "(10×10)×(5×5×6)×16 = 240000",
        "[16, 10, 10]",
        "48,120",
        "61,706",
        "416,520",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    let json: Value = serde_json::from_str(&cnn(&["summary", "lenet5", "--json"]).ok()).unwrap();
    assert_eq!(json["parameters"], 61706);
    assert_eq!(json["layers"][1]["shape"], serde_json::json!([6, 28, 28]));
    assert_eq!(json["layers"].as_array().unwrap().len(), 10);
}

#[test]
fn summary_shows_what_introductions_show() {
    let folder = Folder::new();
    let conv = |image: &str, filters: &str| {
        SMALL
            .replace("[1, 2, 2]", image)
            .replace("filters = 1", filters)
            .replace("kernel = 2", "kernel = 3")
    };
    for (image, filters, product) in [
        ("[1, 4, 4]", "filters = 1", "(2×2)×(3×3) = 36"),
        ("[3, 6, 6]", "filters = 1", "(4×4)×(3×3×3) = 432"),
        ("[3, 6, 6]", "filters = 2", "(4×4)×(3×3×3)×2 = 864"),
    ] {
        let model = folder.file("net.toml", conv(image, filters));
        let text = cnn(&["summary", &model]).ok();
        assert!(text.contains(product), "{text}");
    }
}

#[test]
fn dumps_of_graphs_read_back() {
    for stage in ["parsed", "shaped", "fused"] {
        let dumped = cnn(&["dump", "lenet5", "--stage", stage]).ok();
        let graph = text::parse(&dumped).unwrap_or_else(|errors| panic!("{stage}: {errors:?}\n{dumped}"));
        let shapes = ir::validate::validate(&graph).unwrap();
        let shapes = (stage != "parsed").then_some(&shapes);
        let printed = text::print(&graph, shapes);
        assert!(dumped.ends_with(&printed), "{stage}: {dumped}\n{printed}");
        let dot = cnn(&["dump", "lenet5", "--stage", stage, "--format", "dot"]).ok();
        assert!(dot.starts_with("digraph \"lenet5\" {") && dot.contains(" -> "), "{dot}");
        let json: Value =
            serde_json::from_str(&cnn(&["dump", "lenet5", "--stage", stage, "--format", "json"]).ok()).unwrap();
        assert_eq!(json["nodes"].as_array().unwrap().len(), graph.len());
    }
    let fused = cnn(&["dump", "lenet5", "--stage", "fused"]).ok();
    assert!(
        fused.starts_with("// dead_code: ") && fused.contains("//   nothing to do"),
        "{fused}"
    );
}

#[test]
fn plans_and_code_are_shown() {
    let dump = |stage: &str, more: &[&str]| cnn(&[&["dump", "lenet5", "--stage", stage], more].concat());
    let plan = dump("planned", &[]).ok();
    assert!(
        plan.contains("arena") && plan.contains("`c3`") && plan.contains("c1.weight"),
        "{plan}"
    );
    let json: Value = serde_json::from_str(&dump("planned", &["--format", "json", "--batch", "3"]).ok()).unwrap();
    assert_eq!(json["batch"], 3);
    assert!(json["arena_bytes"].as_u64() >= json["lower_bound_bytes"].as_u64());
    assert!(dump("clif", &["--portable"]).ok().contains("\nfunction u0:"));
    assert!(dump("asm", &[]).ok().contains("ret"));
    for (stage, format) in [("clif", "json"), ("clif", "svg"), ("asm", "dot")] {
        dump(stage, &["--format", format]).fails(2, &["only"]);
    }
    dump("planned", &["--max-memory", "10K"]).fails(1, &["but may take 10.0 KiB"]);
}

#[test]
fn profiles_name_every_layer() {
    let arguments = ["bench", "lenet5", "--iterations", "1", "--profile"];
    let text = cnn(&arguments).ok();
    let json: Value = serde_json::from_str(&cnn(&[&arguments[..], &["--json"]].concat()).ok()).unwrap();
    let layers = json["layers"].as_array().unwrap();
    for name in ["c1", "s2", "c3", "s4", "c5", "f6", "output", "probabilities"] {
        let layer = layers
            .iter()
            .find(|layer| layer["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {json}"));
        assert!(
            layer["ms"].is_number() && layer["gflops"].is_number() && layer["kernel"].is_string(),
            "{layer}"
        );
        assert!(text.contains(name), "{text}");
        assert!(layer["bandwidth_share"].as_f64().unwrap() > 0.0, "{layer}");
        // Only some machines have such a peak.
        let multiplies = layer["gflops"].as_f64().unwrap() > 0.0;
        let reaches = layer["peak_share"].as_f64().map(|share| share > 0.0);
        assert_eq!(reaches, json["peak_gflops"].as_f64().map(|_| multiplies), "{layer}");
    }
    assert!(json["memory_gb_per_s"].as_f64().unwrap() > 0.0, "{json}");
    assert!(
        text.contains("GB/s read from memory") && text.contains("% of memory"),
        "{text}"
    );
    cnn(&[&arguments[..], &["--backend", "interp"]].concat()).fails(1, &["the interpreter cannot be profiled"]);
}

#[test]
fn a_model_whose_shapes_do_not_fit_can_be_dumped_as_parsed() {
    let folder = Folder::new();
    let model = folder.file("net.toml", SMALL.replace("kernel = 2", "kernel = 3"));
    cnn(&["dump", &model, "--stage", "shaped"]).fails(1, &["net.toml:8:"]);
    assert!(cnn(&["dump", &model, "--stage", "parsed"]).ok().contains("kernel = 3"));
}

#[test]
fn bench_measures() {
    for &backend in Backend::ALL {
        let arguments = ["bench", "lenet5", "--iterations", "3", "--backend", backend.name()];
        let text = cnn(&arguments).ok();
        assert!(text.contains("of 3 runs") && text.contains("GFLOP/s"), "{text}");
        let json: Value =
            serde_json::from_str(&cnn(&[&arguments[..], &["--json", "--batch", "2"]].concat()).ok()).unwrap();
        assert_eq!(json["model"], "lenet5");
        assert_eq!(json["backend"], backend.name());
        assert_eq!(json["batch"], 2);
        assert_eq!(json["macs"], 416_520);
        for key in ["compile_ms", "median_ms", "min_ms", "peak_arena_bytes", "threads"] {
            assert!(json[key].as_f64().unwrap() > 0.0, "{key}: {json}");
        }
        assert!(json["min_ms"].as_f64() <= json["median_ms"].as_f64());
    }
}
