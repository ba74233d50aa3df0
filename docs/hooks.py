"""What the site holds beside the pages in `docs/`.

Documents outside `docs/` become pages at the paths that they have in the
repository, and links between documents, written so that they work in the
repository, are rewritten to work in the site. The tables of settings are made
of the dataclasses in `vaegan_tf.settings`.
"""

import dataclasses
import inspect
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from vaegan_tf import settings  # noqa: E402 - needs no TensorFlow

DOCUMENTS = (
    "BUILD.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
)
OTHER_FILES = (
    "benchmarks/curves.png",
    "benchmarks/scaling.png",
    "examples/vaegan.ipynb",
)
MARKER = "<!-- tables of settings -->"
README = "README.md"
HEADER = (
    "| field | default | values | meaning | may change on resume |",
    "|---|---|---|---|---|",
)

# Code first, so that what looks like a link in it stays as it is.
_LINK = re.compile(
    r"```.*?```|`[^`\n]*`|(!?\[[^\]]*\])\(([^)#\s]+)(#[^)\s]*)?\)", re.DOTALL
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds documents and files that lie outside `docs/`."""
    for path in (*DOCUMENTS, *OTHER_FILES):
        files.append(
            File.generated(config, path, abs_src_path=str(ROOT / path))
        )
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Rewrites links, and fills in the tables of settings."""
    source = page.file.src_uri
    outside = source in DOCUMENTS
    here = source if outside else posixpath.join("docs", source)
    if MARKER in markdown:
        markdown = markdown.replace(MARKER, settings_tables())
    return _LINK.sub(lambda match: _site_link(match, here, source), markdown)


def _site_link(match, here, source):
    """A link as it must stand in the site; links to code become plain text.

    Args:
        match: The link as it stands in the repository, or code.
        here: Its document's path in the repository.
        source: Its document's path in the site.
    """
    text, link, anchor = match[1], match[2], match[3] or ""
    if not link or ":" in link:
        return match[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), link))
    if not target.endswith((".md", ".png", ".ipynb")):
        return text[1:-1]
    target = "index.md" if target == README else target.removeprefix("docs/")
    target = posixpath.relpath(target, posixpath.dirname(source) or ".")
    return f"{text}({target}{anchor})"


def settings_tables() -> str:
    """One section for each group of settings, as Markdown."""
    groups = settings_groups()
    return "\n\n".join(_section(group, groups) for group in groups)


def settings_groups() -> list[type]:
    """The dataclasses of settings in the order of their source."""
    public = [getattr(settings, name) for name in settings.__all__]
    groups = [
        group
        for group in public
        if isinstance(group, type)
        and issubclass(group, settings.Settings)
        and dataclasses.is_dataclass(group)
        and dataclasses.fields(group)
    ]
    return sorted(groups, key=lambda g: (g.__module__, _line(g)))


def _line(group):
    return inspect.getsourcelines(group)[1]


def _section(group, groups):
    """Heading, meaning, table of own fields, and where the others come from."""
    parts = [f"### `{group.__name__}`", inspect.getdoc(group)]
    own = [
        field
        for name, field in settings.fields(group).items()
        if name in group.__annotations__
    ]
    if own:
        parts.append("\n".join([*HEADER, *[_row(field) for field in own]]))
    bases = [
        f"[`{base.__name__}`](#{base.__name__.lower()})"
        for base in group.__bases__
        if base in groups
    ]
    if bases:
        parts.append(f"Includes the settings of {', '.join(bases)}.")
    return "\n\n".join(parts)


def _row(field):
    values = ", ".join(f"`{choice}`" for choice in field.choices or ())
    cells = (
        f"`{field.name}`",
        "" if field.default is settings.REQUIRED else _text(field.default),
        values or field.bounds,
        field.help,
        "yes" if field.changeable else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(value):
    """A default as one types it in Python; nothing for `None`."""
    return "" if value is None else f"`{value!r}`"
