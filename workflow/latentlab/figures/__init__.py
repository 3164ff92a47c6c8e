"""The figures of the reports. Importing the package registers all of them."""

from latentlab.figures import classification, comparison, embeddings, images, latent, training

__all__ = ["classification", "comparison", "embeddings", "images", "latent", "training"]
