"""A model's codes: what codes.npz holds, and what is measured of them alone."""

from latentlab import analysis, atlas, pca, quality, style, training


def encode(model, splits):
    """Codes and labels of the training and the test images, by the names of codes.npz.

    Args:
        splits: "train" and "test" → images, uint8 `(n, 28, 28)`, and labels `(n,)`; tensors.

    Returns:
        Arrays `{split}_mean` and, of a random code, `{split}_log_var`, `(n, d)`; `{split}_labels` `(n,)`.
    """
    arrays = {}
    for split in ("train", "test"):
        images, labels = splits[split]
        arrays |= {f"{split}_{name}": values for name, values in training.encode(model, images, labels).items()}
        arrays |= {f"{split}_labels": labels.numpy()}
    return arrays


def measure(arrays, test_images, classes):
    """Figures of the arrays of `encode`: `code`, and for a plane also `style`.

    Args:
        test_images: uint8 `(n, 28, 28)`, the ones that were encoded.
        classes: their names.
    """
    train, train_labels, test, test_labels = (
        arrays[f"{split}_{name}"] for split in ("train", "test") for name in ("mean", "labels")
    )
    code = analysis.extent(test) | {
        "neighbour_accuracy": analysis.neighbour_accuracy(train, train_labels, test, test_labels),
        "class_information": style.class_information(test, test_labels),
        "active_units": quality.active_units(test),
        "separation": pca.separation(test, test_labels),
    }
    if test.shape[1] != 2:
        return {"code": code}
    code["overlaps"] = atlas.overlaps(atlas.neighbours(test, test_labels), classes)
    code["empty_mass"] = atlas.empty_mass(train)
    return {"code": code, "style": style.correlations(test, style.measure(test_images))}
