"""PyTorch modules, exported and loaded; needs PyTorch."""

import pickle

import numpy as np
import pytest

import cnn

torch = pytest.importorskip("torch")


def digits():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(8 * 14 * 14, 10))


def test_a_module_becomes_a_network():
    module = digits().train()
    x = torch.rand(3, 1, 28, 28)
    net = cnn.from_torch(module, x, threads=1)
    assert module.training, "the module is left as it was"
    with torch.no_grad():
        expected = module.eval()(x).numpy()
    assert np.allclose(net(x), expected, atol=1e-4)
    assert np.allclose(net(x[:1]), expected[:1], atol=1e-4), "other batches fit"
    assert np.array_equal(pickle.loads(pickle.dumps(net))(x), net(x))


def test_parameters_of_forward_are_the_inputs_names():
    class Sum(torch.nn.Module):
        def forward(self, left, right):
            return torch.relu(left) + right

    x = torch.rand(1, 4, 5, 5)
    net = cnn.from_torch(Sum(), (x, torch.rand(1, 4, 5, 5)))
    assert [one.name for one in net.inputs] == ["left", "right"]
    (answer,) = net({"left": x, "right": -x}).values()
    assert np.allclose(answer, 0)
