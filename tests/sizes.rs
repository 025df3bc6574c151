//! Sessions of models that leave heights and widths free: images of any size, from several threads.

use cnn::{Backend, Error, Model, Options, Session, Sizes, Weights, random_input};

const NETWORK: &str = r#"
[inputs]
image = [3, "H", "W"]

[[layer]]
name = "c1"
op = "conv"
filters = 16
kernel = 3
padding = "same"
activation = "relu"

[[layer]]
name = "c2"
op = "conv"
filters = 24
kernel = 3
stride = 2
activation = "relu"

[[layer]]
name = "pool"
op = "global_avg_pool"

[[layer]]
name = "vector"
op = "flatten"

[[layer]]
name = "classes"
op = "dense"
units = 5
"#;

fn session(backend: Backend) -> Session {
    let options = Options {
        backend,
        threads: Some(1),
        ..Options::default()
    };
    Session::new(
        Model::from_toml(NETWORK).unwrap(),
        Some(Weights::random(3)),
        options,
        None,
    )
    .unwrap()
}

fn run(session: &Session, batch: usize, height: usize, width: usize) -> Vec<f32> {
    let shape = [batch, 3, height, width];
    let other = session.of_sizes(&[&shape]).unwrap();
    let session = other.as_deref().unwrap_or(session);
    assert_eq!(session.batch(&[&shape]).unwrap(), batch);
    let input = random_input("image", shape.iter().product(), 7);
    let mut output = vec![0.0; session.outputs()[0].shape(batch).iter().product()];
    session
        .network(batch)
        .unwrap()
        .run_into(&[&input], &mut [&mut output])
        .unwrap();
    output
}

#[test]
fn every_size_gives_what_the_interpreter_gives() {
    let (jit, interpreter) = (session(Backend::Jit), session(Backend::Interp));
    let cases: Vec<_> = [
        (1, 3, 3),
        (1, 224, 224),
        (2, 40, 17),
        (1, 17, 40),
        (3, 9, 64),
        (1, 40, 17),
        (1, 5, 5),
    ]
    .into();
    let expected: Vec<_> = cases.iter().map(|&(n, h, w)| run(&interpreter, n, h, w)).collect();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (cases, expected, jit) = (&cases, &expected, &jit);
            scope.spawn(move || {
                for at in (0..2 * cases.len()).map(|step| (first + step) % cases.len()) {
                    let (batch, height, width) = cases[at];
                    let found = run(jit, batch, height, width);
                    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4;
                    assert!(found.iter().zip(&expected[at]).all(close), "{:?}: {found:?}", cases[at]);
                }
            });
        }
    });
}

#[test]
fn what_does_not_fit_is_said_with_the_names_of_free_sizes() {
    let session = session(Backend::Jit);
    let free = [(1, "H".to_owned()), (2, "W".to_owned())];
    assert_eq!(session.inputs()[0].free, free);
    for shape in [&[1, 4, 8, 8][..], &[3, 8, 8], &[1, 3, 8]] {
        let error = session.of_sizes(&[shape]).unwrap_err();
        assert!(
            matches!(error, Error::Input { .. }) && error.to_string().contains("[N, 3, H, W]"),
            "{error}"
        );
    }
    let small = session.of_sizes(&[&[1, 3, 2, 9]]).unwrap_err();
    assert!(
        matches!(small, Error::Model(_)) && small.to_string().contains("c2"),
        "{small}"
    );
    // Its own size, and as many arrays as there are not, are for `batch` to judge.
    assert!(session.of_sizes(&[&[5, 3, 224, 224]]).unwrap().is_none());
    assert!(session.of_sizes(&[]).unwrap().is_none());
    assert!(session.batch(&[]).is_err());
}

#[test]
fn a_model_is_of_one_size_at_a_time() {
    let model = Model::from_toml(NETWORK).unwrap();
    let sizes = |pairs: &[(&str, usize)]| {
        pairs
            .iter()
            .map(|&(name, size)| (name.to_owned(), size))
            .collect::<Sizes>()
    };
    let small = model.with_sizes(&sizes(&[("H", 8), ("W", 9)])).unwrap();
    assert_eq!(small.inputs()[0].shape, [3, 8, 9]);
    let wide = small.with_sizes(&sizes(&[("W", 90)])).unwrap();
    assert_eq!(wide.inputs()[0].shape, [3, 8, 90]);
    assert_eq!(wide.free_sizes()[1].size, 90);
    let possible: Vec<_> = wide.possible_sizes().iter().map(ToString::to_string).collect();
    assert_eq!(possible, ["H from 3", "W from 3"]);
    for wrong in [&[("h", 8)][..], &[("H", 0)], &[("H", usize::MAX)], &[("H", 2)]] {
        assert!(model.with_sizes(&sizes(wrong)).is_err(), "{wrong:?}");
    }
    let message = model.with_sizes(&sizes(&[("w", 3)])).unwrap_err().to_string();
    assert!(message.contains("leaves H and W free, not `w`"), "{message}");
    let none = Model::builtin("lenet5")
        .unwrap()
        .with_sizes(&sizes(&[("H", 3)]))
        .unwrap_err();
    assert!(none.to_string().contains("leaves no size free"), "{none}");
}
