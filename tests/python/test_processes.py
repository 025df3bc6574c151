"""Pickles, worker processes, and forks."""

import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest

import cnn
from networks import NETWORKS, feeds


def run(net, inputs):
    return net(inputs)


@pytest.mark.parametrize("name", ["lenet", "residual", "two_inputs", "two_outputs"])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_pickle_is_the_same_network(name, as_bytes, files):
    source = files[name].read_bytes() if as_bytes else files[name]
    net = cnn.load(source, threads=1, exact=True)
    again = pickle.loads(pickle.dumps(net))
    inputs = feeds(NETWORKS[name](), 2)
    for key, answer in net(inputs).items():
        assert np.array_equal(again(inputs)[key], answer)
    assert again.threads == 1


def test_a_pickle_holds_weights_that_were_arrays(tmp_path, monkeypatch):
    (tmp_path / "net.toml").write_text('[inputs]\nx = [4]\n[[layer]]\nname = "d"\nop = "dense"\nunits = 2\n')
    monkeypatch.chdir(tmp_path)
    tensors = {"d.weight": np.arange(8, dtype=np.float32).reshape(2, 4), "d.bias": np.ones(2, np.float32)}
    net = cnn.load("net.toml", weights=tensors)
    pickled = pickle.dumps(net)
    monkeypatch.chdir("/")
    x = np.ones((1, 4), np.float32)
    assert np.array_equal(pickle.loads(pickled)(x), net(x)) and np.array_equal(net(x), [[7, 23]])


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_receive_networks(method, files):
    names = list(NETWORKS)
    nets = {name: cnn.load(files[name], threads=2) for name in names}
    inputs = {name: feeds(NETWORKS[name](), 1) for name in names}
    expected = {name: net(inputs[name]) for name, net in nets.items()}
    with multiprocessing.get_context(method).Pool(2) as pool:
        answers = pool.starmap(run, [(nets[name], inputs[name]) for name in names])
    for name, answer in zip(names, answers):
        for key in answer:
            assert np.array_equal(answer[key], expected[name][key]), name


def test_a_network_from_before_a_fork_runs_after_it(files):
    # While other threads run it: their locks and workers are not in the child.
    net = cnn.load(files["residual"], threads=2)
    inputs = feeds(NETWORKS["residual"](), 1)
    expected = net(inputs)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            net(inputs)

    others = [threading.Thread(target=busy) for _ in range(3)]
    for thread in others:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                # Not to run the parent's clean-up; a hang is ended by the alarm.
                import signal
                signal.alarm(60)
                answers = [net(inputs) for _ in range(3)]
                fine = all(np.array_equal(one[key], expected[key]) for one in answers for key in expected)
                del answers
                os._exit(0 if fine else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in others:
            thread.join()


def test_a_network_is_dropped_in_a_fork():
    child = os.fork()
    if child == 0:
        import signal
        signal.alarm(60)
        del globals()["KEPT"]
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


KEPT = cnn.load("lenet5", threads=2)
