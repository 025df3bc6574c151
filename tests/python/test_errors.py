"""What is wrong is said: as exceptions of this package, in the command's words."""

import signal
import threading
import time

import numpy as np
import pytest

import cnn

MISTAKE = """
[inputs]
photo = [3, 64, 64]

[[layer]]
name = "c1"
op = "conv"
filters = 16
kernel = 70
padding = 1
"""


def test_a_mistake_in_a_model_file_has_its_line(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(MISTAKE)
    with pytest.raises(cnn.ModelError) as error:
        cnn.load(path)
    text = str(error.value)
    assert "net.toml:9:10" in text and "the padded input has only 66" in text and isinstance(error.value, cnn.Error)


@pytest.mark.parametrize("model, kind, words", [
    ("no/such/model.onnx", cnn.FileError, "no/such/model.onnx"),
    ("no/such/model.toml", cnn.FileError, "no/such/model.toml"),
    ("resnet19", cnn.OptionError, "did you mean `resnet18`?"),
    ("resnet18", cnn.OptionError, "needs 102 tensors of weights"),
    (b"no onnx", cnn.Error, "model.onnx"),
    (b"", cnn.Error, "model.onnx"),
    (7, TypeError, "int"),
])
def test_models_that_are_not_there(model, kind, words):
    with pytest.raises(kind) as error:
        cnn.load(model)
    assert words in str(error.value)


@pytest.mark.parametrize("options, kind, words", [
    ({"weights": "no/such.safetensors"}, cnn.WeightsError, "no/such.safetensors"),
    ({"weights": {"c1.weight": np.zeros(3, np.float32)}}, cnn.WeightsError, "c1.weight"),
    ({"weights": {"c1.weight": np.zeros(3, object)}}, cnn.InputError, "dtype object"),
    ({"weights": 3}, TypeError, "int"),
    ({"weights": "random:x"}, cnn.OptionError, "seed"),
    ({"threads": 0}, cnn.OptionError, "at least 1"),
    ({"batch": 0}, cnn.OptionError, "at least 1"),
    ({"backend": "gpu"}, cnn.OptionError, "jit"),
    ({"max_memory": 1000}, cnn.OutOfMemoryError, "1000 B"),
    ({"shapes": {"image": [1, 1, 28, 28]}}, cnn.InputError, "[N, 1, 32, 32]"),
    ({"shapes": {"picture": [1, 1, 32, 32]}}, cnn.OptionError, "`image`"),
])
def test_options_that_do_not_fit(options, kind, words):
    with pytest.raises(kind) as error:
        cnn.load("lenet5", **options)
    assert words in str(error.value)


def test_wrong_stages_and_formats(lenet5):
    for arguments, words in [(("assembly",), "expected a stage"), (("asm", "dot"), "text only"), (("fused", "x"), "format")]:
        with pytest.raises(cnn.OptionError, match=words):
            lenet5.dump(*arguments)
    for stage in ("parsed", "shaped", "fused", "planned", "clif", "asm", "rust"):
        assert len(lenet5.dump(stage)) > 200
    with pytest.raises(cnn.OptionError):
        lenet5.profile(runs=0)


def test_a_fixed_batch_takes_no_other():
    net = cnn.load("lenet5", batch=4)
    assert net.inputs[0].shape == (4, 1, 32, 32) and not net.inputs[0].any_batch
    assert net(np.zeros((4, 1, 32, 32), np.float32)).shape == (4, 10)
    with pytest.raises(cnn.InputError, match="batch of 4"):
        net(np.zeros((1, 1, 32, 32), np.float32))


def test_tensors_that_no_layer_uses_are_a_warning():
    tensors = {f"{name}.{part}": np.zeros(shape, np.float32) for name, shapes in {
        "c1": ((6, 1, 5, 5), 6), "c3": ((16, 6, 5, 5), 16), "c5": ((120, 16, 5, 5), 120),
        "f6": ((84, 120), 84), "output": ((10, 84), 10)}.items() for part, shape in zip(("weight", "bias"), shapes)}
    with pytest.warns(UserWarning, match="`odd`"):
        net = cnn.load("lenet5", weights=tensors | {"odd": np.zeros(1, np.float32)})
    assert np.allclose(net(np.ones((1, 1, 32, 32), np.float32)), 0.1)


def test_control_c_ends_a_loop(lenet5):
    # A shell's background jobs begin with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    image = np.zeros((64, 1, 32, 32), np.float32)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        while time.monotonic() - start < 30:
            lenet5(image)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 10


def test_the_session_speaks_onnx_runtimes_language(files):
    options = cnn.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = cnn.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = cnn.InferenceSession(files["lenet"].read_bytes(), options, providers=["CPUExecutionProvider"])
    x = np.zeros((2, 1, 32, 32), np.float32)
    name = session.get_inputs()[0].name
    assert session.get_inputs()[0].shape == ["batch", 1, 32, 32] and session.get_inputs()[0].type == "tensor(float)"
    output = session.get_outputs()[0].name
    assert session.run([output], {name: x})[0].shape == (2, 10)
    assert session.get_providers() == ["CPUExecutionProvider"] and cnn.get_device() == "CPU"
    with pytest.raises(cnn.OptionError, match="no output `y`"):
        session.run(["y"], {name: x})
    with pytest.raises(cnn.OptionError, match="no input `y`"):
        session.run(None, {"y": x})
    with pytest.warns(UserWarning, match="CUDA"):
        cnn.InferenceSession(str(files["lenet"]), providers=["CUDAExecutionProvider"])
