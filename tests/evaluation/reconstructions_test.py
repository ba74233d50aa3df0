import numpy as np
import pytest

from vaegan_tf.evaluation.reconstructions import psnr, ssim


@pytest.fixture
def pair():
    """Two images of 16×20 pixels, and the same with noise."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2, 16, 20, 3), np.uint8)
    noise = generator.integers(-40, 41, (2, 16, 20, 3))
    return images, np.clip(images + noise, 0, 255).astype(np.uint8)


def constant(level):
    return np.full((1, 16, 16, 1), level, np.uint8)


def test_psnr_of_a_known_difference():
    # 20 log₁₀(255 / 10).
    found = psnr(constant(100), constant(110))
    np.testing.assert_allclose(found, [20 * np.log10(25.5)], rtol=1e-12)


def test_psnr_of_equal_images_is_finite():
    np.testing.assert_allclose(psnr(constant(7), constant(7)), [100.0])


def test_psnr_agrees_with_scikit_image(pair):
    # scikit-image 0.26, peak_signal_noise_ratio.
    expected = [21.361668025075502, 21.06873039327567]
    np.testing.assert_allclose(psnr(*pair), expected, rtol=1e-10)


def test_ssim_agrees_with_scikit_image(pair):
    # structural_similarity(gaussian_weights=True, sigma=1.5,
    # use_sample_covariance=False), as in Wang et al.
    expected = [0.9586652992842208, 0.9557395912190924]
    np.testing.assert_allclose(ssim(*pair), expected, rtol=1e-10)


def test_ssim_of_flat_images():
    # No structure: (2 μ₁ μ₂ + c₁) / (μ₁² + μ₂² + c₁), the levels in [0, 1].
    one, other, c1 = 51 / 255, 204 / 255, 0.01**2
    expected = (2 * one * other + c1) / (one**2 + other**2 + c1)
    found = ssim(constant(51), constant(204))
    np.testing.assert_allclose(found, [expected], rtol=1e-10)


def test_ssim_of_equal_images_is_one(pair):
    images, _ = pair
    np.testing.assert_allclose(ssim(images, images), 1.0, rtol=1e-12)


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_each_pair_is_measured_by_itself(measure, pair):
    one, other = (images[1:] for images in pair)
    np.testing.assert_allclose(measure(*pair)[1:], measure(one, other))
