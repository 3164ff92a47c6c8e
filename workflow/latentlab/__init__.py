"""latentlab: from a coursework assignment on latent spaces to the page a student hands in."""

import gc

# To import torch is to make a million objects, none of them garbage: to look for it at the usual pace takes a fifth of
# the time.
gc.set_threshold(100_000)

# A large block that is freed goes back to the system (glibc), and its pages are met anew at every step of a training,
# unless a block as large was freed before: the largest that counts is one of 32 MiB.
bytearray(32_000_000)
