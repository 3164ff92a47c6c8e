"""latentlab: from a coursework assignment on latent spaces to the report that a student hands in."""

import gc
import signal
import sys

# On Ctrl-C a job ends at once: the run says what happened, and a traceback of each job would add nothing.
if ".snakemake/scripts/" in sys.argv[0]:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# Importing torch creates a million objects, none of them garbage; collecting at Python's usual rate takes a fifth of
# the import's time.
gc.set_threshold(100_000)

# glibc returns large freed blocks to the system, so that every training step would fault their pages in again, unless a
# block as large has been freed before; the largest that counts is 32 MiB.
bytearray(32_000_000)
