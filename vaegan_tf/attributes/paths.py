"""Which codes lie between and around others?

Every path is float32 (frames, latent).
"""

import numpy as np

from vaegan_tf import noise
from vaegan_tf.settings import check
from vaegan_tf.settings.choices import PATHS

# Below this angle, in radians, a sphere is as good as flat.
_FLAT = 1e-4


def interpolate(
    start: np.ndarray, end: np.ndarray, frames: int, path: str = "linear"
) -> np.ndarray:
    """Codes from one to another, both included.

    Args:
        start: A code, (latent,).
        end: Another.
        frames: How many, 2 at least.
        path: `"linear"`: on the straight line. `"spherical"`: the angle and
            the length both change evenly, so that codes between two of the
            prior are as long as codes of the prior are.

    Raises:
        ValueError: If `path` is another, or there are too few frames.

    Reference:
        White (2016), "Sampling generative networks", section 2.1.
    """
    check("path", path, choices=PATHS)
    check("frames", frames, low=2)
    share = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
    if path == "linear":
        return (1 - share) * start + share * end
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    units = [code / max(n, 1e-12) for code, n in zip((start, end), lengths)]
    angle = np.arccos(np.clip(units[0] @ units[1], -1, 1))
    # The same direction, opposite ones, or none.
    if np.sin(angle) < _FLAT or not min(lengths) > 0:
        return (1 - share) * start + share * end
    rotated = [
        np.sin(part * angle) / np.sin(angle) * unit
        for part, unit in zip((1 - share, share), units)
    ]
    length = (1 - share) * lengths[0] + share * lengths[1]
    return (length * sum(rotated)).astype(np.float32)


def random_walk(
    start: np.ndarray, frames: int, seed: int = 0, angle: float = 0.25
) -> np.ndarray:
    """A walk that never leaves the prior, (frames, latent).

    Each code is cos θ times the one before, and sin θ times a new draw of
    N(0, I): if one is distributed as the prior, so is the next.

    Args:
        start: The first code, (latent,).
        frames: How many.
        seed: Seed of the draws.
        angle: θ in radians, how far each step goes.
    """
    draws = noise.latent_codes(frames, len(start), seed).numpy()
    walk = [np.asarray(start, np.float32)]
    for draw in draws[1:]:
        walk.append(np.cos(angle) * walk[-1] + np.sin(angle) * draw)
    return np.stack(walk).astype(np.float32)
