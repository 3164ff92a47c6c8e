"""What the pipeline measures: the contents of every metrics file, one record a file.

Unless a docstring says otherwise, losses and likelihoods are in nats per image, summed over pixels and latent
dimensions and averaged over images; shares, accuracies and probabilities run from 0 to 1; squared errors are per pixel,
pixels running from 0 to 1. Fields with a default are left out of the file where they do not apply.
"""

from typing import Literal

from latentlab.records.base import Record
from latentlab.records.settings import ModelSettings

Method = Literal["elbo", "importance_weighted", "quadrature"]


class MeanStd(Record, frozen=True):
    """Means and sample standard deviations over seeds, one for each point of a sweep; 0 for one seed."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


# --- metrics.json: one model ------------------------------------------------------------------------------------------


class Losses(Record, frozen=True):
    """The terms of the objective on the test images with β = 1, whatever β the model was trained with, and errors of
    the reconstruction of grey images from their codes. The terms are means over at least ten draws of z for each image,
    and one draw of the pixels of a binary model. Those of a model without an encoder are integrals over p(z|x), in
    place of q(z|x), and their sum is −log p(x) itself."""

    reconstruction: float
    """−log p(x|z) in expectation over q(z|x)."""
    reconstruction_floor: float
    """The least −log p(x|z) that any decoder could reach on these images: the entropy of grey pixels under
    cross-entropy, and the normalising constant of a Gaussian. It says nothing of the model."""
    squared_error: float
    root_squared_error: float
    background_error: float
    """Squared error over the pixels that are 0 in their image; 0 if there are none."""
    ink_error: float
    """Squared error over all other pixels; 0 if there are none."""
    kl: float | None = None
    """KL(q(z|x) ‖ p(z)); only of a model with a prior."""
    negative_elbo: float | None = None
    """reconstruction + kl; only of a VAE."""


class Likelihoods(Record, frozen=True):
    """A better estimate than the ELBO of log p(x), or of log p(x|y) if the model is conditional; of the same pixels."""

    normalised: bool
    """False for cross-entropy on grey pixels, which is a loss and not a normalised log-likelihood."""
    log_likelihood: float | None = None
    """By quadrature over the latent space; only for one or two latent dimensions."""
    gap: float | None = None
    """log_likelihood minus the ELBO; only of a VAE of one or two latent dimensions."""
    median_gap: float | None = None
    """The median over images of the same difference."""
    quadrature_error: float | None = None
    """Mean absolute change of an image's log_likelihood when the resolution of the quadrature is doubled, plus that
    when its range is, over 100 images; only for one or two latent dimensions."""
    importance_weighted: float | None = None
    """The importance-weighted bound (Burda et al. 2016); only for more than two latent dimensions."""
    samples: int | None = None
    """Draws of z per image that the importance-weighted bound uses."""


class ByClass(Record, frozen=True):
    """A measure of each class, and its mean over all images."""

    mean: float
    classes: tuple[float, ...]


class Separation(Record, frozen=True):
    """How far the classes keep apart among points."""

    silhouette: ByClass
    """Silhouette coefficient, −1 to 1 (Rousseeuw 1987)."""
    neighbour_accuracy: ByClass
    """Share of points whose class is the majority's among their five nearest other points."""


class LatentMetrics(Record, frozen=True):
    """Measures of the test images' codes: the means of q(z|x), an autoencoder's points, or without an encoder the modes
    of p(z|x). The fields `std`, `low` and
    `high` hold one number for each latent dimension, in units of z."""

    std: tuple[float, ...]
    low: tuple[float, ...]
    """1 % quantile."""
    high: tuple[float, ...]
    """99 % quantile."""
    neighbour_accuracy: float
    """Share of test codes whose class is the majority's among their five nearest training codes."""
    mutual_information: float
    """Held-out lower bound on the mutual information of code and class, nats."""
    active_units: int
    """Latent dimensions whose posterior mean varies by more than 0.01 (Burda et al. 2016)."""
    separation: Separation
    overlaps: tuple[tuple[str, str, float], ...] | None = None
    """Pairs of classes that overlap most in the plane, with the share of neighbours they take from each other."""
    centres: tuple[tuple[float, float] | None, ...] | None = None
    """The median code of each class, null for a class without codes; only of a plane."""


class ShapeCorrelations(Record, frozen=True):
    """Spearman's rank correlation of each latent dimension with a measure of the image, −1 to 1."""

    slant: tuple[float, ...]
    thickness: tuple[float, ...]
    width: tuple[float, ...]
    ink: tuple[float, ...]


class Convergence(Record, frozen=True):
    """When training converged, in epochs counted from 1."""

    best_epoch: int
    """The epoch with the lowest validation loss."""
    converged_epoch: int
    """The first epoch whose validation loss lies within 1 % of its whole decrease from the lowest."""
    kl: tuple[float, float] | None = None
    """KL term of the validation images after the first and after the last epoch; only of a VAE."""
    reconstruction: tuple[float, float] | None = None
    """The same of the reconstruction term."""


class WorstReconstruction(Record, frozen=True):
    """A test image that is reconstructed with one of the largest errors."""

    index: int
    """Among the test images."""
    label: int
    squared_error: float


class LayerSummary(Record, frozen=True):
    """One layer of a network that has weights or changes the shape of what passes through it."""

    part: Literal["encoder", "decoder"]
    layer: str
    """Its class in torch.nn."""
    shape: tuple[int, ...]
    """Shape of its output for one image."""
    parameters: int
    kernel_size: int | None = None
    """Pixels, like stride and padding; only of convolutions and pooling."""
    stride: int | None = None
    padding: int | None = None
    activation: str | None = None
    """The class in torch.nn of the activation that follows it."""


class ModelMetrics(Record, frozen=True):
    """metrics.json: what is measured of every evaluated model."""

    model: str
    """The name of the model config."""
    dataset: str
    seed: int
    latent_dim: int
    settings: ModelSettings
    parameters: int
    layers: tuple[LayerSummary, ...]
    training: Convergence
    test: Losses
    latents: LatentMetrics
    worst: tuple[WorstReconstruction, ...]
    """The five test images with the largest errors, the largest first."""
    data: str
    """SHA-256 (hex) of the data's files."""
    weights: str
    """SHA-256 (hex) of the weights file."""
    versions: dict[str, str]
    """Package → version."""
    likelihood: Likelihoods | None = None
    """On the test images; only of a model with a prior."""
    shape_correlations: ShapeCorrelations | None = None
    """Of the test images' codes; only of a plane."""


# --- plane.json, grids.json, conditions.json, failures.json: a latent plane -----------------------------------------


class Axes(Record, frozen=True):
    """Positions along both latent axes of a grid, ascending, in units of z."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Grids(Record, frozen=True):
    """grids.json: the axes of each decoder grid."""

    grid: Axes
    """The range that config.yaml names."""
    quantiles: Axes
    """Steps of equal probability under the prior."""
    occupied: Axes
    """The range that holds the central 98 % of the training codes in each dimension."""


class Landmark(Record, frozen=True):
    """A picture of a decoder grid that is worth a closer look."""

    row: int
    """Of the grid, from the top, 0 for the first; `column` is that from the left."""
    column: int
    nearest: int
    """Class of the nearest training image, in the features of the reference classifier."""
    realism: float
    """Below 1 it does not pass as real (`Failure.realism`)."""


class Coverage(Record, frozen=True):
    """How many images of a decoder grid pass as real, and as which classes."""

    precision: float
    """Share that passes as real: it lies within the third-nearest-neighbour distance of some training image, in the
    features of the reference classifier (Kynkäänniemi et al. 2019)."""
    class_share: tuple[float, ...]
    """Share that passes as real and whose nearest training image has each class; the sum is `precision`."""
    typical: tuple[Landmark, ...]
    """Of each of the three classes with the largest shares, the picture that is closest to a training image."""
    unrealistic: tuple[Landmark, ...]
    """The three least realistic pictures that do not pass as real, at least a quarter of the grid apart."""
    inner: float | None = None
    """Share that passes as real of the pictures within two standard deviations of the prior; left out if the grid has
    none there."""
    outer: float | None = None
    """The same beyond three standard deviations."""


class InterpolationSmoothness(Record, frozen=True):
    """How decoded images change along straight lines between the codes of test images."""

    steps: int
    """Of each line."""
    max_step_ratio: float
    """Median over the lines of the largest step divided by the mean step, steps being distances of successive
    images."""
    max_step_ratio_interval: tuple[float, float]
    """Its 95 % interval, by a bootstrap over the lines."""
    precision: float
    """Share of the images between the ends that passes as real."""
    ends_precision: float
    """Share of the images at the ends that passes as real: those of the codes themselves."""


class PlaneMetrics(Record, frozen=True):
    """plane.json: what the decoder makes of the latent plane."""

    grid: Coverage
    occupied: Coverage
    low: float
    """Lower end of both axes of the decoder grid."""
    high: float
    within_grid: float
    """Share of the test codes inside the decoder grid."""
    interpolations: InterpolationSmoothness
    reconstructions: float
    """Share of the reconstructions of test images that passes as real."""
    real: float
    """Share of the test images themselves that passes as real."""
    samples: float | None = None
    """Share of images decoded from draws of the prior that passes as real; only of a model with a prior."""
    change_per_unit: float | None = None
    """How much a decoded picture changes per unit of z: the mean over draws of the prior of ‖∂x/∂z‖, the root of the
    squared derivatives summed over pixels and latent dimensions; only of a model with a prior."""


class ConditionGrids(Record, frozen=True):
    """conditions.json: the decoder grids of a conditional model, one for each chosen label, on the same axes."""

    labels: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    within_grid: float
    """Share of all test codes inside the grid."""


class Failure(Record, frozen=True):
    """A position of the plane at which the decoder fails."""

    index: int
    """Of the position among those that were decoded."""
    z: tuple[float, float]
    kind: Literal["unrealistic", "ambiguous"]
    realism: float
    """The largest ratio of a training image's neighbour distance to its distance from the image, in the features of the
    reference classifier (Kynkäänniemi et al. 2019): below 1 the image does not pass as real."""
    confidence: float
    """Largest class probability by the reference classifier."""


class FailureShares(Record, frozen=True):
    """Shares of images that fail."""

    unrealistic: float
    """Realism below 1."""
    ambiguous: float
    """No class has a probability of `confidence_limit`."""


class FailureMetrics(Record, frozen=True):
    """failures.json: where the decoder fails within reach of the prior, the worst of each kind first."""

    failures: tuple[Failure, ...]
    share: FailureShares
    """Of the images decoded within reach of the prior."""
    real: FailureShares
    """Of the test images, by the same measures."""
    confidence_limit: float
    """An image is ambiguous if the reference classifier gives no class this probability."""


# --- classifier.json and baselines: classification --------------------------------------------------------------------


class ReliabilityBin(Record, frozen=True):
    """Predictions of similar confidence."""

    share: float
    confidence: float
    accuracy: float


class Predictions(Record, frozen=True):
    """How good predicted class probabilities are."""

    accuracy: float
    nll: float
    """Negative log-likelihood of the true labels, nats per image."""
    ece: float
    """Expected calibration error (Naeini et al. 2015)."""
    bins: tuple[ReliabilityBin, ...]


class MethodPredictions(Predictions, frozen=True):
    """Predictions by Bayes' rule with one way to compute log p(x|y)."""

    temperature: float
    """Fitted on the validation images (Guo et al. 2017)."""
    temperature_scaled: Predictions
    confusion: tuple[tuple[int, ...], ...]
    """Counts; true labels down the rows."""


class Mistake(Record, frozen=True):
    """A confident wrong prediction on a test image."""

    index: int
    label: int
    predicted: int
    confidence: float


class Confusion(Record, frozen=True):
    """A label and an answer that is often given in its place."""

    label: int
    answer: int
    share: float
    """Of the label's test images."""
    indices: tuple[int, ...]
    """Test images so answered, the most confident first."""


class ClassifierMetrics(Record, frozen=True):
    """classifier.json: a conditional VAE as a classifier by Bayes' rule."""

    model: str
    dataset: str
    seed: int
    latent_dim: int
    settings: ModelSettings
    methods: dict[Method, MethodPredictions]
    """Quadrature for one or two latent dimensions, both bounds for more."""
    best: Method
    """The method closest to the model's own posterior."""
    mistakes: tuple[Mistake, ...]
    """Of the best method after temperature scaling, the most confident first."""
    confusions: tuple[Confusion, ...]
    """The four most frequent ones of the best method, the most frequent first."""
    samples: int | None = None
    """Draws of z for each image and label that the bounds use."""
    quadrature_error: float | None = None
    """Mean absolute change of log p(x|y) when the resolution of the quadrature is doubled, plus that when its range is,
    over 100 images under one label."""


class OODMetrics(Record, frozen=True):
    """ood.json: how well log p(x) of a conditional model tells the test images from out-of-distribution (OOD) ones."""

    dataset: str
    """Whose test images serve as OOD images."""
    synthetic: bool
    """Whether these images are synthetic, because the published ones were not at hand."""
    method: Method
    """How log p(x|y) was computed."""
    auroc: float
    """Probability that a test image has a higher score than an OOD image. The score is log p(x) minus the highest
    log-probability that any decoder could give that image: cross-entropy of grey pixels is bounded by their entropy,
    which differs between data sets and says nothing of the model."""


class NeighbourBaseline(Record, frozen=True):
    """k nearest neighbours in pixels."""

    accuracy: float
    k: int


class BaselineMetrics(Record, frozen=True):
    """results/baselines/{dataset}.json: discriminative classifiers on the same images."""

    dataset: str
    data: str
    """SHA-256 (hex) of the data's files."""
    neighbours: NeighbourBaseline
    logistic: Predictions
    logistic_steps: int
    """Of L-BFGS, at most."""
    cnn: Predictions
    cnn_epochs: int


# --- notebook.json: a model that a notebook trains ------------------------------------------------------------------


class AxisCorrelations(Record, frozen=True):
    """Spearman's rank correlation of each latent dimension with a measure of the test images, computed within each
    class, −1 to 1."""

    mean: tuple[float, ...]
    """Mean over the classes."""
    classes: tuple[tuple[float, ...], ...]
    """Of each class: one number for each latent dimension."""


class FailingShares(Record, frozen=True):
    """Shares of images that do not look like real ones."""

    ambiguous: float
    """A small classifier, which the notebook trains, gives no class a probability of 0.6."""
    blurred: float
    """More of the ink is grey than in 99 % of the training images."""


class NotebookFailures(Record, frozen=True):
    """Images decoded within two standard deviations of the prior, and what they are compared with."""

    classifier_accuracy: float
    """Of the small classifier on the test images."""
    decoded: FailingShares
    """Of images decoded at evenly spaced positions."""
    reconstructions: FailingShares
    """Of the reconstructions of the test images."""
    real: FailingShares
    """Of the test images."""
    purity_ambiguous: float | None = None
    """Share of the commonest class among the 20 training codes nearest to a position, mean over the positions of
    ambiguous images; left out if there is none."""
    purity_certain: float | None = None
    """The same over the other positions; left out if there is none."""


class NotebookClassifier(Record, frozen=True):
    """The conditional model as a classifier, by Bayes' rule with log p(x|y) integrated over a grid."""

    accuracy: float
    integration_error: float
    """Mean absolute change of log p(x|y) on a grid twice as fine, nats, over 500 images under one label."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts; true labels down the rows."""
    most_confused: tuple[tuple[int, int, float], ...]
    """True label, predicted label and the share of that label's images; the largest share first."""


class NotebookMetrics(Record, frozen=True):
    """notebook.json: what the cells of a notebook measured of a model that they trained, on the test images."""

    reconstruction: float
    """−log p(x|z) in expectation over q(z|x)."""
    reconstruction_constant: float
    """The normalising constant of the Gaussian likelihood, which `reconstruction` includes."""
    kl: float
    """KL(q(z|x) ‖ p(z))."""
    negative_elbo: float
    """reconstruction + kl."""
    squared_error: float
    """Of the reconstruction from the mean of q(z|x)."""
    mean_image_error: float
    """Squared error of the mean training image in place of every reconstruction."""
    reconstructions_recognised: float
    """Share of reconstructions from the mean of q(z|x) that the small classifier assigns to their image's class."""
    neighbour_accuracy: float
    """Share of test codes whose class is the majority's among their five nearest training codes."""
    class_accuracy: tuple[float, ...]
    """The same share of each class."""
    chance: float
    """Share of the commonest class."""
    overlaps: tuple[tuple[int, int, float], ...]
    """Pairs of classes that five neighbours take for each other most often: mean of both shares."""
    centres: tuple[tuple[float, float], ...]
    """Mean code of each class, units of z, like `centre_distance` and `std`."""
    centre_distance: float
    """Of the farthest of `centres` from the origin."""
    std: tuple[float, ...]
    """Of the codes, in each latent dimension."""
    samples: FailingShares
    """Of images decoded from draws of the prior."""
    slant: AxisCorrelations
    width: AxisCorrelations
    """About the slanted axis."""
    thickness: AxisCorrelations
    """Of the strokes."""
    failures: NotebookFailures | None = None
    """Only of an unconditional model."""
    samples_recognised: float | None = None
    """Share of samples that the small classifier takes for the class that they were decoded for; only of a conditional
    model, like `classifier`."""
    grids_recognised: float | None = None
    """The same share of the grids that are decoded under the labels of `conditions`."""
    classifier: NotebookClassifier | None = None


# --- sweep.json, pca_comparison.json, projections.json, augmentation.json, restorations.json --------------------------


class SweepPoint(Record, frozen=True):
    """sweep_point.json: what a sweep shows of one training, on the test images."""

    model: str
    """The name of the model config."""
    settings: ModelSettings
    latent_dim: int
    seed: int
    weights: str
    """SHA-256 (hex) of the weights file."""
    squared_error: float
    negative_elbo: float
    reconstruction: float
    kl: float
    active_units: int
    informative_units: int
    """The fewest latent dimensions that together hold 95 % of the KL term."""
    validation_loss: float
    """After the last epoch."""
    importance_weighted: float
    """The importance-weighted bound on log p(x), at every dimension, so that all points are comparable."""
    frechet: float
    """Squared Fréchet distance of samples to test images, in the features of the reference classifier; not FID."""


class SweepMetrics(Record, frozen=True):
    """sweep.json: one model config at every latent dimension and seed."""

    model: str
    settings: ModelSettings
    dims: tuple[int, ...]
    seeds: int
    weights: tuple[str, ...]
    """SHA-256 (hex) of each weights file."""
    squared_error: MeanStd
    negative_elbo: MeanStd
    reconstruction: MeanStd
    kl: MeanStd
    active_units: MeanStd
    informative_units: MeanStd
    """The fewest latent dimensions that together hold 95 % of the KL term."""
    validation_loss: MeanStd
    """After the last epoch."""
    importance_weighted: MeanStd
    frechet: MeanStd
    """Squared Fréchet distance of samples to test images, in the features of the reference classifier; not FID."""
    frechet_real: float
    """That of held-out real images: what perfect samples would reach."""
    pca: tuple[float, ...]
    """Squared error of PCA on the test images at each dimension."""
    best_dim: int
    """The dimension with the lowest mean validation loss."""
    saturation_dim: int
    """The smallest dimension whose validation loss cannot be told from that of the best: the 95 % interval of their
    difference over seeds (Student's t) holds 0. With one seed it is the best dimension."""
    saturation_interval: tuple[float, float] | None = None
    """That interval, nats; left out where both dimensions are the same."""


class PCAComparison(Record, frozen=True):
    """pca_comparison.json: an autoencoder at several latent dimensions beside PCA. Sequences run over `dims`."""

    model: str
    """The name of the model config."""
    settings: ModelSettings
    dims: tuple[int, ...]
    rank: int
    """Of the training pixels' covariance."""
    error: tuple[float, ...]
    """Squared error of the autoencoder on the test images."""
    pca: tuple[float, ...]
    """Squared error of PCA on the test images."""
    noise: tuple[float, ...]
    """Squared error of the autoencoder on noise, as a share of the noise's variance: 0 copies everything."""
    noise_pca: tuple[float, ...]
    angle: tuple[float | None, ...]
    """Largest principal angle between both subspaces, degrees; null where the decoder is not linear or the dimension
    is not below the rank."""
    median_angle: tuple[float | None, ...]
    next_variance: tuple[float | None, ...]
    """Variance of PCA's component d + 1 as a share of that of component d."""


class Projection(Record, frozen=True):
    """Points in the plane of their first two principal components."""

    explained: tuple[float, float]
    """Share of the variance that each component explains."""
    dimensions: int
    between_classes: float
    """Share of the variance in the plane that lies between the centres of the classes."""
    plane: Separation
    full: Separation
    """In the full space."""


class ProjectionMetrics(Record, frozen=True):
    """projections.json: codes and pixels of the test images, each projected by PCA."""

    codes: Projection
    pixels: Projection


class AugmentationMetrics(Record, frozen=True):
    """augmentation.json: test accuracy of classifiers trained with and without a model's samples, by number of real
    images. The model itself was trained on all training images."""

    model: str
    """The name of the model config."""
    settings: ModelSettings
    latent_dim: int
    seed: int
    sizes: tuple[int, ...]
    """Numbers of real images."""
    draws: int
    """Images, drawn with replacement, that each classifier is trained on once."""
    seeds: int
    real: MeanStd
    """Accuracy with real images alone."""
    samples: MeanStd
    """Accuracy with samples in half of all draws."""
    gain: MeanStd
    """The difference of both."""


class RestorationMetrics(Record, frozen=True):
    """restorations.json: squared errors per pixel of the test images, each corrupted once as in training."""

    corrupted: float
    """Of the corrupted images."""
    restored: float
    """Of what the model makes of them."""


METRICS_FILES: dict[str, type[Record]] = {
    "metrics.json": ModelMetrics,
    "plane.json": PlaneMetrics,
    "conditions.json": ConditionGrids,
    "failures.json": FailureMetrics,
    "classifier.json": ClassifierMetrics,
    "ood.json": OODMetrics,
    "baselines.json": BaselineMetrics,
    "projections.json": ProjectionMetrics,
    "augmentation.json": AugmentationMetrics,
    "restorations.json": RestorationMetrics,
    "notebook.json": NotebookMetrics,
    "sweep.json": SweepMetrics,
    "pca_comparison.json": PCAComparison,
}
