"""What can be chosen? Typed settings, said once, without TensorFlow."""

from vaegan_tf.settings.data import DataSettings
from vaegan_tf.settings.experiment import Experiment, groups_of, kinds_with
from vaegan_tf.settings.fields import (
    MAX_SEED,
    REQUIRED,
    Field,
    Settings,
    fields,
    setting,
)
from vaegan_tf.settings.models import (
    AdversarialSettings,
    DiscriminatorSettings,
    DivergenceSettings,
    EncoderSettings,
    FeatureErrorSettings,
    GANSettings,
    GenerativeSettings,
    LearnedMetricVAESettings,
    ModelSettings,
    NetworkSettings,
    PredictorSettings,
    VAEGANSettings,
    VAESettings,
    kinds,
    settings_of,
)
from vaegan_tf.settings.training import (
    EvaluationSettings,
    FeatureSettings,
    OptimisationSettings,
    RunSettings,
)

__all__ = [
    "MAX_SEED",
    "REQUIRED",
    "AdversarialSettings",
    "DataSettings",
    "DiscriminatorSettings",
    "DivergenceSettings",
    "EncoderSettings",
    "EvaluationSettings",
    "Experiment",
    "FeatureErrorSettings",
    "FeatureSettings",
    "Field",
    "GANSettings",
    "GenerativeSettings",
    "LearnedMetricVAESettings",
    "ModelSettings",
    "NetworkSettings",
    "OptimisationSettings",
    "PredictorSettings",
    "RunSettings",
    "Settings",
    "VAEGANSettings",
    "VAESettings",
    "fields",
    "groups_of",
    "kinds",
    "kinds_with",
    "setting",
    "settings_of",
]
