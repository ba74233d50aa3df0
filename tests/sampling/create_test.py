import shutil

import numpy as np
import pytest

from vaegan_tf.runs import Run
from vaegan_tf.sampling import create, create_sampler


@pytest.fixture
def copied(trained, tmp_path):
    """A function from a kind of model to a copy of its run."""

    def copy(kind):
        return Run(shutil.copytree(trained(kind), tmp_path / kind))

    return copy


@pytest.fixture
def fits(monkeypatch):
    """The numbers of components that were fitted, in order."""
    numbers = []
    fit = create.fit_mixture

    def counted(codes, num_components, seed):
        numbers.append(num_components)
        return fit(codes, num_components, seed)

    monkeypatch.setattr(create, "fit_mixture", counted)
    return numbers


@pytest.mark.parametrize("kind", ["vae", "gan"])
def test_prior_and_truncated_need_no_encoder(trained, kind):
    prior = create_sampler(trained(kind))
    assert (prior.name, prior.latent_dim) == ("prior", 4)
    truncated = create_sampler(trained(kind), "truncated", truncation=0.2)
    assert (truncated.name, truncated.truncation) == ("truncated", 0.2)
    assert np.abs(truncated.codes(9, 0)).max() <= 0.2


def test_a_mixture_is_fitted_once_and_kept(copied, fits):
    run = copied("vaegan")
    one = create_sampler(run, "mixture")
    again = create_sampler(str(run.folder), "mixture")
    assert fits == [4]  # 160 images, 4 dimensions
    assert [path.name for path in run.mixture.parent.iterdir()] == [
        "mixture.npz"
    ]
    assert one.name == again.name == "mixture"
    np.testing.assert_array_equal(one.codes(5, 1), again.codes(5, 1))


def test_a_mixture_of_other_components_replaces_it(copied, fits):
    run = copied("vae")
    create_sampler(run, "mixture", num_components=2)
    create_sampler(run, "mixture", num_components=2)
    create_sampler(run, "mixture")
    assert fits == [2]
    assert len(create_sampler(run, "mixture", num_components=3).weights) == 3
    assert fits == [2, 3]


def test_a_mixture_of_another_step_is_stale(copied, fits):
    run = copied("vaegan")
    create_sampler(run, "mixture", num_components=2)
    shutil.rmtree(run.checkpoints / "step-4")
    create_sampler(run, "mixture", num_components=2)
    assert fits == [2, 2]
    create_sampler(run, "mixture")
    assert fits == [2, 2]


def test_a_damaged_mixture_is_fitted_anew(copied, fits):
    run = copied("vaegan")
    whole = create_sampler(run, "mixture").codes(3, 0)
    content = run.mixture.read_bytes()
    for damaged in (content[:100], b"", b"no zip at all"):
        run.mixture.write_bytes(damaged)
        np.testing.assert_allclose(
            create_sampler(run, "mixture").codes(3, 0), whole, rtol=1e-5
        )
    assert len(fits) == 4


def test_a_conditional_model_has_one_mixture_for_all_attributes(copied):
    mixture = create_sampler(copied("conditional"), "mixture")
    assert mixture.codes(6, 0).shape == (6, 4)


def test_a_gan_has_no_mixture(trained):
    message = r"A GAN cannot encode\. Models that can: VAE, VAE/GAN"
    with pytest.raises(ValueError, match=message):
        create_sampler(trained("gan"), "mixture")
    assert not (trained("gan") / "samplers").exists()


def test_samplers_that_are_unknown(trained):
    message = r"`name` must be one of prior, mixture, truncated\. .*'mixtrue'"
    with pytest.raises(ValueError, match=message):
        create_sampler(trained("vae"), "mixtrue")


def test_what_is_no_run_has_no_sampler(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no run: it holds no run\.j"):
        create_sampler(tmp_path, "prior")


def test_a_predictor_has_no_codes(trained):
    message = r"A predictor cannot sample\. Models that can: VAE, GAN"
    with pytest.raises(ValueError, match=message):
        create_sampler(trained("predictor"), "prior")
