"""What is compared: runs that differ in one thing each."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Plan:
    """Runs to compare, by name, each as flags of `vaegan-train`.

    Flags may name another run of the same seed, as `{folder}/gan-{seed}`.
    """

    about: str
    variants: Mapping[str, tuple[str, ...]]
    shared: tuple[str, ...] = ()


def models(folder: str) -> dict[str, tuple[str, ...]]:
    """The paper's four models by their flag files."""
    flags = {
        kind: (f"--flagfile={folder}/{kind}",)
        for kind in ("gan", "vae", "learned_metric_vae", "vaegan")
    }
    lender = "--discriminator_from={folder}/gan-{seed}"
    flags["learned_metric_vae"] += (lender,)
    return flags


QUARTER = (
    "--width=0.25",
    "--batch_size=32",
    "--train_steps=2375",
    "--checkpoint_every=500",
)
PLANS = {
    "avatars": Plan(
        "The four models on avatars, 48,000 images.", models("avatars")
    ),
    "faces": Plan(
        "The four models and the authors' recipe on faces, 76,000 images at a "
        "quarter of the width. Say which with --dataset.",
        {
            **models("faces64"),
            "authors": ("--flagfile=authors/vaegan", "--latent_dim=128"),
        },
        QUARTER,
    ),
    "parts": Plan(
        "What each part of the defaults brings: VAE/GAN on avatars without "
        "it, as the paper has it.",
        {
            "default": (),
            "free codes": ("--codes=free",),
            "batch normalisation": ("--decoder_normalization=batch",),
            "transposed convolutions": ("--upsampling=transposed",),
            "batch-normalised discriminator": (
                "--discriminator_normalization=batch",
            ),
            "minimax": ("--adversarial=minimax",),
            "one layer": ("--feature_layers=3",),
            "fixed gamma": ("--gamma=0.01",),
        },
        ("--flagfile=avatars/vaegan",),
    ),
}
