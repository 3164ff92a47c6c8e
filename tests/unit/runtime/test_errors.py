import errno

import pytest

from latentlab.runtime.errors import SYSTEM_ERRORS, UserError, exit_on_user_error, user_message


def test_a_user_error_ends_the_program_with_its_sentence():
    with pytest.raises(SystemExit) as end, exit_on_user_error():
        raise UserError("config: epochs: must be a whole number")
    assert end.value.code == "latentlab: config: epochs: must be a whole number"


def test_any_other_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), exit_on_user_error():
        _ = 1 / 0
    assert user_message(ZeroDivisionError("division by zero")) is None
    assert user_message(OSError(errno.ENOENT, "No such file or directory", "a")) is None


@pytest.mark.parametrize("number", SYSTEM_ERRORS)
def test_what_the_machine_lacks_is_named_with_the_path_and_the_remedy(number):
    message = user_message(OSError(number, "reason", "results/x.json"))
    assert message.startswith(f"results/x.json: {SYSTEM_ERRORS[number]}") and "\n" not in message


def test_a_full_disk_is_recognised_in_the_text_of_another_library_s_error():
    message = user_message(RuntimeError("I/O error: No space left on device (os error 28)"))
    assert message.startswith("results/: the disk is full")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    ],
)
def test_a_lack_of_memory_has_its_own_sentence(error):
    assert user_message(error).startswith("out of memory: close other programs")
