//! The library as its users call it: typed errors, layouts, several inputs, own weights.

use cnn::{Backend, Error, Model, Network, Options, Weights};
use ndarray::{Array, Array2, Array4, Axis, array};

fn options(backend: Backend) -> Options {
    Options {
        backend,
        ..Options::default()
    }
}

fn lenet5(options: &Options) -> Result<Network, Error> {
    Model::builtin("lenet5")?.compile(&Weights::builtin("lenet5")?, options)
}

#[test]
fn networks_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Network>();
    fn sent<T: Send>() {}
    sent::<Model>();
    sent::<Weights>();
    sent::<Error>();
}

#[test]
fn a_model_says_what_it_takes_and_gives() {
    let model = Model::builtin("lenet5").unwrap();
    assert_eq!(model.name(), "lenet5");
    assert_eq!((model.parameters(), model.macs()), (61_706, 416_520));
    assert_eq!(model.inputs()[0].batched(3), [3, 1, 32, 32]);
    assert_eq!(model.outputs()[0].shape, [10]);
    let tensors = model.weights();
    assert_eq!((tensors.len(), tensors[0].name.as_str()), (10, "c1.bias"));
    assert!(matches!(Model::builtin("lenet6"), Err(Error::Option(_))));
}

#[test]
fn errors_are_typed() {
    let model = Model::from_toml("[inputs]\nx = [0]\n");
    let Err(Error::Model(error)) = model else {
        panic!("a model without layers was accepted");
    };
    assert!(!error.diagnostics.is_empty() && error.rendered.contains("model.toml"));
    assert!(matches!(Model::from_toml_file("no/such.toml"), Err(Error::Io { .. })));
    assert!(matches!(Model::from_toml_file("src"), Err(Error::File { .. })));
    assert!(matches!(
        Weights::from_bytes(vec![1, 2, 3], "three bytes").map_err(Error::from),
        Err(Error::Weights(_))
    ));

    for &backend in Backend::ALL {
        let zero = |batch, threads| Options {
            batch,
            threads,
            ..options(backend)
        };
        assert!(matches!(lenet5(&zero(0, None)), Err(Error::Option(_))));
        assert!(matches!(lenet5(&zero(1, Some(0))), Err(Error::Option(_))));
        let small = Options {
            max_memory: Some(1000),
            ..options(backend)
        };
        let Err(Error::Memory(error)) = lenet5(&small) else {
            panic!("more memory was taken than allowed");
        };
        assert!(error.needed() > 1000 && error.limit == 1000);
        let Err(Error::Weights(errors)) = Model::builtin("lenet5")
            .unwrap()
            .compile(&Weights::empty(), &options(backend))
        else {
            panic!("weights were not missed");
        };
        assert_eq!(errors.len(), 10, "all tensors are named");

        let network = lenet5(&options(backend)).unwrap();
        let wrong = Array4::<f32>::zeros((1, 3, 32, 32));
        assert!(matches!(network.run(&[wrong.view()]), Err(Error::Input { .. })));
        let unbatched = Array::<f32, _>::zeros((1, 32, 32));
        assert!(matches!(network.run(&[unbatched.view()]), Err(Error::Input { .. })));
        assert!(matches!(network.run::<ndarray::Ix4>(&[]), Err(Error::Option(_))));
        assert!(matches!(
            network.run_into(&[&[0.0; 1024]], &mut [&mut [0.0; 9]]),
            Err(Error::Input { .. })
        ));
        network.run_into(&[&[0.0; 1024]], &mut [&mut [0.0; 10]]).unwrap();
    }
}

#[test]
fn an_hwc_input_takes_the_same_image_the_other_way_round() {
    let toml = |input: &str| {
        format!(
            "[inputs]\nimage = {input}\n\n[[layer]]\nname = \"c\"\nop = \"conv\"\nfilters = 9\nkernel = 3\nstride = 2\n"
        )
    };
    let weights = Weights::random(3);
    let chw = Array::from_shape_fn((2, 3, 11, 7), |(n, c, y, x)| {
        (n * 231 + c * 77 + y * 7 + x) as f32 / 400.0
    });
    let hwc = chw.view().permuted_axes([0, 2, 3, 1]); // a view that is not contiguous
    for &backend in Backend::ALL {
        let options = Options {
            batch: 2,
            ..options(backend)
        };
        let run = |input: &str, image: ndarray::ArrayView4<'_, f32>| {
            let network = Model::from_toml(toml(input))
                .unwrap()
                .compile(&weights, &options)
                .unwrap();
            network.run(&[image]).unwrap().remove(0)
        };
        let one = run("[3, 11, 7]", chw.view());
        let other = run("{ shape = [11, 7, 3], layout = \"hwc\" }", hwc);
        assert_eq!(one.shape(), [2, 9, 5, 3]);
        assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn several_inputs_and_outputs_in_the_order_of_declaration() {
    let model = Model::from_toml(
        "outputs = [\"twice\", \"a\", \"sum\"]\n\n[inputs]\na = [2]\nb = [2]\n\n\
         [[layer]]\nname = \"sum\"\nop = \"add\"\nfrom = [\"a\", \"b\"]\n\n\
         [[layer]]\nname = \"twice\"\nop = \"add\"\nfrom = [\"sum\", \"sum\"]\n",
    )
    .unwrap();
    let (a, b) = (array![[1.0, 2.0]], array![[10.0, 20.0]]);
    for &backend in Backend::ALL {
        let network = model.compile(&Weights::empty(), &options(backend)).unwrap();
        let outputs = network.run(&[a.view(), b.view()]).unwrap();
        let expected: [Array2<f32>; 3] = [array![[22.0, 44.0]], array![[1.0, 2.0]], array![[11.0, 22.0]]];
        for (output, expected) in outputs.iter().zip(expected) {
            assert_eq!(*output, expected.into_dyn());
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_batch() {
    let images = Array::from_shape_vec((4, 1, 32, 32), cnn::random_input("image", 4096, 5)).unwrap();
    let run = |batch, threads| {
        let network = lenet5(&Options {
            batch,
            threads: Some(threads),
            ..Options::default()
        })
        .unwrap();
        let results: Vec<_> = images
            .axis_chunks_iter(Axis(0), batch)
            .map(|chunk| network.run(&[chunk]).unwrap().remove(0))
            .collect();
        let views: Vec<_> = results.iter().map(|result| result.view()).collect();
        ndarray::concatenate(Axis(0), &views).unwrap()
    };
    let expected = run(4, 1);
    assert_eq!(run(4, 3), expected);
    let single = run(1, 2);
    assert!(single.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6));
}
