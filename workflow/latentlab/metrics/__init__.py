"""Everything that is measured of data, models and latent spaces."""
