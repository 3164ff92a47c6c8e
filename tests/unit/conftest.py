import sys

import pytest


@pytest.fixture(autouse=True)
def keep_denormal_numbers():
    """Training lets the processor flush denormal numbers to zero for the rest of the process, in which hypothesis
    refuses to draw floats."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
