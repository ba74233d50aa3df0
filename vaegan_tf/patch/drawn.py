"""Which picture and which clip does the package draw itself?"""

import io
import math

import numpy as np
import resvg_py
from PIL import Image

from vaegan_tf.data.avatar_drawing import draw

_WIDTH, _HEIGHT = 256, 192
_STONES = ("#8C8577", "#A79F8D", "#6F6A62", "#B9B2A3", "#94785F", "#5F6F78")
_SKY, _SAND = ("#F3D9B1", "#8FB8DE"), ("#D9C9A3", "#B59A6A")
_HEADS = 5
_CLIP_WIDTH, _CLIP_HEIGHT = 256, 144


def draw_texture(image_size: int) -> np.ndarray:
    """A beach of stones below a sky, the larger the nearer.

    Args:
        image_size: Width in pixels; the height is three quarters of it.

    Returns:
        uint8 (height, width, 3), always the same.
    """
    generator = np.random.default_rng(2020)
    parts = [_gradient("sky", _SKY), _gradient("sand", _SAND)]
    parts += [
        _box("sky", 0, _HEIGHT),
        _box("sand", 0.35 * _HEIGHT, 0.65 * _HEIGHT),
    ]
    for depth in np.sort(generator.uniform(0, 1, 260)):
        parts.append(_stone(depth, generator))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} '
    svg += f'{_HEIGHT}">{"".join(parts)}</svg>'
    return _rendered(svg, image_size)


def draw_avatar_clip(image_size: int, frames: int) -> np.ndarray:
    """Avatars that float past each other, each on a way of its own.

    Args:
        image_size: Width in pixels; the height is nine sixteenths of it.
        frames: How many.

    Returns:
        uint8 (frames, height, width, 3), always the same.
    """
    heads = [_head(index) for index in range(_HEADS)]
    height = round(image_size * _CLIP_HEIGHT / _CLIP_WIDTH)
    clip = [_clip_frame(heads, number / 12) for number in range(frames)]
    size = image_size, height
    return np.stack(
        [np.asarray(f.resize(size, Image.Resampling.LANCZOS)) for f in clip]
    )


def _stone(depth: float, generator: np.random.Generator) -> str:
    """One stone: shadow, body and light."""
    x, y = generator.uniform(0, _WIDTH), (0.38 + 0.66 * depth) * _HEIGHT
    radius = (2 + 11 * depth) * generator.uniform(0.7, 1.3)
    color = _STONES[generator.integers(len(_STONES))]
    turn = generator.uniform(-25, 25)
    flat = generator.uniform(0.55, 0.8)
    return (
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({turn:.0f}) '
        f'scale({radius:.2f})"><ellipse cx=".1" cy=".2" rx="1.05" ry="{flat}" '
        f'fill="#3B342B" opacity=".5"/><ellipse rx="1" ry="{flat}" '
        f'fill="{color}"/><ellipse cx="-.25" cy="-.25" rx=".45" ry=".22" '
        'fill="#FFF" opacity=".3"/></g>'
    )


def _gradient(name: str, colors: tuple[str, str]) -> str:
    top, bottom = colors[::-1]
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )


def _box(fill: str, top: float, height: float) -> str:
    return (
        f'<rect y="{top}" width="{_WIDTH}" height="{height}" '
        f'fill="url(#{fill})"/>'
    )


def _rendered(svg: str, width: int) -> np.ndarray:
    content = resvg_py.svg_to_bytes(
        svg_string=svg, width=width, skip_system_fonts=True
    )
    return np.asarray(Image.open(io.BytesIO(bytes(content))).convert("RGB"))


def _head(index: int) -> Image.Image:
    """An avatar in a circle."""
    content = draw(2020, "clip", index)
    head = Image.open(io.BytesIO(bytes(content))).convert("RGB")
    side = 34 + 6 * (index % 3)
    head = head.resize((side, side), Image.Resampling.LANCZOS)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    inside = np.clip(side / 2 - np.hypot(x, y), 0, 1) * 255
    head.putalpha(Image.fromarray(inside.astype(np.uint8)))
    return head


def _clip_frame(heads: list[Image.Image], time: float) -> Image.Image:
    """The clip at a time; 1 is the last of its 13 usual frames."""
    rows = np.linspace(0, 1, _CLIP_HEIGHT)[:, None, None]
    low, high = np.array([120, 170, 200]), np.array([40, 60, 110])
    water = np.broadcast_to(
        high + (low - high) * (1 - rows), (_CLIP_HEIGHT, _CLIP_WIDTH, 3)
    )
    frame = Image.fromarray(water.astype(np.uint8))
    for index, head in enumerate(heads):
        start = 20 + index * (_CLIP_WIDTH - 60) / (len(heads) - 1)
        way = 70 * time * (-1) ** index
        wave = 12 * math.sin(2 * math.pi * (time + index / len(heads)))
        x = (start + way) % (_CLIP_WIDTH + 20) - 20
        y = 16 + (index * 37) % 80 + wave
        frame.paste(head, (round(x), round(y)), head)
    return frame
