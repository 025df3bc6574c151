"""One engine with one network, driven by bench.py over stdin and stdout.

usage: worker.py ENGINE MODEL FOLDER THREADS OUTPUT.npy

Loads, runs once, writes the output and answers with a line of JSON. Then every line `WARM_UP SECONDS LEAST` asks for
runs: those of so many seconds that do not count, then the times (ms) of those of so many seconds, at least so many.
"""
import json
import os
import sys
import time

import numpy as np

# An engine is a generator: it imports its library, yields, loads the network, and yields the function that runs it
# and the one that makes an array of what that gave.


def openvino(path, model, threads, x):
    import openvino as ov
    yield
    compiled = ov.Core().compile_model(f"{path}.onnx", "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))
    # Without share_outputs every output is copied.
    yield lambda: request.infer(share_outputs=True), lambda _: request.get_output_tensor().data


def ort(path, model, threads, x):
    import onnxruntime
    yield
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(f"{path}.onnx", options, providers=["CPUExecutionProvider"])
    yield lambda: session.run(None, {"input": x}), lambda outputs: outputs[0]


def ncnn(path, model, threads, x):
    import ncnn
    yield
    if "_int8" in path:
        raise RuntimeError("ncnn reads no QDQ file")
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    base = path.removesuffix(f"_b{len(x)}")  # no batch axis: a batch is run image by image
    if net.load_param(base + ".ncnn.param") or net.load_model(base + ".ncnn.bin"):
        raise RuntimeError("ncnn could not load the network")
    images = [ncnn.Mat(np.ascontiguousarray(image)).clone() for image in x]

    def run():
        outputs = []
        for image in images:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            outputs.append(extractor.extract("out0")[1])
        return outputs
    yield run, lambda outputs: np.stack([np.array(output) for output in outputs])


def torch(path, model, threads, x, compiled=False):
    import torch
    import models
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    yield
    net = models.load(model, os.path.dirname(path))
    if compiled:
        import torch._inductor.config as config
        config.freezing = True  # folds batch norms and packs weights
        net = torch.compile(net)
    x = torch.from_numpy(x)
    yield lambda: net(x), lambda output: output.numpy()


def torch_compile(*arguments):
    return torch(*arguments, compiled=True)


ENGINES = {engine.__name__: engine for engine in (openvino, ort, ncnn, torch, torch_compile)}


def main():
    engine, model, folder, threads, output = sys.argv[1:]
    path = os.path.join(folder, model)
    x = np.load(path + ".input.npy")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print
    steps = ENGINES[engine](path, model, int(threads), x)
    next(steps)
    clock = time.perf_counter
    start = clock()
    run, to_array = next(steps)
    loaded = clock()
    first = run()
    done = clock()
    np.save(output, np.ascontiguousarray(to_array(first), np.float32))
    print(json.dumps({"load_ms": (loaded - start) * 1e3, "first_ms": (done - loaded) * 1e3}), file=answers)
    for line in sys.stdin:
        warm_up, seconds, least = map(float, line.split())
        begin = clock()
        while clock() - begin < warm_up:
            run()
        times, begin = [], clock()
        while len(times) < least or clock() - begin < seconds:
            start = clock()
            run()
            times.append((clock() - start) * 1e3)
        print(json.dumps(times), file=answers)


if __name__ == "__main__":
    main()
