"""What a code space looks like, in figures. Distances are Euclidean over the 784 pixels in [0, 1]."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

NEIGHBOURS = 5
NEAR_QUANTILE = 0.5  # "near the data": nearer than the typical (median) held-out image
HELD_OUT = 1000  # held-out images that set this scale
PAIRS, STEPS = 100, 10  # straight lines through the code, and the steps along each


def neighbour_accuracy(codes, labels, test_codes, test_labels, neighbours=NEIGHBOURS):
    """Share of test codes whose class is the majority's among their nearest training codes."""
    return float(KNeighborsClassifier(neighbours).fit(codes, labels).score(test_codes, test_labels))


def extent(codes):
    """How far codes `(n, d)` spread: standard deviation and central 98 % a dimension."""
    ends = np.quantile(codes, [0.01, 0.99], axis=0)
    return {
        "std": codes.std(axis=0).tolist(),
        "low": ends[0].tolist(),
        "high": ends[1].tolist(),
    }


def within(codes, axis):
    """The share of codes `(n, d)` between the ends of a grid's `axis` in every dimension."""
    return float(((codes >= axis[0]) & (codes <= axis[-1])).all(axis=1).mean())


class Data:
    """The training images as a set of points, and how near to it another image of the same kind usually lies."""

    def __init__(self, images, labels, held_out):
        """uint8 images `(n, 28, 28)`, their labels `(n,)`, and held-out images."""
        self.labels = labels
        self.index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(pixels(images))
        self.scale = float(np.quantile(self.nearest(held_out[:HELD_OUT])[0], NEAR_QUANTILE))

    def nearest(self, images):
        """Distance to the nearest training image and that image's index, each `(n,)`."""
        distance, index = self.index.kneighbors(pixels(images))
        return distance[:, 0], index[:, 0]

    def near(self, images):
        """Which images `(n,)` lie nearer to some training image than the typical held-out image does."""
        return self.nearest(images)[0] <= self.scale


def coverage(data, pictures, classes=10):
    """Of decoded pictures: the share near the data, and how many go to each class of their nearest training image."""
    distance, index = data.nearest(pictures)
    shares = np.bincount(data.labels[index], minlength=classes) / len(pictures)
    return {"near": float((distance <= data.scale).mean()), "class_share": shares.tolist()}


def lines(codes, seed=0, pairs=PAIRS, steps=STEPS):
    """Positions along straight lines between random pairs of codes `(n, d)`: `(pairs, steps + 1, d)`, ends included."""
    ends = np.random.default_rng(seed).choice(len(codes), (pairs, 2))
    t = np.linspace(0, 1, steps + 1)[:, None]
    return (codes[ends[:, 0], None] * (1 - t) + codes[ends[:, 1], None] * t).astype(np.float32)


def smoothness(data, decoded):
    """Of pictures `(pairs, steps + 1, 784)` decoded along lines.

    `jump` is the median over lines of the largest step divided by the mean step (1: an even fade); `near` is the
    share of the pictures between the ends that lie near the data.
    """
    step = np.linalg.norm(np.diff(decoded, axis=1), axis=2)
    moved = step.mean(axis=1) > 0
    jump = np.median(step[moved].max(axis=1) / step[moved].mean(axis=1)) if moved.any() else 1.0
    between = decoded[:, 1:-1].reshape(-1, decoded.shape[2])
    return {"jump": float(jump), "near": float(data.near(between).mean())}


def convergence(history):
    """From the columns of a training history: `best_epoch`, after which the validation loss never again was lower, and
    `settled_epoch`, the first whose loss lies above the best by no more than 1 % of what it fell in all."""
    epochs, losses = history["epoch"], np.array(history["validation_loss"])
    enough = losses.min() + 0.01 * (losses[0] - losses.min())
    return {"best_epoch": int(epochs[losses.argmin()]), "settled_epoch": int(epochs[(losses <= enough).argmax()])}


# What a sweep follows, by the names its figure and its page know: where each run's metrics keep it.
SWEPT = {
    "squared_error": ("test", "squared_error"),
    "negative_elbo": ("test", "negative_elbo"),
    "reconstruction": ("test", "reconstruction"),
    "kl": ("test", "kl"),
    "active_units": ("code", "active_units"),
    "importance_weighted": ("likelihood", "importance_weighted"),
    "frechet": ("samples", "frechet"),
    "frechet_real": ("samples", "frechet_real"),
}


def collect(runs, pca):
    """A sweep's figures by latent dimension: `mean` and `std` over the seeds of each of `SWEPT`, beside PCA's error.

    `saturates` is the smallest dimension whose mean bound lies within one standard deviation, or 0.5 nats, of the best.
    """
    dims = sorted({run["latent_dim"] for run in runs})
    figures = {}
    for name, (part, key) in SWEPT.items():
        values = [[run[part][key] for run in runs if run["latent_dim"] == d] for d in dims]
        figures[name] = {"mean": [float(np.mean(v)) for v in values], "std": [float(np.std(v)) for v in values]}
    bound = figures["importance_weighted"]
    best = int(np.argmax(bound["mean"]))
    enough = bound["mean"][best] - max(bound["std"][best], 0.5)
    return {
        "dims": dims,
        "seeds": len({run["seed"] for run in runs}),
        "model": runs[0]["model"],
        "settings": runs[0]["settings"],
        "weights": [run["weights"] for run in runs],
        "pca": [pca[str(d)] for d in dims],
        "best": dims[best],
        "saturates": next(d for d, mean in zip(dims, bound["mean"], strict=True) if mean >= enough),
    } | figures


def pixels(images):
    """Flat float32 in [0, 1], from uint8 or from pixels already in that range."""
    flat = np.asarray(images).reshape(len(images), -1)
    return flat.astype(np.float32) / 255 if flat.dtype == np.uint8 else flat.astype(np.float32)
