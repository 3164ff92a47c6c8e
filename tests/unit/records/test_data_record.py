import hashlib

from builders import MNIST

from latentlab.records.data import DataRecord, DataRequest

RECORD = DataRecord(
    dataset="MNIST", source="published", folder="resources/MNIST/raw", sha256=MNIST.sha256, validation_size=10
)


def test_a_record_is_the_same_when_it_is_read_again(tmp_path):
    RECORD.write(tmp_path / "record.json")
    assert DataRecord.read(tmp_path / "record.json") == RECORD
    request = DataRequest(data_dir=None, source="auto")
    request.write(tmp_path / "request.json")
    assert DataRequest.read(tmp_path / "request.json") == request
    assert request.to_dict() == {"data_dir": None, "source": "auto"}


def test_the_declaration_is_that_of_the_data_set():
    assert RECORD.declaration is MNIST and not RECORD.is_synthetic


def test_the_digest_is_that_of_all_files_in_the_declared_order():
    expected = hashlib.sha256("".join(MNIST.sha256.values()).encode()).hexdigest()
    assert RECORD.digest == expected
    shuffled = DataRecord(
        dataset="MNIST",
        source="synthetic",
        folder="elsewhere",
        sha256=dict(reversed(MNIST.sha256.items())),
        validation_size=5,
    )
    assert shuffled.digest == expected and shuffled.is_synthetic
