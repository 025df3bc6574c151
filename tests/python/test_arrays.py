"""Which arrays are taken, which are converted, and what is said of the others."""

import gc
import weakref

import numpy as np
import pytest

import cnn


@pytest.fixture
def image():
    return np.random.default_rng(0).uniform(0, 1, (1, 1, 32, 32)).astype(np.float32)


def test_the_first_lines_of_the_documentation(lenet5):
    assert [(one.name, one.shape, one.dtype, one.any_batch) for one in lenet5.inputs] == [
        ("image", (1, 1, 32, 32), np.dtype("float32"), True)
    ]
    assert [(one.name, one.shape) for one in lenet5.outputs] == [("probabilities", (1, 10))]
    assert "61,706" in lenet5.summary() and "c1" in lenet5.dump("planned")
    assert "image(1, 1, 32, 32) -> probabilities(1, 10)" in repr(lenet5)
    steps = lenet5.profile()
    assert {"c1", "c3", "f6"} <= {step.layer for step in steps} and all(step.ms >= 0 for step in steps)
    assert lenet5.threads == 1 and lenet5.parameters == 61706 and lenet5.weight_bytes > 0 and lenet5.arena_bytes > 0
    assert lenet5.name == "lenet5" and isinstance(lenet5.target, str)


def test_a_page_shows_one_image(lenet5, image, tmp_path):
    for inputs in [(), (image,), ({"image": image},)]:
        page = tmp_path / f"{len(inputs)}.html"
        lenet5.explain(page, *inputs)
        text = page.read_text(encoding="utf-8")
        assert text.startswith("<!") and "lenet5" in text
    with pytest.raises(cnn.OptionError, match="one image"):
        lenet5.explain(tmp_path / "two.html", np.concatenate([image, image]))
    with pytest.raises(cnn.InputError):
        lenet5.explain(tmp_path / "two.html", image[:, :, :3])
    assert not (tmp_path / "two.html").exists()


def test_numbers_of_other_types_are_converted(lenet5, image):
    expected = lenet5(image)
    for dtype in ("float64", ">f4", "float16"):
        assert np.allclose(lenet5(image.astype(dtype)), expected, atol=1e-3)
    ones = lenet5(np.ones_like(image))
    for dtype in ("uint8", "int64", "bool"):
        assert np.array_equal(lenet5(np.ones(image.shape, dtype)), ones)
    assert np.array_equal(lenet5(np.ones(image.shape).tolist()), ones)


def test_other_layouts_give_the_same(lenet5, image):
    expected = lenet5(image)
    assert np.array_equal(lenet5(np.asfortranarray(image)), expected)
    assert np.array_equal(lenet5(image[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1]), expected)
    wide = np.zeros((1, 1, 32, 64), np.float32)
    wide[..., ::2] = image
    assert np.array_equal(lenet5(wide[..., ::2]), expected)
    bytes_ = np.zeros(image.nbytes + 1, np.uint8)
    unaligned = bytes_[1:].view(np.float32).reshape(image.shape)
    unaligned[:] = image
    assert np.array_equal(lenet5(unaligned), expected)


def test_read_only_arrays_and_views_are_read_without_a_copy(lenet5, image):
    expected = lenet5(image)
    image.flags.writeable = False
    assert np.array_equal(lenet5(image), expected)

    class Interface:
        __array_interface__ = image.__array_interface__
    assert np.array_equal(lenet5(Interface()), expected)

    class Exchanged:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()
    assert np.array_equal(lenet5(Exchanged(image.copy())), expected)


def test_results_go_where_they_are_wanted(lenet5, image):
    expected = lenet5(image)
    out = np.full((1, 10), np.nan, np.float32)
    assert lenet5(image, out=out) is out and np.array_equal(out, expected)
    results = lenet5({"image": image}, out={"probabilities": out})
    assert results["probabilities"] is out
    row = np.full((4, 10), np.nan, np.float32)
    assert np.array_equal(lenet5(image, out=row[2:3]), expected) and np.isnan(row[[0, 1, 3]]).all()


@pytest.mark.parametrize("out, words", [
    (np.zeros((1, 11), np.float32), "shape [1, 11]"),
    (np.zeros((1, 10), np.float64), "dtype float64"),
    (np.zeros((10, 1), np.float32).T[:, ::-1], "another order"),
    ([0.0] * 10, "list"),
    (np.broadcast_to(np.float32(0), (1, 10)), "another order"),
])
def test_an_out_that_does_not_fit(lenet5, image, out, words):
    with pytest.raises(cnn.InputError, match="probabilities") as error:
        lenet5(image, out=out)
    assert words in str(error.value) and "[1, 10]" in str(error.value)


def test_an_out_that_is_read_only_or_an_input(lenet5, image):
    out = np.zeros((1, 10), np.float32)
    out.flags.writeable = False
    with pytest.raises(cnn.InputError, match="read-only"):
        lenet5(image, out=out)
    memory = np.zeros(1024 + 10, np.float32)
    with pytest.raises(cnn.InputError):
        lenet5(memory[:1024].reshape(1, 1, 32, 32), out=memory[1020:1030].reshape(1, 10))


def test_results_are_owned_by_who_asked(lenet5, image):
    first = lenet5(image)
    kept = first.copy()
    lenet5(image * 0)
    assert np.array_equal(first, kept)
    alive = weakref.ref(first)
    del first
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("value, words", [
    (np.zeros((1, 32, 32), np.float32), "[N, 1, 32, 32]"),
    (np.zeros((1, 3, 32, 32), np.float32), "[1, 3, 32, 32]"),
    (np.zeros((0, 1, 32, 32), np.float32), "empty batch"),
    (np.float32(1), "found []"),
    (np.zeros((1, 1, 32, 32), object), "dtype object"),
    (np.zeros((1, 1, 32, 32), "complex64"), "dtype complex64"),
    (np.zeros((1, 1, 32, 32), "M8[s]"), "dtype datetime64"),
    ("picture.png", "dtype <U11"),
    ([[1.0], [1.0, 2.0]], "list"),
    (None, "dtype object"),
])
def test_arrays_that_do_not_fit(lenet5, value, words):
    with pytest.raises(cnn.InputError, match="image") as error:
        lenet5(value)
    assert words in str(error.value)


def test_one_image_without_a_batch_is_told_what_would_fit(lenet5):
    with pytest.raises(cnn.InputError, match=r"one image is an array of shape \[1, 1, 32, 32\]"):
        lenet5(np.zeros((1, 32, 32), np.float32))


def test_nan_comes_out_again(lenet5, image):
    image[0, 0, 16, 16] = np.nan
    assert np.isnan(lenet5(image)).all()


def test_names_and_numbers_of_inputs(files):
    net = cnn.load(files["two_inputs"])
    x = np.zeros((1, 3, 16, 16), np.float32)
    for feeds in ({"x": x}, {"x": x, "y": x}, {}):
        with pytest.raises(cnn.Error, match="x1|`y`|x"):
            net(feeds)
    for arrays in ((x,), (x, x, x), ()):
        with pytest.raises(cnn.Error, match="`x`, `x1`"):
            net(*arrays)
    with pytest.raises(cnn.InputError, match="batch of 1"):
        net(x, np.zeros((2, 3, 16, 16), np.float32))
    two = cnn.load(files["two_outputs"])
    with pytest.raises(cnn.OptionError, match="dict"):
        two(x, out=x)
    assert list(two(x)) == [one.name for one in two.outputs]


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    net = cnn.load("lenet5", threads=1)
    x = torch.rand(2, 1, 32, 32)
    expected = net(x.numpy())
    assert np.array_equal(net(x), expected)
    out = torch.empty(2, 10)
    net(x, out=out)
    assert np.array_equal(out.numpy(), expected)
    with pytest.raises(cnn.InputError, match="image.*grad"):
        net(x.requires_grad_())


def test_images_of_any_size_where_the_model_leaves_it_free(tmp_path):
    model = tmp_path / "half.toml"
    model.write_text("[inputs]\nimage = [3, 'H', 'W']\n[[layer]]\nname = 'half'\nop = 'max_pool'\nsize = 2\n")
    net = cnn.load(model, shapes={"image": (1, 3, 8, 6)})
    (image,) = net.inputs
    assert image.shape == (1, 3, 8, 6) and image.free == {2: "H", 3: "W"}
    assert cnn.InferenceSession(model).get_inputs()[0].shape == ["batch", 3, "H", "W"]
    for height, width in [(8, 6), (10, 14), (8, 6), (2, 2), (30, 4), (6, 8), (10, 14), (12, 12)]:
        images = np.random.default_rng(height).standard_normal((2, 3, height, width)).astype(np.float32)
        halves = images.reshape(2, 3, height // 2, 2, width // 2, 2).max((3, 5))
        assert np.array_equal(net(images), halves)
        out = np.empty_like(halves)
        assert net(images, out=out) is out and np.array_equal(out, halves)
    assert "half" in {step.layer for step in net.profile(images)}
    for wrong, words in [((1, 4, 8, 8), "[N, 3, H, W]"), ((3, 8, 8), "[N, 3, H, W]"), ((1, 3, 1, 8), "half")]:
        with pytest.raises((cnn.InputError, cnn.ModelError)) as error:
            net(np.zeros(wrong, np.float32))
        assert words in str(error.value)
