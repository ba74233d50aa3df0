"""Makes the paper's models on the paper's networks, from plain numbers."""

from vaegan_tf.models.gan import GAN
from vaegan_tf.models.learned_metric_vae import LearnedMetricVAE
from vaegan_tf.models.vae import VAE
from vaegan_tf.models.vaegan import VAEGAN
from vaegan_tf.networks import Decoder, Discriminator, Encoder

MODELS = {
    "vae": VAE,
    "gan": GAN,
    "vaegan": VAEGAN,
    "learned_metric_vae": LearnedMetricVAE,
}


def create_model(
    model="vaegan",
    *,
    image_size=64,
    num_channels=3,
    latent_dim=128,
    num_attributes=0,
    width=1.0,
    encoder_units=2048,
    center_codes=False,
    feature_layer=None,
    initializer="glorot",
    weight_decay=0.0,
    synchronized=False,
    **settings,
):
    """A model on the networks of the paper's table 1.

    Args:
        model: `"vae"`, `"gan"`, `"vaegan"` or `"learned_metric_vae"`.
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        latent_dim: Dimension of z.
        num_attributes: Length of the attribute vector; 0 if unconditional.
        width: Multiplies the channels and units of every layer.
        encoder_units: Units of the encoder's fully connected layer.
        center_codes: Whether codes average to 0, see `Encoder`.
        feature_layer: Layer l, see `Discriminator`.
        initializer: `"glorot"` or `"authors"`.
        weight_decay: λ of the penalty λ Σ w² on kernels.
        synchronized: Whether replicas share batch statistics.
        **settings: Arguments of the model's class, such as `gamma`. Those of
            another model are refused.

    Returns:
        The model, built but not compiled. A `learned_metric_vae` still has
        to be given the weights of a trained GAN's discriminator.

    Raises:
        ValueError: If an argument is out of range.
    """
    if model not in MODELS:
        raise ValueError(
            f"`model` must be one of {sorted(MODELS)}. "
            f"Received: model={model!r}."
        )
    shared = {
        "image_size": image_size,
        "num_channels": num_channels,
        "num_attributes": num_attributes,
        "width": width,
        "initializer": initializer,
        "weight_decay": weight_decay,
        "synchronized": synchronized,
    }
    makers = {
        "encoder": lambda: Encoder(
            latent_dim=latent_dim,
            dense_units=encoder_units,
            center_codes=center_codes,
            **shared,
        ),
        "decoder": lambda: Decoder(latent_dim=latent_dim, **shared),
        "discriminator": lambda: Discriminator(
            feature_layer=feature_layer, **shared
        ),
    }
    network_names = MODELS[model].network_names
    networks = {name: makers[name]() for name in network_names}
    return MODELS[model](**networks, **settings)
