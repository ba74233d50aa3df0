"""Draws one avatar: its parts by lot, its attributes exactly, its picture.

An avatar is a pure function of (seed, split, index). The module is also the
program that the drawing processes run (see `drawing_pool`); therefore it
imports neither TensorFlow nor the rest of this package.
"""

import random
import re
import struct
import sys

import python_avatars
import resvg_py

IMAGE_SIZE = 128

_HAIR_COLORS = {
    "Black_Hair": "#1F1A1B",
    "Blond_Hair": "#E8C567",
    "Brown_Hair": "#5E3519",
    "Red_Hair": "#C7401B",
}
_SKIN_COLORS = {
    "Pale_Skin": ("#FCE2CF", "#FBD9BE"),
    "Dark_Skin": ("#AD7550", "#9A6542"),
    None: ("#EDC09A", "#E8B88F"),
}
_BACKGROUNDS = ("#A9CDE8", "#B7DDC4", "#C9BCE3", "#D9DEE2", "#8FB3C9")
_HAT_COLORS = ("#3A64B0", "#2C8C68", "#7C4BA0", "#D46A9B")
_CLOTHING_COLORS = ("#2F4858", "#4F86C6", "#F2F2F2", "#C94F5D", "#5FA777")

# Only parts under which the eyebrows and the mouth stay in sight, so that no
# attribute is true of something hidden.
_HATS = ("HAT", "WINTER_HAT_1", "WINTER_HAT_2")
_HAIRCUTS = {  # (Long_Hair, Wavy_Hair): cuts
    (False, False): ("SHORT_FLAT", "SHORT_ROUND", "QUIFF"),
    (False, True): ("SHORT_CURLY", "SHORT_DREADS_1", "SHORT_WAVED"),
    (True, False): ("STRAIGHT_1", "STRAIGHT_STRAND", "BOB"),
    (True, True): ("CURLY", "CURVY"),
}
_ACCESSORIES = {
    "Eyeglasses": ("PRESCRIPTION_2", "ROUND"),
    "Sunglasses": ("WAYFARERS", "SUNGLASSES"),
    None: ("NONE",),
}
_MOUTHS = {  # (Smiling, Mouth_Open): mouths
    (True, True): ("SMILE", "BIG_SMILE"),
    (True, False): ("TWINKLE",),
    (False, True): ("SCREAM_OPEN", "DISBELIEF"),
    (False, False): ("SERIOUS", "SAD"),
}
_EYEBROWS = {  # Raised_Eyebrows: eyebrows
    True: ("RAISED_EXCITED",),
    False: ("FLAT_NATURAL", "DEFAULT_NATURAL"),
}
_EYES = {True: ("CLOSED",), False: ("DEFAULT",)}  # Eyes_Closed: eyes

ATTRIBUTES = (
    "Eyeglasses",
    "Sunglasses",
    "Hat",
    "Beard",
    "Mustache",
    "Smiling",
    "Mouth_Open",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Red_Hair",
    "Bald",
    "Long_Hair",
    "Wavy_Hair",
    "Pale_Skin",
    "Dark_Skin",
    "Raised_Eyebrows",
    "Eyes_Closed",
)


def sample_attributes(seed: int, split: str, index: int) -> dict[str, bool]:
    """The attributes of one avatar.

    Head cover is one of hat (1/4), bald (3/20) and four hair colours (3/20
    each); the hair's length and wave, where there is hair, are a coin each.
    Glasses are none (3/10), Eyeglasses or Sunglasses (7/20 each); facial hair
    and skin likewise. Every other attribute is a coin, except that nobody
    closes the eyes behind sunglasses. `Mustache` means one without a beard.

    Args:
        seed: Seed of the data set.
        split: Name of the split.
        index: Position of the avatar in its split.

    Returns:
        A boolean for every name in `ATTRIBUTES`.
    """
    lot = _lot(seed, split, index, "attributes")
    head = _pick_weighted(
        lot, [("Hat", 0.25), ("Bald", 0.15)] + [(c, 0.15) for c in _HAIR_COLORS]
    )
    glasses = _pick_weighted(lot, _two_of(("Eyeglasses", "Sunglasses")))
    beard = _pick_weighted(lot, _two_of(("Beard", "Mustache")))
    skin = _pick_weighted(lot, _two_of(("Pale_Skin", "Dark_Skin")))
    coin = {
        name: lot.random() < 0.5
        for name in (
            "Smiling",
            "Mouth_Open",
            "Long_Hair",
            "Wavy_Hair",
            "Raised_Eyebrows",
            "Eyes_Closed",
        )
    }
    coin["Long_Hair"] &= head in _HAIR_COLORS
    coin["Wavy_Hair"] &= head in _HAIR_COLORS
    coin["Eyes_Closed"] &= glasses != "Sunglasses"
    chosen = {head, glasses, beard, skin}
    return {name: coin.get(name, name in chosen) for name in ATTRIBUTES}


def sample_parts(seed: int, split: str, index: int) -> dict[str, str]:
    """The drawn parts of one avatar: they follow from its attributes.

    Args:
        seed: Seed of the data set.
        split: Name of the split.
        index: Position of the avatar in its split.

    Returns:
        Names of `python_avatars` parts and colours as "#RRGGBB", by the
        argument of `python_avatars.Avatar` that takes them, and `background`.
    """
    attributes = sample_attributes(seed, split, index)
    lot = _lot(seed, split, index, "parts")
    mouth_kind = (attributes["Smiling"], attributes["Mouth_Open"])
    mouth = _pick(lot, _MOUTHS[mouth_kind])
    some_color = _pick(lot, tuple(_HAIR_COLORS.values()))
    hair_color = _HAIR_COLORS.get(
        _true_name(attributes, _HAIR_COLORS), some_color
    )
    skins = _SKIN_COLORS[_true_name(attributes, _SKIN_COLORS)]
    glasses = _ACCESSORIES[_true_name(attributes, _ACCESSORIES)]
    return {
        "top": _pick(lot, _tops(attributes)),
        "hat_color": _pick(lot, _HAT_COLORS),
        "hair_color": hair_color,
        "facial_hair_color": hair_color,
        "eyebrows": _pick(lot, _EYEBROWS[attributes["Raised_Eyebrows"]]),
        "eyes": _pick(lot, _EYES[attributes["Eyes_Closed"]]),
        "nose": _pick(lot, ("DEFAULT", "WIDE")),
        "mouth": mouth,
        "facial_hair": _pick(lot, _facial_hair(attributes, mouth)),
        "skin_color": _pick(lot, skins),
        "accessory": _pick(lot, glasses),
        "clothing": _pick(lot, ("SHIRT_CREW_NECK", "HOODIE")),
        "clothing_color": _pick(lot, _CLOTHING_COLORS),
        "background": _pick(lot, _BACKGROUNDS),
    }


def draw(seed: int, split: str, index: int) -> bytes:
    """The picture of one avatar, a square PNG of `IMAGE_SIZE` pixels.

    Args:
        seed: Seed of the data set.
        split: Name of the split.
        index: Position of the avatar in its split.

    Returns:
        The bytes of the PNG.
    """
    parts = sample_parts(seed, split, index)
    background = parts.pop("background")
    return resvg_py.svg_to_bytes(
        svg_string=_frame_head(_render(parts)),
        width=IMAGE_SIZE,
        background=background,
        skip_system_fonts=True,
    )


def _lot(seed, split, index, purpose):
    # A string seeds by its SHA-512, the same in every process and release;
    # only `random()` of the generator is promised never to change.
    return random.Random(f"{seed}/{split}/{index}/{purpose}")


def _pick(lot, choices):
    return choices[int(lot.random() * len(choices))]


def _pick_weighted(lot, choices):
    point = lot.random()
    for name, weight in choices:
        point -= weight
        if point < 0:
            return name
    return choices[-1][0]


def _two_of(names):
    return [(names[0], 0.35), (names[1], 0.35), (None, 0.3)]


def _true_name(attributes, names):
    return next((name for name in names if attributes.get(name)), None)


def _tops(attributes):
    if attributes["Hat"]:
        return _HATS
    if attributes["Bald"]:
        return ("NONE",)
    return _HAIRCUTS[attributes["Long_Hair"], attributes["Wavy_Hair"]]


def _facial_hair(attributes, mouth):
    if attributes["Beard"]:
        return ("BEARD_LIGHT", "BEARD_MEDIUM")
    if attributes["Mustache"]:
        # The large one would cover a closed smile.
        hidden = mouth == "TWINKLE"
        return ("MOUSTACHE_FANCY",) if hidden else ("MOUSTACHE_MAGNUM",)
    return ("NONE",)


def _render(parts):
    types = {
        "eyebrows": python_avatars.EyebrowType,
        "eyes": python_avatars.EyeType,
        "nose": python_avatars.NoseType,
        "mouth": python_avatars.MouthType,
        "facial_hair": python_avatars.FacialHairType,
        "accessory": python_avatars.AccessoryType,
        "clothing": python_avatars.ClothingType,
    }
    hat = parts["top"] in _HATS
    types["top"] = python_avatars.HatType if hat else python_avatars.HairType
    drawn = {
        name: types[name][part] if name in types else part
        for name, part in parts.items()
    }
    return python_avatars.Avatar(
        style=python_avatars.AvatarStyle.TRANSPARENT, **drawn
    ).render()


def _frame_head(svg):
    # The canvas is 264 × 280; the head fills this square of it.
    frame = r'\1 width="180" height="180" viewBox="42 16 180 180"'
    return re.sub(
        r'(<svg [^>]*?) width="\S+" height="\S+" viewBox="[^"]+"',
        frame,
        svg,
        count=1,
    )


def main(arguments: list[str]) -> None:
    """Draw every stride-th avatar of a range to the standard output.

    Args:
        arguments: Seed, split, first index, end and stride. Every picture is
            preceded by its length, four bytes, most significant first.
    """
    seed, split, *indices = arguments
    output = sys.stdout.buffer
    for index in range(*map(int, indices)):
        picture = draw(int(seed), split, index)
        output.write(struct.pack(">I", len(picture)) + picture)
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
