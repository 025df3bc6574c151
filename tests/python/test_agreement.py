"""The same answers as ONNX Runtime, through both interfaces and from eight threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

import cnn
from networks import NETWORKS, feeds


def close(found, expected):
    expected = np.asarray(expected)
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-4 * max(np.abs(expected).max(), 1e-3)


def reference(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, inputs)))


@pytest.mark.parametrize("name", NETWORKS)
def test_both_interfaces_agree_with_onnx_runtime_at_every_batch(name, files):
    net = cnn.load(files[name], threads=2)
    session = cnn.InferenceSession(str(files[name]))
    theirs = onnxruntime.InferenceSession(str(files[name]), providers=["CPUExecutionProvider"])
    for ports, others in [(session.get_inputs(), theirs.get_inputs()), (session.get_outputs(), theirs.get_outputs())]:
        assert [(one.name, one.type, len(one.shape)) for one in ports] == [
            (one.name, one.type, len(one.shape)) for one in others
        ]
    for batch in (1, 3):
        inputs = feeds(NETWORKS[name](), batch)
        expected = reference(files[name], inputs)
        by_name = net(inputs)
        assert list(by_name) == list(expected)
        listed = session.run(None, inputs)
        for (key, answer), other in zip(by_name.items(), listed):
            close(answer, expected[key])
            assert np.array_equal(answer, other)
        in_order = net(*inputs.values())
        if len(expected) == 1:
            assert np.array_equal(in_order, listed[0])
        else:
            assert all(np.array_equal(in_order[key], by_name[key]) for key in expected)


def test_eight_threads_share_every_network(files):
    nets = {name: cnn.load(path, threads=1) for name, path in files.items()}
    inputs = {name: feeds(NETWORKS[name](), 1) for name in nets}
    expected = {name: reference(files[name], inputs[name]) for name in nets}
    alone = {name: net(inputs[name]) for name, net in nets.items()}

    def work(thread):
        for round in range(20):
            for name, net in list(nets.items())[thread:] + list(nets.items())[:thread]:
                answers = net(inputs[name])
                for key, answer in answers.items():
                    assert np.array_equal(answer, alone[name][key]), (name, round)
        return thread

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))
    for name in nets:
        for key, answer in alone[name].items():
            close(answer, expected[name][key])


def test_threads_that_ask_for_new_batches_at_once(files):
    net = cnn.load(files["residual"], threads=1)
    whole = feeds(NETWORKS["residual"](), 8)["x"]
    alone = [net(whole[i : i + 1])[0] for i in range(8)]

    def work(batch):
        return all(np.allclose(net(whole[:batch]), alone[:batch], atol=1e-5) for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, [1, 2, 3, 4, 5, 6, 7, 8]))


def test_it_reads_digits(lenet5, digits):
    images, labels = digits
    probabilities = lenet5(images)
    assert probabilities.shape == (64, 10) and (probabilities.argmax(1) == labels).mean() > 0.95
    one_by_one = np.concatenate([lenet5(image[None]) for image in images])
    assert np.allclose(probabilities, one_by_one, atol=1e-6)


def test_threads_do_not_change_a_bit(digits):
    images, _ = digits
    answers = [cnn.load("lenet5", threads=threads)(images) for threads in (1, 2, 3)]
    assert np.array_equal(answers[0], answers[1]) and np.array_equal(answers[0], answers[2])


def test_the_interpreter_agrees(digits):
    images, _ = digits
    assert np.allclose(cnn.load("lenet5", backend="interp")(images[:4]), cnn.load("lenet5")(images[:4]), atol=1e-5)
