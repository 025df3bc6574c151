"""What every worker does, whoever runs it: loads a network once, and scores batches of images.

`OMP_NUM_THREADS` and its like mean nothing here: a network has the threads that it is loaded with.
"""

import numpy as np

import cnn


class Scorer:
    """A network in a worker. `threads` of all workers of a machine together should be its cores."""

    def __init__(self, model, weights=None, threads=1, batch=32):
        self.net = cnn.load(model, weights=weights, threads=threads)
        (image,) = self.net.inputs
        self.shape, self.batch = image.shape[1:], batch

    def images(self, column):
        """Raw bytes as f32 from 0 to 1."""
        pixels = np.stack([np.frombuffer(image, np.uint8) for image in column])
        return pixels.reshape(-1, *self.shape).astype(np.float32) / 255

    def scores(self, column):
        """The likeliest class of each image and its score: always in batches of one size, so that the bits of an image's
        score do not depend on how the images were divided; the last batch is filled with zeros."""
        images = self.images(column)
        count = len(images)
        padded = np.zeros((-(-count // self.batch) * self.batch, *self.shape), np.float32)
        padded[:count] = images
        answers = [self.net(padded[i : i + self.batch]) for i in range(0, len(padded), self.batch)]
        answers = np.concatenate(answers)[:count]
        return answers.argmax(1).astype(np.int64), answers.max(1)
