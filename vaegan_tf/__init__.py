"""VAE/GAN (Larsen et al., 2016) for Keras 3 and TensorFlow."""
