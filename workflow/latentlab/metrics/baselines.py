"""Discriminative classifiers on the same images, as baselines for a model that classifies by Bayes' rule."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from latentlab.metrics.classification import measure_predictions
from latentlab.metrics.neighbours import N_NEIGHBOURS, neighbour_accuracy
from latentlab.metrics.reference_classifier import ReferenceClassifier, class_probabilities
from latentlab.models.inputs import to_pixels
from latentlab.models.train import Split
from latentlab.records.metrics import BaselineMetrics, NeighbourBaseline, Predictions

LOGISTIC_STEPS = 100  # of L-BFGS


def evaluate_baselines(
    train: Split, test: Split, classifier: ReferenceClassifier, epochs: int, dataset: str, data: str
) -> BaselineMetrics:
    """What discriminative classifiers reach on the same images.

    `neighbours`: the majority among the 5 nearest training images, by pixels. `logistic`: multinomial logistic
    regression on pixels, at most `LOGISTIC_STEPS` steps of L-BFGS, with scikit-learn's default L2 penalty. `cnn`: the
    reference classifier.

    Args:
        epochs: of the reference classifier.
        dataset, data: name and digest of the data.
    """
    (x, y), (test_x, test_y) = ((to_pixels(images).numpy(), labels.numpy()) for images, labels in (train, test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        logistic = LogisticRegression(max_iter=LOGISTIC_STEPS).fit(x, y)

    cnn = class_probabilities(classifier, test_x)
    probabilities = logistic.predict_proba(test_x)
    logistic_probabilities = np.zeros((len(test_x), cnn.shape[1]), probabilities.dtype)
    logistic_probabilities[:, logistic.classes_] = probabilities

    def measure(probabilities: np.ndarray) -> Predictions:
        return measure_predictions(np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)), test_y)

    return BaselineMetrics(
        dataset=dataset,
        data=data,
        neighbours=NeighbourBaseline(accuracy=neighbour_accuracy(x, y, test_x, test_y), k=N_NEIGHBOURS),
        logistic=measure(logistic_probabilities),
        logistic_steps=LOGISTIC_STEPS,
        cnn=measure(cnn),
        cnn_epochs=epochs,
    )
