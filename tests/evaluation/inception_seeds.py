"""Weights and images for the test of Inception, as functions of a seed.

As a program, with torch, pytorch-fid and torch-fidelity installed, it writes
`inception_numbers.json` anew: what the networks of these two projects make of
the images with these weights.
"""

import json
import pathlib

import numpy as np

NUMBERS = pathlib.Path(__file__).with_name("inception_numbers.json")
SHOWN = 128


def seeded_weights(shapes):
    """Weights of every layer: large enough for every unit to matter.

    Args:
        shapes: Shapes by name.
    """
    weights = {}
    for seed, name in enumerate(sorted(shapes)):
        generator, shape = np.random.default_rng(seed), shapes[name]
        if name.endswith("conv.weight"):
            values = generator.standard_normal(shape)
            values *= np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith(("bn.weight", "bn.running_var")):
            values = generator.uniform(0.5, 1.5, shape)
        else:
            values = 0.1 * generator.standard_normal(shape)
        weights[name] = values.astype(np.float32)
    return weights


def seeded_images():
    """Two images, uint8 (2, 64, 64, 3)."""
    generator = np.random.default_rng(3)
    return generator.integers(0, 256, (2, 64, 64, 3), np.uint8)


def main():
    """Writes the file."""
    import torch
    import torch_fidelity.feature_extractor_inceptionv3 as fidelity
    from pytorch_fid import inception as fid

    shapes = {}
    load = torch.nn.Module.load_state_dict

    def load_seeded(network, state, *args, **kwargs):
        if state is not None:
            return load(network, state, *args, **kwargs)
        found = network.state_dict()
        kept = {k: v for k, v in found.items() if v.dim()}
        shapes.update({k: tuple(v.shape) for k, v in kept.items()})
        seeded = seeded_weights({k: shapes[k] for k in kept})
        tensors = {k: torch.from_numpy(v) for k, v in seeded.items()}
        return load(network, {**found, **tensors})

    torch.nn.Module.load_state_dict = load_seeded
    fid.load_state_dict_from_url = lambda *args, **kwargs: None
    fidelity.load_state_dict_from_url = lambda *args, **kwargs: None
    images = torch.from_numpy(seeded_images().transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        network = fid.InceptionV3([3]).eval()
        pytorch = network(images / 255)[0].flatten(1).numpy()
        network = fidelity.FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"]
        ).eval()
        tensorflow = network(images)[0].numpy()
    record = {
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "pytorch": _numbers(pytorch),
        "tensorflow": _numbers(tensorflow),
    }
    NUMBERS.write_text(json.dumps(record) + "\n", encoding="utf-8")


def _numbers(features):
    return {
        "some": np.round(features[:, ::SHOWN].astype(float), 5).tolist(),
        "norms": np.linalg.norm(features.astype(float), axis=1).tolist(),
        "sums": features.astype(float).sum(axis=1).tolist(),
    }


if __name__ == "__main__":
    main()
