# %% imports
import json
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import confusion_matrix
from sklearn.neighbors import KNeighborsClassifier
from torch import nn
from torch.nn import functional as F
from torchvision import datasets

# %% settings
dataset = "MNIST"
validation_size = 5000  # the last training images, held out
training_size = None  # of the others; None: all of them
hidden = (512, 256)  # units of the encoder's hidden layers; the decoder mirrors them
latent_dim = 2
sigma = 1.0  # standard deviation of a pixel under the Gaussian likelihood
epochs = 15
batch_size = 128
learning_rate = 1e-3
seed = 0
conditions = (2, 4, 8)  # the labels whose grids and embeddings are drawn
grid_min, grid_max, grid_samples = -4.0, 4.0, 21  # of the decoder grids: both axes, images per side

# %% data
torch.set_num_threads(1)  # with more, sums are added in another order, and the last digits change
torch.set_flush_denormal(True)  # numbers near zero, as in Adam's averages, would slow down training


def load(train):
    """Images as rows of 784 pixels in [0, 1], and their labels."""
    data = getattr(datasets, dataset)("data", train=train, download=True)
    return data.data.flatten(1).float().div_(255), data.targets


x, y = load(train=True)
x_train, y_train = x[:-validation_size][:training_size], y[:-validation_size][:training_size]
x_val, y_val = x[-validation_size:], y[-validation_size:]
x_test, y_test = load(train=False)
measured = {"vae": {}, "cvae": {}}  # everything that the text quotes
print(f"{len(x_train)} training, {len(x_val)} validation and {len(x_test)} test images")


def in_batches(function, *tensors):
    """The function's outputs of all rows, computed from 1000 rows at a time, which takes less memory."""
    batches = zip(*(tensor.split(1000) for tensor in tensors), strict=True)
    return torch.cat([function(*batch) for batch in batches])


# %% model
def mlp(*sizes):
    """Linear layers with ReLUs between them."""
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class VAE(nn.Module):
    """The encoder gives mean and log variance of q(z|x), the decoder the mean of p(x|z)."""

    def __init__(self, n_labels=0):
        super().__init__()
        self.encoder = mlp(784 + n_labels, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim + n_labels, *reversed(hidden), 784)

    def encode(self, x, y=None):
        return self.encoder(x).chunk(2, dim=1)

    def decode(self, z, y=None):
        return torch.sigmoid(self.decoder(z))

    def forward(self, x, y=None):
        mean, log_var = self.encode(x, y)
        z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)  # the reparametrisation trick
        return self.decode(z, y), mean, log_var


class CVAE(VAE):
    """The same with the one-hot label as ten more inputs of the encoder and of the decoder."""

    def __init__(self):
        super().__init__(n_labels=10)

    def encode(self, x, y):
        return super().encode(torch.cat([x, F.one_hot(y, 10).float()], dim=1))

    def decode(self, z, y):
        return super().decode(torch.cat([z, F.one_hot(y, 10).float()], dim=1))


# %% objective
def negated_elbo(x, x_hat, mean, log_var):
    """The reconstruction and the KL term, one number per image each, in nats."""
    log_normaliser = x.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    reconstruction = (x - x_hat).square().sum(1) / (2 * sigma**2) + log_normaliser
    kl = 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum(1)
    return reconstruction, kl


# %% training
def mean_terms(model, x, y):
    """Both terms averaged over images, with one draw of z for each."""
    with torch.no_grad():
        terms = in_batches(lambda x, y: torch.stack(negated_elbo(x, *model(x, y)), dim=1), x, y)
    return terms.mean(0).tolist()


def train(model):
    """Train a model with Adam, and return the mean terms of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    history = []
    for epoch in range(1, epochs + 1):
        sums = torch.zeros(2)
        for batch in torch.randperm(len(x_train)).split(batch_size):
            x, y = x_train[batch], y_train[batch]
            reconstruction, kl = negated_elbo(x, *model(x, y))
            optimizer.zero_grad()
            (reconstruction + kl).mean().backward()
            optimizer.step()
            sums += torch.stack([reconstruction.sum(), kl.sum()]).detach()
        assert sums.isfinite().all(), "the training diverges; lower learning_rate"
        row = {"epoch": epoch}
        splits = {"train": sums / len(x_train), "validation": mean_terms(model, x_val, y_val)}
        for split, (reconstruction, kl) in splits.items():
            terms = {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}
            row |= {f"{split}_{term}": float(value) for term, value in terms.items()}
        history.append(row)
        print(f"epoch {epoch:2}: {row['train_loss']:.2f}, validation {row['validation_loss']:.2f}")
    return history


models = {}
for name, architecture in {"vae": VAE, "cvae": CVAE}.items():
    print(f"{name.upper()}, negated ELBO in nats per image")
    torch.manual_seed(seed)  # initial weights, order of the images and noise
    models[name] = architecture()
    measured[name]["history"] = train(models[name])

# %% losses
torch.set_grad_enabled(False)  # from here on the models are only used
vae, cvae = models.values()


def encode_all(model, x, y):
    """The means of q(z|x) of many images."""
    return in_batches(lambda x, y: model.encode(x, y)[0], x, y)


constant = 784 / 2 * math.log(2 * math.pi * sigma**2)  # of the reconstruction, whatever the model
codes, reconstructions = {}, {}  # of the test images
for name, model in models.items():
    codes[name] = encode_all(model, x_test, y_test)
    reconstructions[name] = in_batches(model.decode, codes[name], y_test)
for name, model in models.items():
    torch.manual_seed(seed)
    draws = torch.tensor([mean_terms(model, x_test, y_test) for _ in range(10)])
    reconstruction, kl = draws.mean(0).tolist()
    measured[name] |= {
        "reconstruction": reconstruction,
        "reconstruction_constant": constant,
        "kl": kl,
        "negative_elbo": reconstruction + kl,
        "squared_error": F.mse_loss(reconstructions[name], x_test).item(),
        "mean_image_error": F.mse_loss(x_train.mean(0).expand_as(x_test), x_test).item(),
    }
    terms = f"{constant:.2f} + {reconstruction - constant:.2f} + KL {kl:.2f}"
    print(f"{name.upper()}: negated ELBO {reconstruction + kl:.2f} = {terms}")


# %% reconstructions
def show_rows(rows, title="", labels=()):
    """Rows of images: name of a row -> images; `labels` are written below the columns."""
    n = max(map(len, rows.values()))
    size = (0.8 * n + 1.6, 0.85 * len(rows) + 0.6)
    _, axes = plt.subplots(len(rows), 1, figsize=size, squeeze=False, layout="constrained")
    for ax, (name, images) in zip(axes[:, 0], rows.items(), strict=True):
        strip = images.view(-1, 28, 28).transpose(0, 1).flatten(1)
        ax.imshow(strip, cmap="gray", vmin=0, vmax=1)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
        ax.set(xticks=[], yticks=[])
    ax.set_xticks([28 * i + 14 for i in range(len(labels))], labels, fontsize=9)
    axes[0, 0].set_title(title, fontsize=10)
    plt.show()


examples = torch.stack([(y_test == digit).nonzero()[0, 0] for digit in range(10)])
rows = {name.upper(): images[examples] for name, images in reconstructions.items()}
show_rows({"test image": x_test[examples]} | rows)

# %% samples
torch.manual_seed(seed)
show_rows({f"VAE {i}": vae.decode(torch.randn(10, latent_dim)) for i in (1, 2)})
z = torch.randn(3, 1, latent_dim).expand(-1, 10, -1)
rows = {f"CVAE, z {i + 1}": cvae.decode(z[i], torch.arange(10)) for i in range(3)}
show_rows(rows, "one z in each row, decoded with the labels 0 to 9")


# %% vae_grid
def decoder_grid(ax, decode, axis):
    """The decoder's outputs over the plane as in a coordinate system: z1 to the right, z2 up."""
    z = torch.cartesian_prod(axis.flip(0), axis).flip(1)  # the first row has the largest z2
    n, margin = len(axis), (axis[1] - axis[0]).item() / 2
    picture = decode(z).view(n, n, 28, 28).transpose(1, 2).reshape(28 * n, 28 * n)
    limits = (axis[0].item() - margin, axis[-1].item() + margin)
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=limits * 2)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")


def prior_circles(ax):
    """One and two standard deviations of the prior; 39 % and 86 % of its draws lie inside."""
    for radius in (1, 2):
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color="tab:red", linestyle="--"))


figure, ax = plt.subplots(figsize=(8, 8), layout="constrained")
decoder_grid(ax, vae.decode, torch.linspace(grid_min, grid_max, grid_samples))
prior_circles(ax)
plt.show()

# %% embeddings
COLOURS = ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"]
COLOURS += ["#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"]


def scatter(ax, z, y, title):
    """Codes coloured by digit, and each digit at the mean of its codes."""
    for digit in y.unique().tolist():
        ax.scatter(*z[y == digit].T, s=4, color=COLOURS[digit], alpha=0.6, linewidths=0)
    for digit in y.unique().tolist():
        box = {"boxstyle": "circle", "facecolor": "white", "edgecolor": COLOURS[digit], "pad": 0.2}
        centre = z[y == digit].mean(0)
        ax.text(*centre, digit, ha="center", va="center", weight="bold", fontsize=12, bbox=box)
    prior_circles(ax)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$", title=title)


train_codes = {name: encode_all(model, x_train, y_train) for name, model in models.items()}
largest = max(codes.abs().max().item() for codes in train_codes.values())
limit = 1.02 * max(2.2, largest)  # of all axes below, so that they can be compared
figure, ax = plt.subplots(figsize=(8, 8), layout="constrained")
scatter(ax, train_codes["vae"][:5000], y_train[:5000], "VAE: codes of training images")
plt.show()

# %% neighbours
for name, z in codes.items():
    neighbours = KNeighborsClassifier(5).fit(train_codes[name], y_train)
    shares = confusion_matrix(y_test, neighbours.predict(z), normalize="true", labels=range(10))
    overlap = (shares + shares.T) / 2  # how often the neighbours of one digit name the other
    pairs = sorted(((overlap[a, b], b, a) for a in range(10) for b in range(a)), reverse=True)[:3]
    centres = torch.stack([z[y_test == digit].mean(0) for digit in range(10)])
    measured[name] |= {
        "neighbour_accuracy": neighbours.score(z, y_test),
        "class_accuracy": shares.diagonal().tolist(),
        "chance": (y_test.bincount().max() / len(y_test)).item(),
        "overlaps": [(a, b, share) for share, a, b in pairs],
        "centres": centres.tolist(),
        "centre_distance": centres.norm(dim=1).max().item(),
        "std": z.std(0).tolist(),
    }
    print(f"{name.upper()}: 5 neighbours name {neighbours.score(z, y_test):.1%} of the test digits")
    print("  " + ", ".join(f"{digit}: {share:.0%}" for digit, share in enumerate(np.diag(shares))))
    print(f"  the centres lie at most {measured[name]['centre_distance']:.2f} from the origin")

# %% classifier
torch.manual_seed(seed)
classifier = nn.Sequential(  # of real digits, to tell whether a decoded image looks like one
    *(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU()),
    *(nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 10)),
)
optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
with torch.enable_grad():
    for batch in torch.cat([torch.randperm(len(x_train)) for _ in range(2)]).split(128):
        optimizer.zero_grad()
        F.cross_entropy(classifier(x_train[batch]), y_train[batch]).backward()
        optimizer.step()


def blur(images):
    """The share of the ink that is grey: 0 if every pixel is black or white."""
    return 4 * (images * (1 - images)).sum(1) / images.sum(1).clamp(min=1e-6)


blur_limit = in_batches(blur, x_train).quantile(0.99)  # 99 % of the training images are sharper


def failing(images):
    """Shares of images that are ambiguous and that are blurred."""
    confidence = in_batches(classifier, images).softmax(1).max(1).values
    found = {"ambiguous": confidence < 0.6, "blurred": blur(images) > blur_limit}
    return {name: values.double().mean().item() for name, values in found.items()}


def recognised(images, y):
    """The share of images that the classifier takes for the digits y."""
    return (in_batches(classifier, images).argmax(1) == y).double().mean().item()


print(f"the classifier recognises {recognised(x_test, y_test):.1%} of the test images")

# %% failures
steps = torch.linspace(-2, 2, 41)
z = torch.cartesian_prod(steps, steps)
z = z[z.norm(dim=1) <= 2]  # positions within two standard deviations of the prior
decoded = vae.decode(z)
confidence = classifier(decoded).softmax(1).max(1).values
ambiguous = (confidence < 0.6).numpy()
nearby = KNeighborsClassifier(20).fit(train_codes["vae"], y_train)
purity = nearby.predict_proba(z).max(1)  # share of the commonest digit among the codes around z
shares = {
    "test images": failing(x_test),
    "VAE, plane": failing(decoded),
    "VAE, reconstructions": failing(reconstructions["vae"]),
}
measured["vae"]["failures"] = {
    "classifier_accuracy": recognised(x_test, y_test),
    "decoded": shares["VAE, plane"],
    "reconstructions": shares["VAE, reconstructions"],
    "real": shares["test images"],
    "purity_ambiguous": purity[ambiguous].mean().item() if ambiguous.any() else None,
    "purity_certain": purity[~ambiguous].mean().item() if not ambiguous.all() else None,
}
for name, model in models.items():
    torch.manual_seed(seed)
    samples = model.decode(torch.randn(len(y_test), latent_dim), y_test)
    shares[f"{name.upper()}, samples"] = measured[name]["samples"] = failing(samples)
    measured[name]["reconstructions_recognised"] = recognised(reconstructions[name], y_test)
measured["cvae"]["samples_recognised"] = recognised(samples, y_test)  # as their labels
for name, share in shares.items():
    print(f"{name:20}: {share['ambiguous']:.1%} ambiguous, {share['blurred']:.1%} blurred")
for kind in ("ambiguous", "certain"):
    if (share := measured["vae"]["failures"][f"purity_{kind}"]) is not None:
        print(f"purity of the codes around {kind} images: {share:.1%}")
print(f"{measured['cvae']['samples_recognised']:.1%} of the CVAE's samples are recognised")

# %% failure_map
figure, ax = plt.subplots(figsize=(6.5, 5.6), layout="constrained")
points = ax.scatter(*z.T, s=22, marker="s", c=confidence, cmap="viridis", vmin=0, vmax=1)
figure.colorbar(points, label="probability of the likeliest digit")
box = {"boxstyle": "circle", "facecolor": "black", "linewidth": 0, "pad": 0.15}
for digit, centre in enumerate(measured["vae"]["centres"]):
    ax.text(*centre, digit, ha="center", va="center", weight="bold", color="white", bbox=box)
ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal", title="numbers: centres of the codes")
plt.show()
for kind, values in {"most ambiguous": confidence, "most blurred": -blur(decoded)}.items():
    worst = []  # six positions, no two of them closer than 0.5
    for i in values.argsort().tolist():
        if len(worst) < 6 and all((z[i] - z[j]).norm() > 0.5 for j in worst):
            worst.append(i)
    distances = [torch.cdist(decoded[worst], part) for part in x_train.split(1000)]
    nearest = torch.cat(distances, dim=1).argmin(1)
    rows = {"decoded": decoded[worst], "nearest\ntraining image": x_train[nearest]}
    show_rows(rows, kind, [f"({z[i, 0]:.1f}, {z[i, 1]:.1f})" for i in worst])


# %% cvae_grids
def decode_as(digit):
    """The CVAE's decoder under one label."""
    return lambda z: cvae.decode(z, torch.full((len(z),), digit))


axis = torch.linspace(-2.5, 2.5, 11)
size = (4.2 * len(conditions), 4.5)
figure, axes = plt.subplots(1, len(conditions), figsize=size, squeeze=False, layout="constrained")
for ax, digit in zip(axes[0], conditions, strict=True):
    decoder_grid(ax, decode_as(digit), axis)
    ax.set_title(f"CVAE, condition {digit}")
plt.show()
z = torch.cartesian_prod(axis, axis)
shares = [recognised(decode_as(digit)(z), digit) for digit in conditions]
measured["cvae"]["grids_recognised"] = sum(shares) / len(shares)
print(f"recognised as their digit: {measured['cvae']['grids_recognised']:.1%}")


# %% styles
def shape_measures(x):
    """Slant (positive: to the right), width about the slanted axis, and stroke thickness."""
    v = x.view(-1, 28, 28)
    ink, columns, rows = v.sum((1, 2)), torch.arange(28.0), -torch.arange(28.0)  # rows run down
    dx = columns - (v.sum(1) @ columns / ink)[:, None]
    dy = rows - (v.sum(2) @ rows / ink)[:, None]
    xx, yy = (v.sum(1) * dx**2).sum(1) / ink, (v.sum(2) * dy**2).sum(1) / ink
    xy = torch.einsum("nij,ni,nj->n", v, dy, dx) / ink
    outline = torch.hypot(v.diff(dim=1)[:, :, 1:], v.diff(dim=2)[:, 1:]).sum((1, 2))
    width = (xx - xy**2 / yy).clamp(min=0).sqrt()
    return {"slant": xy / yy, "width": width, "thickness": ink / outline}


def rank_correlation(a, b):
    """Spearman's rank correlation."""
    return torch.corrcoef(torch.stack([a, b]).argsort().argsort().float())[0, 1].item()


shapes = shape_measures(x_test)
of_digit = [y_test == digit for digit in range(10)]
for name, z in codes.items():
    print(f"{name.upper()}: mean rank correlation within a digit (all digits)")
    for measure, values in shapes.items():
        rho = [[rank_correlation(z[d, i], values[d]) for i in range(2)] for d in of_digit]
        measured[name][measure] = {"mean": np.mean(rho, axis=0).tolist(), "classes": rho}
        for i, (low, high) in enumerate(zip(np.min(rho, axis=0), np.max(rho, axis=0), strict=True)):
            mean = measured[name][measure]["mean"][i]
            print(f"  {measure:9} and z{i + 1}: {mean:+.2f} ({low:+.2f} to {high:+.2f})")

# %% cvae_embeddings
size = (4 * len(conditions), 8.2)
figure, axes = plt.subplots(2, len(conditions), figsize=size, squeeze=False, layout="constrained")
for row, (name, z) in zip(axes, train_codes.items(), strict=True):
    for ax, digit in zip(row, conditions, strict=True):
        shown = (y_train == digit).nonzero()[:1500, 0]
        scatter(ax, z[shown], y_train[shown], f"{name.upper()}, digit {digit}")
plt.show()

# %% classification
log_prior = (y_train.bincount(minlength=10) / len(y_train)).log()  # log p(y)


def log_likelihood(x, digit, step=0.1, reach=4.5):
    """log p(x|y) of each image: the integral over z as a sum over a grid."""
    positions = torch.arange(-reach, reach + step / 2, step)
    z = torch.cartesian_prod(positions, positions)
    squares = x.square().sum(1)[:, None]
    sums = []
    for part in z.split(500):
        means = decode_as(digit)(part)
        log_cell = -0.5 * part.square().sum(1) - math.log(2 * math.pi) + 2 * math.log(step)  # p(z) dz
        # squared distances of all images to all means by one product
        distances = squares - 2 * x @ means.T + means.square().sum(1)
        log_joint = -distances / (2 * sigma**2) - constant + log_cell
        sums.append(torch.logsumexp(log_joint, dim=1))
    return torch.logsumexp(torch.stack(sums, dim=1), dim=1)


log_joint = torch.zeros(len(x_test), 10)
for digit in range(10):  # Bayes' rule: p(y|x) is proportional to p(x|y) p(y)
    log_joint[:, digit] = log_likelihood(x_test, digit) + log_prior[digit]
predictions = log_joint.argmax(1)
accuracy = (predictions == y_test).double().mean().item()
finer = log_likelihood(x_test[:500], 0, step=0.05) + log_prior[0]
error = (finer - log_joint[:500, 0]).abs().mean().item()
print(f"{accuracy:.2%} of the test images are classified correctly")
print(f"steps half as wide change log p(x|0) by {error:.4f} nats")

# %% confusion
counts = confusion_matrix(y_test, predictions, labels=range(10))
shares = counts / counts.sum(1, keepdims=True)
pairs = [(a, b) for a in range(10) for b in range(10) if a != b]
pairs.sort(key=lambda pair: -shares[pair])
measured["cvae"]["classifier"] = {
    "accuracy": accuracy,
    "integration_error": error,
    "confusion": counts.tolist(),
    "most_confused": [(a, b, shares[a, b]) for a, b in pairs[:3]],
}
figure, ax = plt.subplots(figsize=(6.5, 6.5), layout="constrained")
ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
for (a, b), count in np.ndenumerate(counts):
    colour = "white" if shares[a, b] > 0.5 else "black"
    ax.text(b, a, count, ha="center", va="center", fontsize=9, color=colour)
ax.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
plt.show()

# %% mistakes
posterior = log_joint.softmax(1)  # p(y|x)
wrong = (predictions != y_test).nonzero()[:, 0]
surest = wrong[posterior[wrong, predictions[wrong]].argsort(descending=True)[:10]]
if len(surest):
    answers = [f"{y_test[i]} → {predictions[i]}" for i in surest]
    show_rows({"test image": x_test[surest]}, "the surest wrong answers: digit → answer", answers)

# %% results
arrays = {f"{name}.{key}": w for name in models for key, w in models[name].state_dict().items()}
np.savez("weights.npz", **arrays)
with open("measurements.json", "w") as file:
    json.dump(measured, file, indent=1)
