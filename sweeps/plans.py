"""What is compared: runs that differ in one thing each."""

import dataclasses
from collections.abc import Mapping

from sweeps.kinds import ANY_SHOT, IMAGES, PATCHES, PREDICTORS, Kind


@dataclasses.dataclass(frozen=True)
class Plan:
    """Runs to compare, by name, each as flags of what trains it.

    Flags may name another run of the sweep, such as `{folder}/gan-{seed}`.
    """

    about: str
    variants: Mapping[str, tuple[str, ...]]
    shared: tuple[str, ...] = ()
    kind: Kind = IMAGES
    seeds: int = 3


def models(folder: str) -> dict[str, tuple[str, ...]]:
    """The paper's four models by their flag files."""
    flags: dict[str, tuple[str, ...]] = {
        kind: (f"--flagfile={folder}/{kind}",)
        for kind in ("gan", "vae", "learned_metric_vae", "vaegan")
    }
    lender = "--discriminator_from={folder}/gan-{seed}"
    flags["learned_metric_vae"] += (lender,)
    return flags


def shots(*numbers: int) -> dict[str, tuple[str, ...]]:
    """The inductive and the transductive model with some numbers of shots."""
    return {
        f"{kind}-{k}-shot": (f"--flagfile=anyshot/{kind}", f"--shots={k}")
        for k in numbers
        for kind in ("f_vaegan", "f_vaegan_d2")
    }


def starts(*encoders: str) -> dict[str, tuple[str, ...]]:
    """Predictors of few labels and all, from fresh weights and from runs."""
    return {
        f"{start}-{labels}": (
            *([] if start == "fresh" else [f"--from_run={{folder}}/{start}-0"]),
            *([] if labels == "all" else [f"--labels={labels}"]),
        )
        for start in ("fresh", *encoders)
        for labels in ("100", "500", "all")
    }


def patches(place: str) -> dict[str, tuple[str, ...]]:
    """Hierarchical Patch VAE-GAN of one example, and its two baselines."""
    flagfile = f"--flagfile={place}/hp_vae_gan"
    return {
        "hp_vae_gan": (flagfile,),
        "singan": (flagfile, "--vae_scales=0"),
        "patch_vae": (flagfile, "--vae_scales=99"),
    }


TRANSDUCTIVE = "--flagfile=anyshot/f_vaegan_d2"
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
            "authors": ("--flagfile=authors/vaegan",),
        },
        QUARTER,
    ),
    "parts": Plan(
        "What each part of the defaults brings: VAE/GAN on avatars without "
        "it, as the paper has it.",
        {
            "default": (),
            "free codes": ("--codes=free",),
            "codes that do not repel each other": ("--uniformity_weight=0",),
            "batch normalisation": ("--decoder_normalization=batch",),
            "transposed convolutions": ("--upsampling=transposed",),
            "batch-normalised discriminator": (
                "--discriminator_normalization=batch",
            ),
            "minimax": ("--adversarial=minimax",),
            "one layer": ("--feature_layers=3",),
            "adam": ("--optimizer=adam",),
            "fixed gamma": ("--gamma=0.01",),
        },
        ("--flagfile=avatars/vaegan",),
    ),
    "anyshot": Plan(
        "f-VAEGAN-D2, its parts and its class priors beside two baselines.",
        {
            **{
                kind: (f"--flagfile=anyshot/{kind}",)
                for kind in ("f_wgan", "f_vae", "f_vaegan")
            },
            "f_vaegan_d2": (TRANSDUCTIVE,),
            "f_vaegan_d2-estimated": (TRANSDUCTIVE, "--novel_prior=estimated"),
            "f_vaegan_d2-uniform": (TRANSDUCTIVE, "--novel_prior=uniform"),
        },
        kind=ANY_SHOT,
        seeds=5,
    ),
    "few-shot": Plan(
        "The same with some labelled examples of each novel class.",
        shots(1, 2, 5, 10, 20),
        kind=ANY_SHOT,
        seeds=5,
    ),
    "few-labels": Plan(
        "Predictors of attributes on the encoder's network: from fresh weights "
        "and from the encoders of the runs vae-0 and vaegan-0 in the same "
        "folder (Larsen et al., 2016, section 4.3).",
        starts("vae", "vaegan"),
        (
            "--backbone=encoder",
            "--log_every=50",
            "--sample_every=1000",
            "--checkpoint_every=50",
        ),
        kind=PREDICTORS,
        seeds=5,
    ),
    "patch": Plan(
        "Hierarchical Patch VAE-GAN of one picture, SinGAN's game and a patch "
        "VAE. Say which with --dataset and --source_dir.",
        patches("picture"),
        kind=PATCHES,
    ),
    "patch-clip": Plan("The same of one clip.", patches("clip"), kind=PATCHES),
}
