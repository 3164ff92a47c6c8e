"""latentlab: from a coursework assignment on latent spaces to the page a student hands in."""

import gc

# To import torch is to make a million objects, none of them garbage: to look for it at the usual pace takes a fifth of
# the time.
gc.set_threshold(100_000)
