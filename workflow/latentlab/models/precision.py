"""The precision of matrix products in training. Weights, sums and the optimizer are float32 in any case, and so is all
evaluation."""

from collections.abc import Sequence

import msgspec
import torch

from latentlab.records.settings import ModelSettings

# Instructions that multiply bfloat16 in hardware, the fastest first: torch's name of the capability → the usual name.
BFLOAT16_INSTRUCTIONS = {
    "amx_bf16": "AMX_BF16",
    "avx512_bf16": "AVX512_BF16",
    "sve_bf16": "SVE_BF16",
    "bf16": "NEON_BF16",
}


def resolve_precision(settings: ModelSettings, device: str = "cpu") -> ModelSettings:
    """The settings with the precision that a training on `device` uses, and the instruction set of its products.

    `precision: auto` becomes bfloat16 where that is multiplied in hardware, for it is faster and models come out
    equally good, and float32 elsewhere.
    """
    hardware = bfloat16_instructions(device)
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if hardware else "float32"
    default = torch.backends.cpu.get_cpu_capability() if device == "cpu" else device.upper()
    instruction_set = hardware if precision == "bfloat16" and hardware else default
    return msgspec.structs.replace(settings, precision=precision, instruction_set=instruction_set)


def shared_settings(settings: Sequence[ModelSettings]) -> ModelSettings:
    """The settings of several trainings of one model config. If their precisions or instruction sets differ, as on a
    cluster of several kinds of processors, none is named."""
    if len({(each.precision, each.instruction_set) for each in settings}) == 1:
        return settings[0]
    return msgspec.structs.replace(settings[0], precision="auto", instruction_set=None)


def bfloat16_instructions(device: str = "cpu") -> str | None:
    """The instructions with which `device` multiplies bfloat16 in hardware; None if it has none."""
    if device == "cuda":
        return "CUDA" if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device != "cpu" or not torch.backends.mkldnn.is_available():  # without oneDNN torch does not use them
        return None
    capabilities = torch.cpu.get_capabilities()
    return next((name for key, name in BFLOAT16_INSTRUCTIONS.items() if capabilities.get(key)), None)


def autocast(precision: str, device: str = "cpu") -> torch.autocast:
    """The context in which matrix products have this precision, float32 or bfloat16."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")
