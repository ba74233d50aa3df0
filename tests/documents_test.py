"""What README, guides and scripts say of files, flags and commands."""

import importlib
import pathlib
import re
import shlex

import pytest

from vaegan_tf.cli import flags, train

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FENCE = re.compile(r"```.*?```", re.DOTALL)
SHELL = re.compile(r"```(?:bash|sh)\n(.*?)```", re.DOTALL)
FLAG_FILE = re.compile(r"--flagfile=([\w./$-]+)")


def name(path):
    return path.relative_to(ROOT).as_posix()


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def anchors(path):
    """What GitHub and MkDocs call the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", read(path)), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links_lead_somewhere(path):
    for link in LINK.findall(CODE.sub("", read(path))):
        target, _, anchor = link.partition("#")
        if ":" in target:
            continue
        place = (path.parent / target).resolve() if target else path
        assert place.exists(), link
        # The tables of settings are made when the site is built.
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), link


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "Makefile"], ids=name)
def test_flag_files_exist(path):
    if path.name == "CHANGELOG.md":
        pytest.skip("It also names what there was.")
    for file in FLAG_FILE.findall(read(path)):
        if file.startswith("runs/"):
            continue  # What a run has written.
        names = [file.replace("$model", model) for model in ("vae", "gan")]
        for each in names:
            assert flags.expand([f"--flagfile={each}"])


def commands():
    """Commands of the package in blocks of code, by document and line."""
    found = {}
    for path in DOCUMENTS:
        for block in SHELL.findall(read(path)):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.search(r"\bvaegan-[^&;]*", line)
                if command and "$" not in line:
                    line = " ".join(command[0].rstrip(" '").split())
                    found[f"{name(path)}: {line}"] = line
    return found


@pytest.mark.parametrize("line", commands().values(), ids=commands())
def test_commands_are_understood(line):
    program, *arguments = shlex.split(line, comments=True)
    if any(word.startswith("--import=") for word in arguments):
        pytest.skip("It imports a module of the reader's.")
    module = importlib.import_module(
        f"vaegan_tf.cli.{program.removeprefix('vaegan-')}"
    )
    assert module.command.parse(arguments)


def test_readme_knows_how_long_the_demo_is():
    _, _, _, optimisation, *_ = train.command.parse(["--flagfile=demo"])
    steps = str(optimisation.train_steps)
    assert set(re.findall(r"export/(\d+)", read("README.md"))) == {steps}


def marked_command(marker):
    """The one line of the code block below a comment that names it."""
    _, _, after = read("README.md").partition(f"<!-- {marker} -->\n")
    assert after, f"README.md has no {marker}"
    assert f"<!-- {marker} -->" not in after
    fence, line, end, *_ = after.splitlines()
    assert (fence, end) == ("```bash", "```")
    return line


def test_readme_has_each_of_its_two_commands_in_one_line():
    demo = marked_command("demo command")
    test = marked_command("test command")
    assert demo.endswith("vaegan-train --flagfile=flags/demo.flags")
    assert test.endswith("-m pytest")
    environment = "python3.11 -m venv .venv && .venv/bin/pip install "
    assert demo.startswith(environment)
    assert test.startswith(environment)


def test_ci_runs_the_test_command_of_the_readme():
    script = read(".ci/run")
    # It reads the command from there, and has none of its own.
    assert "<!-- test command -->" in script
    assert "README.md" in script
    assert "pytest" not in script


def test_ci_checks_lint_format_types_and_documentation():
    script = read(".ci/run")
    for line in (
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "NO_MKDOCS_2_WARNING=1 mkdocs build --strict",
    ):
        assert line in script.splitlines()
    # pytest's last line says how many tests passed.
    assert script.splitlines()[-1] == 'echo "$closing"'
