"""Draws one avatar: random attributes and parts, and their image.

An avatar is a pure function of (seed, split, index). The module is also the
program that the drawing processes run (see `avatars`); therefore it
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

# Only parts that leave eyebrows and mouth visible, so that no attribute is
# true of something hidden.
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
_FACIAL_HAIR = {
    "Beard": ("BEARD_LIGHT", "BEARD_MEDIUM"),
    "Mustache": ("MOUSTACHE_MAGNUM",),
    None: ("NONE",),
}
_MOUTHS = {  # (Smiling, Mouth_Open): mouths
    (True, True): ("SMILE", "BIG_SMILE"),
    (True, False): ("TWINKLE",),
    (False, True): ("SCREAM_OPEN", "DISBELIEF"),
    (False, False): ("SERIOUS", "SAD"),
}
_EYEBROWS = {
    "Raised_Eyebrows": ("RAISED_EXCITED",),
    None: ("FLAT_NATURAL", "DEFAULT_NATURAL"),
}
_EYES = {"Eyes_Closed": ("CLOSED",), None: ("DEFAULT",)}

_GLASSES = ("Eyeglasses", "Sunglasses")
_BEARDS = ("Beard", "Mustache")
_SKINS = ("Pale_Skin", "Dark_Skin")
# Each is a coin, in the order in which they are drawn.
_MOUTH_COINS = ("Smiling", "Mouth_Open")
_HAIR_COINS = ("Long_Hair", "Wavy_Hair")
_EYE_COINS = ("Raised_Eyebrows", "Eyes_Closed")
ATTRIBUTES = (
    *_GLASSES,
    "Hat",
    *_BEARDS,
    *_MOUTH_COINS,
    *_HAIR_COLORS,
    "Bald",
    *_HAIR_COINS,
    *_SKINS,
    *_EYE_COINS,
)


def sample_attributes(seed: int, split: str, index: int) -> dict[str, bool]:
    """The attributes of one avatar.

    Head cover is one of hat (1/4), bald (3/20) and four hair colours (3/20
    each); the hair's length and wave, where there is hair, are a coin each.
    Glasses are none (3/10), Eyeglasses or Sunglasses (7/20 each); facial hair
    and skin likewise. Every other attribute is a coin, except that nobody
    closes the eyes behind sunglasses. `Mustache` means one without a beard.
    """
    lot = _lot(seed, split, index, "attributes")
    heads = {"Hat": 0.25, "Bald": 0.15, **dict.fromkeys(_HAIR_COLORS, 0.15)}
    head = _pick_weighted(lot, heads)
    glasses = _pick_weighted(lot, _two_of(_GLASSES))
    beard = _pick_weighted(lot, _two_of(_BEARDS))
    skin = _pick_weighted(lot, _two_of(_SKINS))
    names = (*_MOUTH_COINS, *_HAIR_COINS, *_EYE_COINS)
    coin = {name: lot.random() < 0.5 for name in names}
    coin["Long_Hair"] &= head in _HAIR_COLORS
    coin["Wavy_Hair"] &= head in _HAIR_COLORS
    coin["Eyes_Closed"] &= glasses != "Sunglasses"
    chosen = {head, glasses, beard, skin}
    return {name: coin.get(name, name in chosen) for name in ATTRIBUTES}


def sample_parts(seed: int, split: str, index: int) -> dict[str, str]:
    """The drawn parts of one avatar, drawn to fit its attributes.

    Names of parts and colours as "#RRGGBB", by the argument of
    `python_avatars.Avatar` that takes them, and `background`.
    """
    attributes = sample_attributes(seed, split, index)
    lot = _lot(seed, split, index, "parts")
    mouth_kind = (attributes["Smiling"], attributes["Mouth_Open"])
    mouth = _pick(lot, _MOUTHS[mouth_kind])
    some_color = _pick(lot, tuple(_HAIR_COLORS.values()))
    hair_color = _of(attributes, {**_HAIR_COLORS, None: some_color})
    return {
        "top": _pick(lot, _tops(attributes)),
        "hat_color": _pick(lot, _HAT_COLORS),
        "hair_color": hair_color,
        "facial_hair_color": hair_color,
        "eyebrows": _pick(lot, _of(attributes, _EYEBROWS)),
        "eyes": _pick(lot, _of(attributes, _EYES)),
        "nose": _pick(lot, ("DEFAULT", "WIDE")),
        "mouth": mouth,
        "facial_hair": _pick(lot, _facial_hair(attributes, mouth)),
        "skin_color": _pick(lot, _of(attributes, _SKIN_COLORS)),
        "accessory": _pick(lot, _of(attributes, _ACCESSORIES)),
        "clothing": _pick(lot, ("SHIRT_CREW_NECK", "HOODIE")),
        "clothing_color": _pick(lot, _CLOTHING_COLORS),
        "background": _pick(lot, _BACKGROUNDS),
    }


def draw(seed: int, split: str, index: int) -> bytes:
    """The image of one avatar, a square PNG of `IMAGE_SIZE` pixels."""
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


def _pick_weighted(lot, weights):
    point = lot.random()
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return name


def _two_of(names):
    return {**dict.fromkeys(names, 0.35), None: 0.3}


def _of(attributes, table):
    """What a table has for the attribute that is true, or for none."""
    return table[next((name for name in table if attributes.get(name)), None)]


def _tops(attributes):
    if attributes["Hat"]:
        return _HATS
    if attributes["Bald"]:
        return ("NONE",)
    return _HAIRCUTS[attributes["Long_Hair"], attributes["Wavy_Hair"]]


def _facial_hair(attributes, mouth):
    if attributes["Mustache"] and mouth == "TWINKLE":
        return ("MOUSTACHE_FANCY",)  # The large one would cover this smile.
    return _of(attributes, _FACIAL_HAIR)


def _render(parts):
    hat = parts["top"] in _HATS
    types = {
        "top": python_avatars.HatType if hat else python_avatars.HairType,
        "eyebrows": python_avatars.EyebrowType,
        "eyes": python_avatars.EyeType,
        "nose": python_avatars.NoseType,
        "mouth": python_avatars.MouthType,
        "facial_hair": python_avatars.FacialHairType,
        "accessory": python_avatars.AccessoryType,
        "clothing": python_avatars.ClothingType,
    }
    drawn = {name: kind[parts[name]] for name, kind in types.items()}
    style = python_avatars.AvatarStyle.TRANSPARENT
    return python_avatars.Avatar(style=style, **{**parts, **drawn}).render()


def _frame_head(svg):
    # The canvas is 264 × 280; the head fills this square of it.
    frame = r'\1 width="180" height="180" viewBox="42 16 180 180"'
    pattern = r'(<svg [^>]*?) width="\S+" height="\S+" viewBox="[^"]+"'
    return re.sub(pattern, frame, svg, count=1)


def main(arguments: list[str]) -> None:
    """Writes avatars of (seed, split, first, end, stride) to standard output.

    Every image follows its length, four bytes, most significant first.
    """
    seed, split, *indices = arguments
    output = sys.stdout.buffer
    for index in range(*map(int, indices)):
        image = draw(int(seed), split, index)
        output.write(struct.pack(">I", len(image)) + image)
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
