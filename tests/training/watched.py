"""What stands for models and logs in tests of callbacks."""

import json

import numpy as np
import tensorflow as tf

from vaegan_tf.evaluation import Evaluation, Score


class Writer:
    """Notes what a `SummaryWriter` is given."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def note(*arguments):
            self.calls.append((name, *arguments))

        return note

    def of(self, name):
        return [call[1:] for call in self.calls if call[0] == name]


class Model:
    """Stands for a model: steps made, and what else a test needs."""

    stop_training = False

    def __init__(self, **attributes):
        self.step = tf.Variable(0)
        for name, value in attributes.items():
            setattr(self, name, value)


class Painter(Model):
    """A model whose images are all of one brightness, which is `level`."""

    level = 0.0

    def sample(self, count, seed, attributes=None):
        self.asked = (count, seed, attributes)
        return tf.fill([count, 4, 4, 3], self.level)

    def reconstruct(self, image, attributes=None):
        return tf.constant(image) / 2

    def encode(self, image, attributes=None):
        self.given = attributes
        return {"mean": tf.reduce_mean(image, [1, 2])[:, :2]}


def begin(callback, model, step=0, last_step=100):
    """Starts, or resumes, a run of `train` that the callback watches."""
    callback.set_model(model)
    callback.set_params({"train_steps": last_step, "steps": 10, "epochs": 10})
    model.step.assign(step)
    callback.on_train_begin()
    return callback


def pass_step(callback, step):
    """Tells the callback of one step."""
    callback.model.step.assign(step)
    callback.on_train_batch_end(step - 1, {})


def pass_epoch(callback, step, logs):
    callback.model.step.assign(step)
    callback.on_epoch_end(0, logs)


def example(count, level=1.0):
    return {"image": np.full((count, 4, 4, 3), level, np.float32)}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(folder):
    return sorted(path.name for path in folder.iterdir())


class FixedEvaluator:
    """Stands for an `Evaluator` whose scores are given."""

    def __init__(self, distance, notes=()):
        self.distance, self.notes = distance, list(notes)

    def evaluate(self, model):
        scores = [
            Score(*kind, value, 32, weights=weights, sampler=sampler)
            for kind, value, weights, sampler in (
                (
                    ("samples", "frechet_distance"),
                    self.distance,
                    "ema",
                    "prior",
                ),
                (("samples", "frechet_distance"), 0.5, "raw", "prior"),
                (("latents", "kl"), 7.0, "raw", None),
            )
        ]
        return Evaluation(scores, notes=self.notes)
