import pathlib
import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = [
    "absl-py>=2.1,<3",
    "importlib_resources>=6",  # TFDS 4.9.10 imports it but does not ask for it
    "jinja2>=3.1.6,<4",
    "keras>=3.14,<3.16",
    "numpy>=1.26,<3",
    "pillow>=10.1,<14",
    "protobuf>=6.31.1,<8",
    "python-avatars>=1.4,<2",
    "requests>=2.21,<3",
    "resvg-py>=0.5,<0.6",
    "scikit-learn>=1.6,<1.10",
    "scipy>=1.13,<1.18",
    "tensorboard>=2.21,<2.22",  # TensorFlow 2.21 no longer brings it
    "tensorflow>=2.21,<2.22",
    "tensorflow-datasets>=4.9.10,<4.10",
    "tqdm>=4.60,<5",
]
BENCH = ["matplotlib>=3.9,<4", "torch>=2.13,<2.14"]
RUFF = "ruff>=0.17,<0.18"  # also formats signatures in the documentation
HUB = ["huggingface-hub>=1,<3"]
ONNX = ["onnxruntime>=1.20,<2", "tf2onnx>=1.17,<1.18"]
TEST = [
    "pytest>=8,<10",
    "pytest-xdist>=3.5,<4",
    "selenium>=4.40,<5",
    *HUB,
    *ONNX,
]
PACKAGE_DATA = [
    "py.typed",
    "explorer/templates/*",
    "export/templates/*",
    "pretrained/avatars64/**",
    "pretrained/templates/*",
    "report/templates/*",
    "templates/*",
]
DOCS = [
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.7,<10",
    "mkdocstrings[python]>=1.0.8,<2",
    "mkdocstrings-python>=2.0.11,<3",
    RUFF,
]


class BuildWithFlags(build_py):
    """Adds flag files, which a checkout has outside the package."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = pathlib.Path(self.build_lib) / "vaegan_tf" / "flags"
            shutil.copytree(ROOT / "flags", folder, dirs_exist_ok=True)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def commands():
    """Every module of `vaegan_tf/cli` that has a `command`."""
    modules = sorted((ROOT / "vaegan_tf" / "cli").glob("*.py"))
    return [m.stem for m in modules if "\ncommand = " in read(m)]


setup(
    name="vaegan-tf",
    version=read("vaegan_tf/version.py").split('"')[-2],
    description="VAE/GAN (Larsen et al., 2016) for Keras 3 and TensorFlow",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    keywords="vae gan vae/gan autoencoder keras tensorflow celeba",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["vaegan_tf", "vaegan_tf.*"]),
    package_data={"vaegan_tf": PACKAGE_DATA},
    cmdclass={"build_py": BuildWithFlags},
    python_requires=">=3.11",
    install_requires=REQUIREMENTS,
    extras_require={
        "test": TEST,
        "dev": [*TEST, "mypy>=2.4,<3", RUFF],
        "docs": DOCS,
        "faces": ["mtcnn>=1,<2"],
        "hub": HUB,
        "onnx": ONNX,
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "bench": BENCH,
        "resnet": ["keras-hub>=0.32,<0.33"],
        "video": ["imageio-ffmpeg>=0.6,<0.9"],
        "wandb": ["wandb>=0.18,<1"],
    },
    entry_points={
        "console_scripts": [
            f"vaegan-{name}=vaegan_tf.cli.{name}:command" for name in commands()
        ]
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
