"""What a person sees of a training: numbers, pictures, codes, the best one."""

import json
import time

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from vaegan_tf import images as pictures
from vaegan_tf.training.loop import Observer
from vaegan_tf.training.runs import write_text
from vaegan_tf.training.summaries import attribute_latents

SAMPLE_SEED = 2016
MOST_FRAMES = 100
PICTURED = 64
RECONSTRUCTED = 32


class Progress(Observer):
    """Logs how far the training is, how fast, and for how long still.

    Times have a file of their own: they differ between two trainings whose
    numbers are the same.

    Args:
        every: Steps between two lines.
        batch_size: Images in a step.
        path: Of `speed.jsonl`: seconds since the last line, and images per
            second.
        writer: A `SummaryWriter` for the speed.
    """

    def __init__(self, every, batch_size, path, writer):
        super().__init__(every)
        self.batch_size = batch_size
        self.path = path
        self.writer = writer

    def begin(self, moment):
        """Starts the clock, drops times of steps about to be made again."""
        drop_later(self.path, moment.step)
        self._start(moment)

    def look(self, moment):
        """Logs the line, and writes down the speed."""
        seconds = time.monotonic() - self.clock
        speed = (moment.step - self.step) / max(seconds, 1e-9)
        left = (moment.last_step - moment.step) / speed if speed else 0
        images_per_second = speed * self.batch_size
        self._start(moment)
        speeds = {"seconds": seconds, "images_per_second": images_per_second}
        append(self.path, {"step": moment.step, **speeds})
        self.writer.scalars(
            moment.step, {"speed/images_per_second": images_per_second}
        )
        numbers = ", ".join(
            f"{name} {value:.4g}"
            for name, value in moment.means.items()
            if name in moment.model.term_names
        )
        logging.info(
            "step %d of %d, %.1f images/s, %s left: %s",
            moment.step,
            moment.last_step,
            images_per_second,
            in_words(left),
            numbers,
        )

    def _start(self, moment):
        self.clock, self.step = time.monotonic(), moment.step


class Numbers(Observer):
    """Writes means of all numbers to `metrics.jsonl` and TensorBoard.

    Args:
        every: Steps between two records.
        path: The file; what it holds of later steps than a resumed training's
            is dropped.
        writer: A `SummaryWriter`.
    """

    def __init__(self, every, path, writer):
        super().__init__(every)
        self.path = path
        self.writer = writer

    def begin(self, moment):
        """Drops records that the training is about to make again."""
        self.writer.rewind(moment.step)
        drop_later(self.path, moment.step)

    def look(self, moment):
        """Records the means, and the learning rates."""
        rates = {
            f"learning_rate/{name}": float(
                keras.ops.convert_to_numpy(optimizer.learning_rate)
            )
            for name, optimizer in moment.model.optimizers.items()
        }
        append(self.path, {"step": moment.step, **moment.means, **rates})
        self.writer.scalars(moment.step, {**_tagged(moment.means), **rates})
        self.writer.flush()


class Pictures(Observer):
    """Draws the same codes and the same images again and again.

    Args:
        every: Steps between two pictures.
        folder: Where they go: `samples-STEP.png`, `reconstructions-STEP.png`
            and the animation `samples.gif`.
        example: Images, and attributes if any, to reconstruct.
        writer: A `SummaryWriter`.
    """

    def __init__(self, every, folder, example, writer):
        super().__init__(every)
        self.folder = folder
        self.example = {k: v[:PICTURED] for k, v in example.items()}
        self.writer = writer

    def begin(self, moment):
        """Deletes pictures that the training is about to draw again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".*.*.*.*"):  # Cut short by a kill.
            path.unlink()
        for path in self.folder.glob(f"*-{'[0-9]' * 8}.png"):
            if int(path.stem.rsplit("-", 1)[1]) > moment.step:
                path.unlink()
        if moment.step == 0:
            self.look(moment)

    def look(self, moment):
        """Draws samples and, if the model can, reconstructions."""
        drawn = {"samples": pictures.grid(self._samples(moment.model))}
        if hasattr(moment.model, "reconstruct"):
            drawn["reconstructions"] = self._reconstructions(moment.model)
        for name, picture in drawn.items():
            path = self.folder / f"{name}-{moment.step:08d}.png"
            pictures.write_png(path, picture)
        self.writer.images(moment.step, drawn)
        self.writer.flush()

    def end(self, moment):
        """Puts the samples together into an animation."""
        paths = sorted(self.folder.glob("samples-*.png"))
        chosen = np.linspace(0, len(paths) - 1, min(len(paths), MOST_FRAMES))
        frames = [pictures.read_png(paths[round(index)]) for index in chosen]
        pictures.write_gif(self.folder / "samples.gif", frames)

    def _samples(self, model):
        count = len(self.example["image"])
        attributes = self.example.get("attributes")
        return model.sample(count, SAMPLE_SEED, attributes).numpy()

    def _reconstructions(self, model):
        example = {k: v[:RECONSTRUCTED] for k, v in self.example.items()}
        return pictures.pairs_grid(
            [example["image"], model.reconstruct(**example).numpy()]
        )


class Keeper:
    """Keeps the best checkpoint of a run, and the score it has.

    Args:
        checkpoints: `Checkpoints` of the best model, one being kept.
        criterion: Name of the score, of which less is better.
        **conditions: What it was measured with. The score of another
            criterion or under other conditions is not compared with.
    """

    def __init__(self, checkpoints, criterion, **conditions):
        self.checkpoints = checkpoints
        self.criterion = criterion
        self.conditions = conditions
        self.record = checkpoints.folder / "score.json"
        self.lowest = float("inf")

    def remember(self):
        """Reads the best score so far."""
        self.lowest = float("inf")
        if not self.record.exists():
            return
        found = json.loads(self.record.read_text())
        alike = all(found.get(k) == v for k, v in self.conditions.items())
        if alike and self.criterion in found:
            self.lowest = found[self.criterion]

    def offer(self, step, value):
        """Keeps the model as it is if its score is the lowest."""
        if not value < self.lowest:
            return
        self.lowest = value
        self.checkpoints.save()
        text = {"step": step, self.criterion: value, **self.conditions}
        write_text(self.record, json.dumps(text) + "\n")


class Validation(Observer):
    """Scores the model on held-out images and keeps the best checkpoint.

    Which is best, the lowest of one score says: by default the squared error
    of a reconstruction per pixel, images lying in [−1, 1]. Models that do not
    have it, as those without an encoder, are only given their terms.

    Args:
        every: Steps between two scores.
        batches: The held-out examples, a finite `tf.data.Dataset`.
        path: Of `metrics.jsonl`.
        best: `Checkpoints` of the best model, one being kept; `None` if
            another observer keeps it.
        writer: A `SummaryWriter`.
        score: Name of the score that says which model is best.
    """

    def __init__(self, every, batches, path, best, writer, score="pixel_error"):
        super().__init__(every)
        self.batches = batches
        self.path = path
        self.best = best
        self._keeper = best and Keeper(best, score)
        self.writer = writer
        self.score = score
        self._scores = None

    def begin(self, moment):
        """Reads the best score so far."""
        if self.best:
            self._keeper.remember()
        if self._scores is None:
            self._scores = tf.function(
                moment.model.scores, autograph=False, reduce_retracing=True
            )

    def look(self, moment):
        """Scores the model; keeps it if it is the best."""
        scores = [self._scores(example) for example in self.batches]
        means = {
            f"validation/{name}": float(
                np.mean(np.concatenate([score[name] for score in scores]))
            )
            for name in scores[0]
        }
        append(self.path, {"step": moment.step, **means})
        self.writer.scalars(moment.step, means)
        if self.best:
            found = means.get(f"validation/{self.score}", float("inf"))
            self._keeper.offer(moment.step, found)


class Scoring(Observer):
    """Evaluates the model as `vaegan-evaluate` does; keeps the best by it.

    The best checkpoint is that of the lowest Fréchet distance of samples, by
    the averaged decoder if there is one.

    Args:
        every: Steps between two evaluations.
        evaluator: An `Evaluator`.
        path: Of `metrics.jsonl`.
        best: `Checkpoints` of the best model, one being kept; `None` if
            another observer keeps it.
        writer: A `SummaryWriter`.
    """

    def __init__(self, every, evaluator, path, best, writer):
        super().__init__(every)
        self.evaluator = evaluator
        self.path = path
        self.best = best
        self._keeper = best and Keeper(
            best,
            "frechet_distance",
            features=evaluator.extractor.key,
            num_images=evaluator.num_images,
        )
        self.writer = writer
        self._has_spoken = False

    def begin(self, moment):
        """Reads the best score so far."""
        if self.best:
            self._keeper.remember()

    def look(self, moment):
        """Evaluates the model; keeps it if it is the best."""
        evaluation = self.evaluator.evaluate(moment.model)
        numbers = {
            f"evaluation/{score.tag}": score.value
            for score in evaluation.scores
        }
        if numbers:
            append(self.path, {"step": moment.step, **numbers})
            self.writer.scalars(moment.step, numbers)
        self._say_once(evaluation)
        if self.best:
            distance = evaluation.find("samples", "frechet_distance").value
            logging.info("Fréchet distance of samples: %.4g", distance)
            self._keeper.offer(moment.step, distance)

    def _say_once(self, evaluation):
        if not self._has_spoken:
            for line in evaluation.remarks:
                logging.info("%s", line)
        self._has_spoken = True


class Codes(Observer):
    """Shows where held-out images lie in latent space.

    Args:
        every: Steps between two looks.
        example: Images, and attributes if any.
        attribute_names: Names of the attributes.
        writer: A `SummaryWriter`.
    """

    def __init__(self, every, example, attribute_names, writer):
        super().__init__(every)
        self.example = example
        self.names = attribute_names
        self.writer = writer

    def look(self, moment):
        """Histograms of the codes by attribute, and the projector's files."""
        conditions = self._conditions(moment.model)
        codes = moment.model.encode(self.example["image"], conditions)
        codes = codes["mean"].numpy()
        labels = self.example.get("attributes", np.zeros((len(codes), 0)))
        self.writer.histograms(
            moment.step,
            {
                "latents/all": codes,
                **attribute_latents(codes, labels, self.names),
            },
        )
        columns = {
            name: labels[:, index] > 0 for index, name in enumerate(self.names)
        }
        self.writer.projector(codes, self.example["image"], columns)

    def _conditions(self, model):
        return self.example["attributes"] if model.num_attributes else None


def append(path, record):
    """Adds one line of JSON to a file."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def drop_later(path, step):
    """Drops the records of later steps, and a line cut short."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n") or json.loads(line)["step"] > step:
            break
        kept.append(line)
    write_text(path, "".join(kept))


def parameter_table(model):
    """Networks, their parameters and what these weigh, as lines of text."""
    rows = [("network", "parameters", "MiB", "trained")]
    for name in model.network_names:
        count = getattr(model, name).count_params()
        trained = "yes" if name in model.trained_networks else "no"
        rows.append((name, f"{count:,}", f"{count * 4 / 2**20:.1f}", trained))
    return "\n".join(
        f"{name:<15}{count:>12}{size:>9}{trained:>9}"
        for name, count, size, trained in rows
    )


def in_words(seconds):
    """A duration as a person says it: 45 s, 12 min, 3 h 20 min."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _tagged(means):
    """TensorBoard tags: terms, losses, gradient norms and gates in groups."""
    groups = {"loss": "loss", "norm": "gradient_norm", "updated": "updated"}
    tagged = {}
    for name, value in means.items():
        group = groups.get(name.rsplit("_", 1)[-1], "term")
        tagged[f"{group}/{name.removesuffix(f'_{group}')}"] = value
    return tagged
