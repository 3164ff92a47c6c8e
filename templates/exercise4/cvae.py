# %% imports
import json
import math

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
torch.set_num_threads(1)  # with more, sums are added in another order and the last digits change
torch.set_flush_denormal(True)  # Adam's moments of pixels that are always black become denormal, which is slow


def load(train):
    """Images as rows of 784 pixels in [0, 1], and their labels."""
    data = getattr(datasets, dataset)("data", train=train, download=True)
    return data.data.flatten(1).float() / 255, data.targets


x, y = load(train=True)
x_train, y_train = x[:-validation_size][:training_size], y[:-validation_size][:training_size]
x_val, y_val = x[-validation_size:], y[-validation_size:]
x_test, y_test = load(train=False)
measured = {"vae": {}, "cvae": {}}  # everything that the text quotes
print(f"{len(x_train)} training, {len(x_val)} validation and {len(x_test)} test images")


# %% model
def mlp(*sizes):
    """Linear layers with ReLUs between them."""
    layers = [part for n, m in zip(sizes, sizes[1:]) for part in (nn.Linear(n, m), nn.ReLU())]  # noqa: B905, RUF007
    return nn.Sequential(*layers[:-1])


class VAE(nn.Module):
    """q(z|x) is a Gaussian whose mean and log variance the encoder gives; the decoder gives the mean of p(x|z)."""

    def __init__(self, n_labels=0):
        super().__init__()
        self.encoder = mlp(784 + n_labels, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim + n_labels, *reversed(hidden), 784)

    def encode(self, x, y=None):
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        return mean, log_var

    def decode(self, z, y=None):
        return torch.sigmoid(self.decoder(z))

    def forward(self, x, y=None):
        mean, log_var = self.encode(x, y)
        z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)  # the reparametrisation trick
        return self.decode(z, y), mean, log_var


class CVAE(VAE):
    """The same with the label, one-hot, as ten more inputs of the encoder and of the decoder."""

    def __init__(self):
        super().__init__(n_labels=10)

    def encode(self, x, y):
        return super().encode(torch.cat([x, F.one_hot(y, 10).float()], dim=1))

    def decode(self, z, y):
        return super().decode(torch.cat([z, F.one_hot(y, 10).float()], dim=1))


# %% objective
def negated_elbo(x, x_hat, mean, log_var):
    """The two terms of the negated ELBO, one number per image and term, in nats."""
    log_normaliser = x.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    reconstruction = (x - x_hat).square().sum(1) / (2 * sigma**2) + log_normaliser
    kl = 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum(1)
    return reconstruction, kl


# %% training
def mean_terms(model, x, y):
    """Both terms of the negated ELBO averaged over images, with one draw of z for each."""
    with torch.no_grad():
        reconstruction, kl = negated_elbo(x, *model(x, y))
    return reconstruction.mean().item(), kl.mean().item()


def train(model):
    """Train a model with Adam; returns the mean terms of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    history = []
    for epoch in range(1, epochs + 1):
        sums = torch.zeros(2)
        for batch in torch.randperm(len(x_train)).split(batch_size):
            x, y = x_train[batch], y_train[batch]
            reconstruction, kl = negated_elbo(x, *model(x, y))
            loss = (reconstruction + kl).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += torch.stack([reconstruction.sum(), kl.sum()]).detach()
        row = {"epoch": epoch}
        terms = {"train": (sums / len(x_train)).tolist(), "validation": mean_terms(model, x_val, y_val)}
        for split, (reconstruction, kl) in terms.items():
            row[f"{split}_loss"] = reconstruction + kl
            row[f"{split}_reconstruction"], row[f"{split}_kl"] = reconstruction, kl
        history.append(row)
        print(f"epoch {epoch:2}: negated ELBO {row['train_loss']:.2f}, on validation {row['validation_loss']:.2f}")
    return history


models = {}
for name, architecture in {"vae": VAE, "cvae": CVAE}.items():
    print(name.upper())
    torch.manual_seed(seed)  # initial weights, order of the images and noise
    models[name] = architecture()
    measured[name]["history"] = train(models[name])
vae, cvae = models["vae"], models["cvae"]
torch.set_grad_enabled(False)  # from here on the models are only used

# %% losses
constant = 784 / 2 * math.log(2 * math.pi * sigma**2)  # of the reconstruction term, whatever the model
codes = {name: model.encode(x_test, y_test)[0] for name, model in models.items()}  # means of q(z|x)
for name, model in models.items():
    torch.manual_seed(seed)
    draws = [mean_terms(model, x_test, y_test) for _ in range(10)]
    reconstruction, kl = (sum(term) / len(draws) for term in zip(*draws))  # noqa: B905
    x_hat = model.decode(codes[name], y_test)
    measured[name] |= {"reconstruction": reconstruction, "reconstruction_constant": constant, "kl": kl}
    measured[name]["negative_elbo"] = reconstruction + kl
    measured[name]["squared_error"] = (x_test - x_hat).square().mean().item()
    measured[name]["mean_image_error"] = (x_test - x_train.mean(0)).square().mean().item()
    terms = f"{constant:.2f} + {reconstruction - constant:.2f} + KL {kl:.2f}"
    print(f"{name.upper():4} −ELBO {reconstruction + kl:.2f} = {terms}")


# %% reconstructions
def show_rows(rows, names, title=""):
    """Rows of images, each row with a name at its left."""
    figure, axes = plt.subplots(len(rows), 1, figsize=(0.8 * len(rows[0]) + 1, 0.85 * len(rows) + 0.3), squeeze=False)
    for ax, images, name in zip(axes[:, 0], rows, names, strict=True):
        ax.imshow(images.view(-1, 28, 28).transpose(0, 1).flatten(1), cmap="gray", vmin=0, vmax=1)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
        ax.set(xticks=[], yticks=[])
    axes[0, 0].set_title(title, fontsize=11)
    figure.tight_layout(h_pad=0.2)
    plt.show()


examples = torch.stack([(y_test == digit).nonzero()[0, 0] for digit in range(10)])  # the first of each digit
x_shown, y_shown = x_test[examples], y_test[examples]
reconstructions = [model.decode(model.encode(x_shown, y_shown)[0], y_shown) for model in models.values()]
show_rows([x_shown, *reconstructions], ["test image", "VAE", "CVAE"])

# %% samples
torch.manual_seed(seed)
digits = torch.arange(10)
show_rows([vae.decode(torch.randn(10, latent_dim)) for _ in range(2)], ["VAE", "VAE"], "z drawn from the prior")
rows = [cvae.decode(torch.randn(1, latent_dim).expand(10, -1), digits) for _ in range(3)]
show_rows(rows, ["CVAE"] * 3, "one z from the prior in each row, decoded with the labels 0 to 9")

# %% vae_grid
axis = torch.linspace(grid_min, grid_max, grid_samples)


def decoder_grid(ax, model, axis, label=None):
    """Draw the decoder's outputs over the plane as in a coordinate system: z1 to the right, z2 upwards."""
    z = torch.cartesian_prod(axis.flip(0), axis).flip(1)  # the first row has the largest z2
    images = model.decode(z, None if label is None else torch.full((len(z),), label))
    n, margin = len(axis), (axis[1] - axis[0]).item() / 2
    low, high = axis[0].item() - margin, axis[-1].item() + margin
    picture = images.view(n, n, 28, 28).transpose(1, 2).reshape(28 * n, 28 * n)
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=(low, high, low, high))
    ax.set(xlabel="$z_1$", ylabel="$z_2$")


def prior_circles(ax):
    """Circles of one and two standard deviations of the prior, inside which 39 % and 86 % of its draws lie."""
    for radius in (1, 2):
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color="tab:red", linestyle="--"))


figure, ax = plt.subplots(figsize=(8, 8))
decoder_grid(ax, vae, axis)
prior_circles(ax)
plt.show()

# %% embeddings
COLOURS = ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"]


def centres(z, y):
    """The mean code of each digit, (10, 2)."""
    return torch.stack([z[y == digit].mean(0) for digit in range(10)])


def scatter(ax, z, y, limit, title=""):
    """Codes coloured by digit, with the digit at the centre of its codes."""
    for digit in y.unique().tolist():
        ax.scatter(*z[y == digit].T, s=4, color=COLOURS[digit], alpha=0.6, linewidths=0)
        ax.text(*z[y == digit].mean(0), digit, ha="center", va="center", weight="bold", fontsize=12,
                bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": COLOURS[digit], "pad": 0.2})  # fmt: skip
    prior_circles(ax)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$", aspect="equal", title=title)


train_codes = {name: model.encode(x_train, y_train)[0] for name, model in models.items()}
limit = max(z.abs().max().item() for z in train_codes.values()) * 1.02  # the same axes for both models
figure, ax = plt.subplots(figsize=(8, 8))
scatter(ax, train_codes["vae"][:5000], y_train[:5000], limit, "VAE: codes of 5,000 training images")
plt.show()

# %% neighbours
for name, z in codes.items():
    neighbours = KNeighborsClassifier(5).fit(train_codes[name], y_train)
    confusion = confusion_matrix(y_test, neighbours.predict(z), normalize="true", labels=range(10))
    overlap = (confusion + confusion.T) / 2  # how often the neighbours of one digit name the other
    pairs = sorted(((overlap[a, b], a, b) for a in range(10) for b in range(a)), reverse=True)[:3]
    measured[name] |= {
        "neighbour_accuracy": neighbours.score(z, y_test),
        "class_accuracy": confusion.diagonal().tolist(),
        "chance": (y_test.bincount().max() / len(y_test)).item(),
        "overlaps": [(b, a, share) for share, a, b in pairs],
        "centres": centres(z, y_test).tolist(),
    }
    print(f"{name.upper()}: five neighbours name {measured[name]['neighbour_accuracy']:.1%} of the test digits")
    print("  by digit: " + ", ".join(f"{digit}: {share:.0%}" for digit, share in enumerate(confusion.diagonal())))

# %% classifier
torch.manual_seed(seed)
classifier = nn.Sequential(  # of real digits: it tells whether a decoded image looks like one of them
    nn.Unflatten(1, (1, 28, 28)),
    *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.ReLU()),
    *(nn.Flatten(), nn.Linear(32 * 7 * 7, 10)),
)
optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
with torch.enable_grad():
    for _ in range(2):
        for batch in torch.randperm(len(x_train)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(classifier(x_train[batch]), y_train[batch]).backward()
            optimizer.step()


def confidence(images):
    """The classifier's probability of the digit that it takes an image for."""
    return classifier(images).softmax(1).max(1).values


def blur(images):
    """The share of the ink that is grey: 0 if all pixels are black or white, and higher the softer the strokes are."""
    return 4 * (images * (1 - images)).sum(1) / images.sum(1).clamp(min=1e-6)


limit_of_blur = blur(x_train).quantile(0.99)  # 99 % of the training images are sharper
accuracy = (classifier(x_test).argmax(1) == y_test).float().mean().item()
print(f"the classifier names {accuracy:.1%} of the test images correctly")


def failing(images):
    """Shares of images that are ambiguous (no digit has a probability of 60 %), and blurred."""
    return {
        "ambiguous": (confidence(images) < 0.6).float().mean().item(),
        "blurred": (blur(images) > limit_of_blur).float().mean().item(),
    }


# %% failures
steps = torch.linspace(-2, 2, 41)
z = torch.cartesian_prod(steps, steps)
z = z[z.norm(dim=1) <= 2]  # positions within two standard deviations of the prior
decoded = vae.decode(z)
sure = confidence(decoded)
ambiguous = (sure < 0.6).numpy()
purity = KNeighborsClassifier(20).fit(train_codes["vae"], y_train).predict_proba(z).max(1)  # of the codes around z
measured["vae"]["failures"] = {
    "classifier_accuracy": accuracy,
    "decoded": failing(decoded),
    "reconstructions": failing(vae.decode(codes["vae"])),
    "real": failing(x_test),
    "purity_ambiguous": purity[ambiguous].mean().item() if ambiguous.any() else None,
    "purity_certain": purity[~ambiguous].mean().item() if not ambiguous.all() else None,
}
for name, values in measured["vae"]["failures"].items():
    print(f"{name}: {values}")
for name, model in models.items():
    torch.manual_seed(seed)
    samples = model.decode(torch.randn(len(y_test), latent_dim), y_test)
    measured[name]["samples"] = failing(samples)
    recognised = classifier(model.decode(codes[name], y_test)).argmax(1) == y_test
    measured[name]["reconstructions_recognised"] = recognised.float().mean().item()
    print(f"{name.upper()}, samples from the prior: {measured[name]['samples']}")
recognised = (classifier(samples).argmax(1) == y_test).float().mean().item()  # of the CVAE's samples
measured["cvae"]["samples_recognised"] = recognised
print(f"{recognised:.1%} of the CVAE's samples are recognised as the digit that they were decoded for")

# %% failure_map
figure, ax = plt.subplots(figsize=(6.5, 5.6))
points = ax.scatter(*z.T, s=22, marker="s", c=sure, cmap="viridis", vmin=0, vmax=1, linewidths=0)
figure.colorbar(points, label="probability of the likeliest digit")
for digit, centre in enumerate(measured["vae"]["centres"]):
    ax.text(*centre, digit, ha="center", va="center", fontsize=13, weight="bold", color="white",
            bbox={"boxstyle": "circle", "facecolor": "black", "linewidth": 0, "pad": 0.15})  # fmt: skip
ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal", title="numbers: centres of the digits' codes")
plt.show()


def worst(values, count=6, apart=0.5):
    """The positions with the smallest values, no two of them closer than `apart`."""
    chosen = []
    for i in values.argsort().tolist():
        if len(chosen) < count and all((z[i] - z[j]).norm() > apart for j in chosen):
            chosen.append(i)
    return chosen


for kind, values in {"most ambiguous": sure, "most blurred": -blur(decoded)}.items():
    indices = worst(values)
    nearest = torch.cdist(decoded[indices], x_train).argmin(1)
    show_rows([decoded[indices], x_train[nearest]], ["decoded", "nearest training image"], kind)
    print("at z = " + ", ".join(f"({z[i, 0]:.1f}, {z[i, 1]:.1f})" for i in indices))

# %% cvae_grids
figure, axes = plt.subplots(1, len(conditions), figsize=(4.2 * len(conditions), 4.4), squeeze=False)
for ax, label in zip(axes[0], conditions, strict=True):
    decoder_grid(ax, cvae, torch.linspace(-2.5, 2.5, 11), label)
    ax.set_title(f"CVAE, condition {label}")
figure.tight_layout()
plt.show()


# %% styles
def shape_measures(x):
    """Slant in degrees (positive to the right), width about the slanted axis and stroke thickness in pixels."""
    v = x.view(-1, 28, 28)
    ink, columns, rows = v.sum((1, 2)), torch.arange(28.0), -torch.arange(28.0)  # rows run downwards
    dx = columns - (v.sum(1) @ columns / ink)[:, None]
    dy = rows - (v.sum(2) @ rows / ink)[:, None]
    xx, yy = (v.sum(1) * dx**2).sum(1) / ink, (v.sum(2) * dy**2).sum(1) / ink
    xy = torch.einsum("nij,ni,nj->n", v, dy, dx) / ink
    outline = torch.hypot(v.diff(dim=1)[:, :, 1:], v.diff(dim=2)[:, 1:]).sum((1, 2))
    slant = torch.atan(xy / yy).rad2deg()
    return {"slant": slant, "width": 4 * (xx - xy**2 / yy).clamp(min=0).sqrt(), "thickness": 2 * ink / outline}


def rank_correlation(a, b):
    """Spearman's rank correlation."""
    return torch.corrcoef(torch.stack([a, b]).argsort().argsort().float())[0, 1].item()


shapes = shape_measures(x_test)
for name, z_test in codes.items():
    print(f"{name.upper()}: mean of the rank correlations within each digit (in brackets the weakest)")
    for measure, values in shapes.items():
        by_digit = np.array([[rank_correlation(z_test[y_test == digit, i], values[y_test == digit]) for i in range(2)]
                              for digit in range(10)])  # fmt: skip
        measured[name][measure] = {"mean": by_digit.mean(0).tolist(), "classes": by_digit.tolist()}
        for i in range(2):
            print(f"  {measure:9} along z{i + 1}: {by_digit[:, i].mean():+.2f} ({min(by_digit[:, i], key=abs):+.2f})")

# %% cvae_embeddings
figure, axes = plt.subplots(2, len(conditions), figsize=(4 * len(conditions), 8), squeeze=False)
for row, (name, z_train) in zip(axes, train_codes.items(), strict=True):
    for ax, label in zip(row, conditions, strict=True):
        shown = (y_train == label).nonzero()[:1500, 0]
        scatter(ax, z_train[shown], y_train[shown], limit, f"{name.upper()}, digit {label}")
figure.tight_layout()
plt.show()
for name in models:
    measured[name]["centre_distance"] = max(math.hypot(*centre) for centre in measured[name]["centres"])
    measured[name]["std"] = codes[name].std(0).tolist()
    print(f"{name.upper()}: centres of the digits lie at most {measured[name]['centre_distance']:.2f} from the origin")

# %% classification
log_prior_y = (y_train.bincount(minlength=10) / len(y_train)).log()


def log_likelihood(x, label, step=0.1, reach=4.5):
    """log p(x|y) of each image: the integral over z as a sum over a grid, by one matrix product."""
    positions = torch.arange(-reach, reach + step / 2, step)
    z = torch.cartesian_prod(positions, positions)
    mean = cvae.decode(z, torch.full((len(z),), label))
    log_prior_z = -0.5 * z.square().sum(1) - math.log(2 * math.pi)
    rows = []
    for part in x.split(500):
        squares = part.square().sum(1, keepdim=True) - 2 * part @ mean.T + mean.square().sum(1)
        log_joint = -squares / (2 * sigma**2) - constant + log_prior_z
        rows.append(torch.logsumexp(log_joint, dim=1) + 2 * math.log(step))
    return torch.cat(rows)


scores = torch.zeros(len(x_test), 10)
for label in range(10):  # Bayes' rule: log p(x|y) + log p(y) for each label y
    scores[:, label] = log_likelihood(x_test, label) + log_prior_y[label]
predictions = scores.argmax(1)
finer = log_likelihood(x_test[:500], 0, step=0.05) + log_prior_y[0]
measured["cvae"]["classifier"] = {
    "accuracy": (predictions == y_test).float().mean().item(),
    "integration_error": (finer - scores[:500, 0]).abs().mean().item(),
}
print(f"{measured['cvae']['classifier']['accuracy']:.2%} of the test images are classified correctly")
print(f"a grid twice as fine changes log p(x|0) by {measured['cvae']['classifier']['integration_error']:.4f} nats")

# %% confusion
confusion = confusion_matrix(y_test, predictions, labels=range(10))
shares = confusion / confusion.sum(1, keepdims=True)
errors = sorted(((shares[a, b], a, b) for a in range(10) for b in range(10) if a != b), reverse=True)[:3]
measured["cvae"]["classifier"] |= {
    "confusion": confusion.tolist(),
    "most_confused": [(a, b, share) for share, a, b in errors],
}
figure, ax = plt.subplots(figsize=(6.5, 6.5))
ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
for (a, b), count in np.ndenumerate(confusion):
    ax.text(b, a, count, ha="center", va="center", fontsize=9, color="white" if shares[a, b] > 0.5 else "black")
ax.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
plt.show()

# %% results
weights = {
    f"{name}.{key}": value.numpy() for name, model in models.items() for key, value in model.state_dict().items()
}
np.savez("weights.npz", **weights)
with open("measurements.json", "w") as file:
    json.dump(measured, file, indent=1)
