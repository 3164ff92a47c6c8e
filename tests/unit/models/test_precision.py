import pytest
import torch
from builders import model_spec

from latentlab.models.precision import BFLOAT16_INSTRUCTIONS, autocast, resolve_precision, shared_settings


@pytest.fixture
def processor(monkeypatch):
    """Gives the processor these capabilities, as torch names them, and nothing else."""

    def pretend(*capabilities):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(capabilities, True))
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)

    return pretend


def used(precision, device="cpu"):
    settings = resolve_precision(model_spec(precision=precision).settings, device)
    return settings.precision, settings.instruction_set


@pytest.mark.parametrize(("capability", "name"), BFLOAT16_INSTRUCTIONS.items())
def test_auto_is_bfloat16_where_the_processor_multiplies_it(processor, capability, name):
    processor(capability, "avx2")
    assert used("auto") == used("bfloat16") == ("bfloat16", name)
    assert used("float32") == ("float32", "AVX2")


def test_auto_is_float32_elsewhere_and_bfloat16_can_be_forced(processor):
    processor("avx2")
    assert used("auto") == used("float32") == ("float32", "AVX2")
    assert used("bfloat16") == ("bfloat16", "AVX2")


def test_amx_is_named_before_avx512(processor):
    processor("avx512_bf16", "amx_bf16")
    assert used("auto") == ("bfloat16", "AMX_BF16")


def test_the_processor_s_instructions_are_not_used_without_onednn(processor, monkeypatch):
    processor("amx_bf16")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert used("auto") == ("float32", "AVX2")


def test_a_gpu_is_named_and_one_without_bfloat16_keeps_float32(monkeypatch):
    for supported, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, answer=supported: answer)
        assert used("auto", "cuda") == (expected, "CUDA")
    assert used("auto", "mps") == ("float32", "MPS")


def test_products_have_the_precision_and_keep_it_in_another_run():
    x = torch.randn(3, 3)
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with autocast(precision):
            assert (x @ x).dtype == dtype
        settings = resolve_precision(model_spec(precision=precision).settings)
        assert resolve_precision(settings) == settings


def test_trainings_on_several_processors_share_no_precision():
    settings = [model_spec(precision=name, instruction_set="AVX2").settings for name in ("float32", "bfloat16")]
    assert shared_settings([settings[0], settings[0]]) == settings[0]
    shared = shared_settings(settings)
    assert (shared.precision, shared.instruction_set, shared.hidden) == ("auto", None, settings[0].hidden)
