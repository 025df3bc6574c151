//! Compiled files: what is loaded computes what is compiled, to the bit; what is damaged, foreign or for other machines is
//! an error that runs nothing.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use cnn::{Backend, CompiledFile, Error, InstructionSet, Model, Network, Options, Session, Weights, builtin};
use tempfile::TempDir;

const ONE: Options = Options {
    backend: Backend::Jit,
    batch: 1,
    threads: Some(1),
    optimise: true,
    exact: false,
    full_weights: false,
    caches: cnn::Caches::TYPICAL,
    isa: None,
    max_memory: None,
};

/// The best instruction set of this machine.
fn best() -> InstructionSet {
    ONE.for_plan().isa
}

/// A compiled LeNet-5 with its own weights.
fn lenet5(options: &Options, sets: &[InstructionSet]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lenet5.cnnc");
    let (model, weights) = (Model::builtin("lenet5").unwrap(), Weights::builtin("lenet5").unwrap());
    model.write_compiled(&path, &weights, options, sets).unwrap();
    (folder, path)
}

/// The bits of all outputs for made-up inputs.
fn bits(network: &Network) -> Vec<u32> {
    let inputs: Vec<Vec<f32>> = (network.inputs().iter().enumerate())
        .map(|(seed, port)| {
            let elements = port.batched(network.batch()).iter().product();
            cnn::random_input(&port.name, elements, seed as u64)
        })
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = network.outputs().iter();
    let mut outputs: Vec<Vec<f32>> = outputs
        .map(|port| vec![f32::NAN; port.batched(network.batch()).iter().product()])
        .collect();
    let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    network.run_into(&inputs, &mut slices).unwrap();
    outputs.iter().flatten().map(|x| x.to_bits()).collect()
}

/// What is wrong with the file.
fn refused(path: &Path) -> String {
    Network::open(path, &ONE).expect_err("it is refused").to_string()
}

#[test]
fn built_in_networks_come_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.cnnc");
    // The others have layers of the same kinds, and hundreds of megabytes of weights.
    for name in ["lenet5", "inception_naive", "squeezenet1_1", "mobilenet_v2", "resnet18"] {
        let model = Model::builtin(name).unwrap();
        let weights = model.own_weights().unwrap().unwrap_or_else(|| Weights::random(1));
        let batch = if name == "lenet5" { 3 } else { 1 };
        let options = Options {
            batch,
            threads: Some(2),
            ..ONE
        };
        let length = model.write_compiled(&path, &weights, &options, &[best()]).unwrap();
        assert_eq!(length, path.metadata().unwrap().len());
        let compiled = model.compile(&weights, &options).unwrap();
        for threads in [1, 2] {
            let options = Options {
                threads: Some(threads),
                ..ONE
            };
            let loaded = Network::open(&path, &options).unwrap();
            assert_eq!((loaded.name(), loaded.batch()), (name, batch));
            assert_eq!(
                (loaded.inputs(), loaded.outputs()),
                (compiled.inputs(), compiled.outputs())
            );
            assert_eq!(loaded.weight_bytes(), compiled.weight_bytes());
            assert_eq!(bits(&loaded), bits(&compiled), "{name}");
        }
    }
}

#[test]
fn every_built_in_network_has_a_plan_that_is_stored() {
    for model in builtin::MODELS {
        let plan = Model::builtin(model.name).unwrap().plan(&ONE).unwrap();
        let again = cnn::plan::Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap();
        assert_eq!(cnn::plan::to_text(&again), cnn::plan::to_text(&plan), "{}", model.name);
    }
}

#[test]
fn a_file_for_several_instruction_sets_runs_the_best_that_there_is() {
    let sets = InstructionSet::ALL;
    let (_folder, path) = lenet5(&ONE, &sets);
    let file = CompiledFile::open(&path).unwrap();
    assert_eq!(file.instruction_sets(), sets);
    file.verify().unwrap();
    assert_eq!(Network::open(&path, &ONE).unwrap().isa(), Some(best()));
    let portable = Options {
        isa: Some(InstructionSet::Portable),
        ..ONE
    };
    let network = Network::open(&path, &portable).unwrap();
    assert_eq!(network.isa(), Some(InstructionSet::Portable));
    // Without fused multiply–adds the last bits may be others.
    let other = bits(&Network::open(&path, &ONE).unwrap());
    for (a, b) in bits(&network).into_iter().zip(other) {
        let (a, b) = (f32::from_bits(a), f32::from_bits(b));
        assert!((a - b).abs() <= 1e-5, "{a} {b}");
    }

    let (_folder, path) = lenet5(&ONE, &[InstructionSet::Portable]);
    let other = Options {
        isa: Some(InstructionSet::Avx512),
        ..ONE
    };
    let error = Network::open(&path, &other).unwrap_err();
    assert!(
        matches!(&error, Error::Option(text) if text.contains("portable") && text.contains("avx512")),
        "{error}"
    );
}

#[test]
fn a_model_that_is_compiled_is_a_model() {
    let (_folder, path) = lenet5(&Options { batch: 2, ..ONE }, &[best()]);
    let path = path.to_str().unwrap();
    let model = Model::open(path, &Default::default()).unwrap();
    assert_eq!(
        (model.name(), model.parameters(), model.macs()),
        ("lenet5", 61_706, 416_520)
    );
    let session = Session::new(model, None, ONE, None).unwrap();
    assert_eq!((session.fixed_batch(), session.first_batch()), (Some(2), 2));
    let network = session.network(2).unwrap();
    let compiled = Model::builtin("lenet5").unwrap();
    let compiled = compiled.compile(&Weights::builtin("lenet5").unwrap(), &Options { batch: 2, ..ONE });
    assert_eq!(bits(&network), bits(&compiled.unwrap()));

    let model = Model::open(path, &Default::default()).unwrap();
    let packed = model.own_weights().unwrap().unwrap();
    let refused = |weights: &Weights, options: Options, word: &str| {
        let error = model.compile(weights, &options).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    let two = Options { batch: 2, ..ONE };
    refused(&Weights::random(0), two.clone(), "takes no others");
    refused(&packed, ONE, "batch of 2");
    refused(
        &packed,
        Options {
            exact: true,
            ..two.clone()
        },
        "exact",
    );
    refused(
        &packed,
        Options {
            optimise: false,
            ..two.clone()
        },
        "fused",
    );
    refused(
        &packed,
        Options {
            threads: Some(0),
            ..two.clone()
        },
        "threads",
    );
    refused(
        &packed,
        Options {
            backend: Backend::Interp,
            ..two.clone()
        },
        "interpreter",
    );
    refused(
        &packed,
        Options {
            max_memory: Some(1 << 18),
            ..two.clone()
        },
        "may take",
    );
    refused(
        &packed,
        Options {
            max_memory: Some(1 << 10),
            ..two.clone()
        },
        "memory",
    );
    let again = model.write_compiled("again.cnnc", &packed, &two, &[best()]);
    assert!(again.unwrap_err().to_string().contains("compiled already"));
    let other = Model::builtin("lenet5").unwrap();
    let error = other.compile(&packed, &two).unwrap_err().to_string();
    assert!(error.contains("give the model and its weights instead"), "{error}");
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.cnnc");
    let model = Model::builtin("resnet18").unwrap();
    let error = model.write_compiled(&path, &Weights::empty(), &ONE, &[best()]);
    assert!(matches!(error, Err(Error::Weights(errors)) if errors.len() > 60));
    assert!(matches!(
        model.write_compiled(&path, &Weights::random(0), &ONE, &[]),
        Err(Error::Option(_))
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Where the weights of a file with one instruction set are.
fn weights(bytes: &[u8]) -> Range<usize> {
    let weights = Weights::builtin("lenet5").unwrap();
    let network = Model::builtin("lenet5").unwrap().compile(
        &weights,
        &Options {
            isa: Some(InstructionSet::Portable),
            ..ONE
        },
    );
    // They are the last section: they begin at a page, and behind them is the header.
    let length = network.unwrap().weight_bytes() as usize;
    let header = u32::from_le_bytes(bytes[bytes.len() - 24..][..4].try_into().unwrap()) as usize;
    let end = bytes.len() - 24 - header;
    end - length..end
}

#[test]
fn thousands_of_damaged_files_are_refused_or_the_same() {
    let (_folder, path) = lenet5(&ONE, &[InstructionSet::Portable]);
    let whole = fs::read(&path).unwrap();
    let expected = bits(&Network::open(&path, &ONE).unwrap());
    let weights = weights(&whole);
    assert_eq!(weights.start % 4096, 0);
    let mut random = fastrand::Rng::with_seed(0);
    let (mut refused, mut found) = (0, 0);
    for round in 0..4000 {
        let mut bytes = whole.clone();
        let mut damage = |bytes: &mut Vec<u8>| {
            let length = bytes.len();
            // The beginning, the end, or anywhere.
            let at = match random.u8(..4) {
                0 => random.usize(..length.min(64)),
                1 => length - 1 - random.usize(..length.min(2000)),
                _ => random.usize(..length),
            };
            match random.u8(..6) {
                0 => bytes.truncate(at),
                1 => bytes.extend(std::iter::repeat_n(random.u8(..), 1 + at % 9000)),
                2 => drop(bytes.drain(at..length.min(at + random.usize(1..5000)))),
                3 => bytes[at..length.min(at + random.usize(1..5000))].fill(random.u8(..)),
                4 => bytes[at] = random.u8(..),
                _ => bytes[at] ^= 1 << random.u8(..8),
            }
        };
        damage(&mut bytes);
        if round % 4 == 0 && !bytes.is_empty() {
            damage(&mut bytes);
        }
        fs::write(&path, &bytes).unwrap();
        match Network::open(&path, &ONE) {
            Err(Error::File { .. } | Error::Io { .. }) => refused += 1,
            Err(other) => panic!("round {round}: {other}"),
            // Between sections, or weights, which are only numbers: they are compared if asked for.
            Ok(network) if bytes.len() == whole.len() && bytes[weights.clone()] == whole[weights.clone()] => {
                assert_eq!(bits(&network), expected, "round {round}");
            }
            Ok(_) => {
                let error = CompiledFile::open(&path).unwrap().check_weights().unwrap_err();
                assert!(error.to_string().contains("its weights"), "{error}");
                found += 1;
            }
        }
    }
    assert!(refused > 2000 && found > 500, "{refused} {found}");
}

#[test]
fn foreign_files_and_other_versions_are_refused() {
    let (_folder, path) = lenet5(&ONE, &[best()]);
    let whole = fs::read(&path).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        refused(&path)
    };
    assert!(with(&|bytes| bytes[8] = 2).contains("form 2"));
    // What takes files for texts.
    let text = with(&|bytes| *bytes = String::from_utf8_lossy(bytes).replace("\r\n", "\n").into_bytes());
    assert!(text.contains("another kind of file"), "{text}");
    assert!(with(&|bytes| *bytes = b"\x7fELF and so on".to_vec()).contains("another kind of file"));
    assert!(with(&|bytes| bytes.clear()).contains("another kind of file"));
    assert!(with(&|bytes| bytes.truncate(9000)).contains("damaged or cut off"));
    // The version stands in the header, whose checksum is then wrong, unless that is made anew too.
    let header = |bytes: &mut Vec<u8>, from: &str, to: &str| {
        let end = bytes.len() - 24;
        let length = u32::from_le_bytes(bytes[end..][..4].try_into().unwrap()) as usize;
        let at = bytes[end - length..end]
            .windows(from.len())
            .position(|one| one == from.as_bytes());
        let at = end - length + at.unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let sum = crc32fast::hash(&bytes[end - length..end]);
        bytes[end + 4..end + 8].copy_from_slice(&sum.to_le_bytes());
    };
    let version = env!("CARGO_PKG_VERSION");
    let other = version.replace('0', "9");
    assert!(with(&|bytes| header(bytes, version, &other)).contains("another build"));
    assert!(with(&|bytes| header(bytes, "x86_64", "m68kxx")).contains("compiled for m68kxx"));
}

#[test]
fn processes_run_one_file_at_once() {
    let (folder, path) = lenet5(&ONE, &[best()]);
    let input = folder.path().join("x.npy");
    let image = ndarray::Array4::<f32>::from_shape_fn((1, 1, 32, 32), |(_, _, y, x)| ((x * y) % 7) as f32 / 7.0);
    cnn::io::npy::write(&input, image.view().into_dyn()).unwrap();
    let run = |model: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnn"));
        command
            .args(["run", model, "--json", "--threads", "1", "--input"])
            .arg(&input);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let answer = |child: std::process::Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["outputs"].clone()
    };
    let children: Vec<_> = (0..4).map(|_| run(path.to_str().unwrap())).collect();
    let expected = answer(run("lenet5"));
    assert!(expected.to_string().len() > 50);
    for child in children {
        assert_eq!(answer(child), expected);
    }
}
