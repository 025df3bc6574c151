//! Networks of `cnn!` on any number of images: arrays, slices, `ndarray`.

use cnn::weights::Synthetic;
use cnn::{Declared, cnn};
use ndarray::{Array1, Array4, ArrayD, Axis};

cnn! {
    network Alone {
        input image: [2, 5, 4];
        c = conv(image, filters = 3, kernel = 3, activation = relu);
        output = dense(flatten(c), units = 4);
    }
    network Four {
        batch = 4;
        input image: [5, 4, 2] as hwc;
        input scale: [3, 1, 1];
        c = conv(image, filters = 3, kernel = 3);
        scaled = mul(c, scale);
        mean = global_avg_pool(scaled);
        return scaled, mean;
    }
}

const WEIGHTS: Synthetic = Synthetic { seed: 3 };

/// So many different arrays of `SIZE` floats.
fn numbers(count: usize, size: usize) -> Vec<f32> {
    (0..count * size).map(|i| (i % 23) as f32 / 7.0 - 1.5).collect()
}

#[test]
fn any_number_of_images_gives_what_each_gives() {
    let network = Alone::load(&WEIGHTS).unwrap();
    assert_eq!(
        (Alone::INPUTS, Alone::OUTPUTS),
        (&[&[2, 5, 4][..]][..], &[&[4][..]][..])
    );
    for count in [0, 1, 2, 7] {
        let mut images = vec![[[[0.0f32; 4]; 5]; 2]; count];
        let flat = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        flat.copy_from_slice(&numbers(count, 40));
        let each: Vec<[f32; 4]> = images.iter().map(|image| network.run(image)).collect();
        assert_eq!(network.run_batch(&images), each);
        let mut slices = vec![0.0; 4 * count];
        network.run_images(&[&numbers(count, 40)], &mut [&mut slices]).unwrap();
        assert_eq!(slices, each.as_flattened());
    }
}

#[test]
fn images_that_do_not_fill_a_run_have_zeros_beside_them() {
    let network = Four::load(&WEIGHTS).unwrap();
    let scales = numbers(9, 3);
    let run = |first: usize, count: usize| {
        let images = Array4::from_shape_vec((9, 5, 4, 2), numbers(9, 40)).unwrap();
        let scales = Array4::from_shape_vec((9, 3, 1, 1), scales.clone()).unwrap();
        let [images, scales] = [images, scales].map(|array| {
            let some = array.slice_axis(Axis(0), (first..first + count).into());
            some.to_owned()
        });
        network.run_arrays(&[images.view(), scales.view()]).unwrap()
    };
    let all = run(0, 9);
    assert_eq!((all[0].shape(), all[1].shape()), (&[9, 3, 3, 2][..], &[9, 3, 1, 1][..]));
    for image in 0..9 {
        for (all, one) in all.iter().zip(run(image, 1)) {
            assert_eq!(all.index_axis(Axis(0), image), one.index_axis(Axis(0), 0));
        }
    }
    let image = [[[1.0; 2]; 4]; 5];
    let scale = [[[1.0]], [[2.0]], [[0.0]]];
    let (scaled, mean) = network.run_batch(&[image; 6], &[scale; 6]);
    assert_eq!((scaled.len(), mean.len()), (6, 6));
    assert!(scaled.iter().all(|one| *one == scaled[0] && one[2] == [[0.0; 2]; 3]));
    for (mean, channel) in mean[5].iter().zip(&scaled[5]) {
        let expected = channel.as_flattened().iter().sum::<f32>() / 6.0;
        assert!((mean[0][0] - expected).abs() < 1e-5);
    }
}

#[test]
fn arrays_that_do_not_fit_are_named() {
    let network = Alone::load(&WEIGHTS).unwrap();
    let run = |array: ArrayD<f32>| {
        network
            .run_arrays(&[array.view()])
            .map_err(|error| format!("{error:?}"))
    };
    assert_eq!(
        run(Array4::zeros((2, 2, 4, 5)).into_dyn()),
        Err("the network's inputs are [N, 2, 5, 4], found [2, 2, 4, 5]".into())
    );
    assert!(run(Array1::zeros(40).into_dyn()).is_err());
    assert_eq!(run(Array4::zeros((0, 2, 5, 4)).into_dyn()).unwrap()[0].shape(), [0, 4]);
    let none: Result<_, _> = network.run_arrays::<ndarray::Ix4>(&[]);
    assert_eq!(
        none.unwrap_err().to_string(),
        "the network's inputs are [N, 2, 5, 4], found none"
    );
    // Transposed in memory.
    let image = Array4::from_shape_vec((1, 4, 5, 2), numbers(1, 40)).unwrap();
    let turned = image.permuted_axes([0, 3, 2, 1]);
    let copied = turned.as_standard_layout().into_owned();
    assert_eq!(
        network.run_arrays(&[turned.view()]),
        network.run_arrays(&[copied.view()])
    );
    let error = network.run_images(&[&[0.0; 41]], &mut [&mut [0.0; 4]]).unwrap_err();
    assert_eq!(error.to_string(), "input 0 has 40 elements, found 41");
    let four = Four::load(&WEIGHTS).unwrap();
    let (images, scales) = ([0.0; 80], [0.0; 3]);
    let error = four.run_images(&[&images, &scales], &mut [&mut [0.0; 36], &mut [0.0; 6]]);
    assert_eq!(error.unwrap_err().to_string(), "input 1 has 6 elements, found 3");
}
