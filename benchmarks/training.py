"""Training beside stock Keras and PyTorch, and beside the machine's limit."""

import importlib.util
import shutil

from benchmarks import recipe, tables
from benchmarks.children import MeasurementError

BATCH_SIZE = 64
QUICK_BATCH_SIZE = 8
OURS = {
    "auto": {"precision": "auto"},
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
}
# Not what the other implementations train; in the precision of `auto`.
OTHERS = {
    "default": recipe.DEFAULTS,
    **{
        f"with_{name}": {name: recipe.DEFAULTS[name]}
        for name in (
            "codes",
            "decoder_normalization",
            "upsampling",
            "discriminator_normalization",
            "feature_layers",
            "gamma",
        )
    },
    "non_saturating": {"adversarial": "non_saturating"},
    "vae": {"kind": "vae"},
}
STOCK = {
    "keras_stock_float32": {"jit_compile": False},
    "keras_stock_float32_xla": {"jit_compile": True},
}
TORCH = {
    "torch_float32": {},
    "torch_float32_channels_last": {"channels_last": True},
    "torch_bfloat16_channels_last": {"channels_last": True, "bfloat16": True},
}
TORCH_COMPILED = {
    "torch_float32_channels_last_compiled": {
        "channels_last": True,
        "compiled": True,
    },
    "torch_bfloat16_channels_last_compiled": {
        "channels_last": True,
        "bfloat16": True,
        "compiled": True,
    },
}
# Forms that take long to compile have one round.
SLOW_TO_START = ("keras_stock_float32_xla", *TORCH_COMPILED)
NO_TORCH = (
    "PyTorch is not installed, its numbers are left out: "
    "pip install -e '.[bench]'."
)
NO_COMPILER = (
    "There is no C++ compiler, so torch.compile is left out: install g++."
)


def measure(run, quick=False):
    """Measures every form, one after the other, in rounds.

    Args:
        run: `children.run`.
        quick: Whether one round of one small step is enough.

    Returns:
        `training`, images per second by name; `training_forms` with all that
        is known of each; `training_batch_size`; `ceilings`, operations per
        second; `step_flops` by kind of model; and `training_notes`, what was
        left out and why.
    """
    forms, notes = available()
    if quick:
        forms = {k: v for k, v in forms.items() if k not in SLOW_TO_START}
    answers = {name: [] for name in forms}
    errors = {}
    batch_size = QUICK_BATCH_SIZE if quick else BATCH_SIZE
    ceilings = run("ceilings:measure", **({"sizes": [1024]} if quick else {}))
    for turn in range(1 if quick else 2):
        for name, (function, arguments) in forms.items():
            if name in errors or (turn and name in SLOW_TO_START):
                continue
            try:
                answer = run(
                    function,
                    timed=1 if quick else 2,
                    batch_size=batch_size,
                    **arguments,
                )
                answers[name].append(answer)
            except MeasurementError as error:
                errors[name] = str(error)
    flops = _flops(batch_size)
    found = {
        name: described(name, found, batch_size, flops[_kind(name)], ceilings)
        for name, found in answers.items()
        if found
    }
    return {
        "training": chosen(found),
        "training_forms": found,
        "training_batch_size": batch_size,
        "training_notes": [*notes, *_failures(errors)],
        "ceilings": {k: ceilings[k] for k in ("float32", "bfloat16")},
        "step_flops": flops,
    }


def available():
    """The forms that can be measured here, and notes on those that cannot.

    Returns:
        `(forms, notes)`: functions and their arguments by name, and sentences.
    """
    forms = {
        name: ("ours:train", form) for name, form in {**OURS, **OTHERS}.items()
    }
    for name, form in STOCK.items():
        forms[name] = ("stock_keras:train", form)
    if importlib.util.find_spec("torch") is None:
        return forms, [NO_TORCH]
    has_compiler = shutil.which("g++") or shutil.which("clang++")
    for name, form in {
        **TORCH,
        **(TORCH_COMPILED if has_compiler else {}),
    }.items():
        forms[name] = ("torch_twin:train", form)
    return forms, [] if has_compiler else [NO_COMPILER]


def described(name, answers, batch_size, flops, ceilings):
    """All that is known of one form.

    Args:
        name: The form's name.
        answers: What its processes returned.
        batch_size: Images in a step.
        flops: Operations that a step needs.
        ceilings: Operations per second by precision.
    """
    seconds = [second for answer in answers for second in answer["seconds"]]
    speeds = tables.summary([batch_size / second for second in seconds])
    named = "bfloat16" if "bfloat16" in name else "float32"
    precision = answers[0].get("precision", named)
    steps_per_second = speeds["median"] / batch_size
    return {
        "images_per_second": speeds,
        "seconds": seconds,
        "precision": precision,
        "ceiling_fraction": flops * steps_per_second / ceilings[precision],
        "first_step_seconds": answers[0]["first_step_seconds"],
        "peak_bytes": max(answer["peak_bytes"] for answer in answers),
    }


def chosen(forms):
    """The numbers to compare by: images per second, `None` where missing.

    Args:
        forms: Descriptions by name.
    """
    speeds = {
        name: form["images_per_second"]["median"]
        for name, form in forms.items()
    }
    torch = {n: s for n, s in speeds.items() if n.startswith("torch")}
    plain = {n: s for n, s in torch.items() if "float32" in n}
    auto = forms.get("auto", {})
    return {
        **{name: speeds.get(name) for name in (*OURS, *OTHERS)},
        "keras_stock_float32": _best(
            {name: speeds[name] for name in STOCK if name in speeds}
        ),
        "torch_best": _best(torch),
        "torch_float32_best": _best(plain),
        "torch_float32_channels_last": speeds.get(
            "torch_float32_channels_last"
        ),
        "ceiling_fraction": auto.get("ceiling_fraction"),
    }


def report(results):
    """The table of the forms, and the notes.

    Args:
        results: What `measure` returned.
    """
    training = results["training"]
    rows = [
        _row(name, form, training)
        for name, form in results["training_forms"].items()
    ]
    header = [
        "form",
        "images/s",
        "of stock Keras",
        "of best PyTorch",
        "of best float32 PyTorch",
        "of ceiling",
        "first step",
        "memory",
    ]
    ceilings = ", ".join(
        f"{name} {tables.number(speed / 1e9)} GFLOP/s"
        for name, speed in results["ceilings"].items()
    )
    title = (
        "Training VAE/GAN (vae: a VAE), batches of "
        f"{results['training_batch_size']} at 64×64, width 1"
    )
    flops = ", ".join(
        f"{tables.number(count / 1e9)} GFLOP ({kind})"
        for kind, count in results["step_flops"].items()
    )
    needs = f"A step needs {flops}; ceilings: {ceilings}."
    notes = [needs, *results["training_notes"]]
    return tables.table(title, header, rows) + "\n" + "\n".join(notes) + "\n"


def _row(name, form, training):
    speed = form["images_per_second"]["median"]
    others = ("keras_stock_float32", "torch_best", "torch_float32_best")
    return [
        name,
        tables.spread(form["images_per_second"]),
        *[
            tables.times(
                None if name in OTHERS else tables.ratio(speed, training[other])
            )
            for other in others
        ],
        tables.percent(form["ceiling_fraction"]),
        f"{tables.number(form['first_step_seconds'])} s",
        tables.gibibytes(form["peak_bytes"]),
    ]


def _best(speeds):
    return max(speeds.values(), default=None)


def _failures(errors):
    return [f"{name} failed: {error}" for name, error in errors.items()]


def _kind(name):
    return OTHERS.get(name, {}).get("kind", "vaegan")


def _flops(batch_size):
    from benchmarks import flops

    return {
        kind: flops.step_flops(batch_size, kind) for kind in ("vaegan", "vae")
    }
