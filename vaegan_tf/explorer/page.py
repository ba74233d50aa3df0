"""The page and its files, as a server sends them."""

from collections.abc import Sequence

from vaegan_tf import templates
from vaegan_tf.explorer import tools
from vaegan_tf.explorer.subject import Subject
from vaegan_tf.settings import MAX_SEED
from vaegan_tf.settings.choices import PATHS, VECTORS


def render(subjects: Sequence[Subject]) -> dict[str, tuple[str, bytes]]:
    """Types and contents of the page, its style and its script, by path."""
    environment = templates.environment("vaegan_tf.explorer")
    facts = {
        "runs": [_described(subject) for subject in subjects],
        "attributes": _names(s.vectors.names for s in subjects if s.vectors),
        "conditions": _names(subject.conditions for subject in subjects),
        "max_upload": tools.MAX_UPLOAD,
        "max_seed": MAX_SEED,
        "samplers": tools.SAMPLERS,
        "sampler": _best_sampler(subjects),
        "frames": tools.FRAMES,
        "vectors": VECTORS,
        "paths": PATHS,
    }
    files = {
        "/": ("text/html; charset=utf-8", "explorer.html"),
        "/explorer.css": ("text/css", "explorer.css"),
        "/explorer.js": ("text/javascript", "explorer.js"),
    }
    return {
        path: (kind, environment.get_template(name).render(facts).encode())
        for path, (kind, name) in files.items()
    }


def _best_sampler(subjects):
    """The mixture, which looks better, where all can draw from it."""
    have_mixture = all("mixture" in subject.samplers for subject in subjects)
    return "mixture" if have_mixture else "prior"


def _described(subject):
    """What the page says of a subject."""
    return {
        "label": subject.label,
        "title": subject.model.title,
        "size": subject.data.image_size,
        "dataset": subject.data.dataset,
        "without_vectors": subject.without_vectors,
        "obstacles": {tool: subject.obstacle(tool) for tool in tools.TOOLS},
    }


def _names(groups):
    """All names of several groups, each once, in their order."""
    return list(dict.fromkeys(name for group in groups for name in group))
