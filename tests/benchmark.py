"""The speed on this machine: `./run bench` measures everything, `./run bench loop growth` some parts of it.

Each part prints its table and writes its figures to results/benchmark/. Runs that are compared alternate in one
process, several times, and the median counts.
"""

import json
import os
import platform
import re
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
import yaml
from builders import evaluate
from matplotlib import pyplot as plt
from pages import choose, draw_with_mouse, wait_until_idle, wait_until_ready, write_explorer
from PIL import Image
from projects import CHROMIUM, ROOT, copy_source, run_snakemake
from torch.nn import functional

from latentlab.data.fetch import fetch_dataset, local_data_folder
from latentlab.data.splits import load_split
from latentlab.figures.base import use_style
from latentlab.metrics.bounds import log_likelihood_bounds
from latentlab.metrics.latents import encode_splits
from latentlab.models.families import build_model
from latentlab.models.inputs import model_input, split_batches, to_tensors
from latentlab.models.precision import bfloat16_instructions
from latentlab.models.quadrature import PRIOR_LIMIT, LatentGrid, quadrature_log_likelihood
from latentlab.models.train import train_model
from latentlab.records.datasets import get_dataset
from latentlab.records.runs import ModelSpec
from latentlab.records.settings import ModelSettings
from latentlab.runtime.jobs import usage_by_rule

RESULTS = ROOT / "results/benchmark"
DATASET = get_dataset("MNIST")
HIDDEN, LATENT_DIM = 400, 20
LAYERS = f"{DATASET.n_pixels}-{HIDDEN}-{LATENT_DIM}"
ROUNDS, EPOCHS, BATCH = 3, 3, 128


def vae_spec(latent_dim=LATENT_DIM, seed=0, **settings):
    """The spec of a VAE: that of the comparison of training loops, unless `settings` differ."""
    defaults = {"family": "vae", "hidden": (HIDDEN,), "batch_size": BATCH, "epochs": EPOCHS}
    return ModelSpec.of(ModelSettings(**defaults | settings), DATASET, latent_dim, seed)


def train_vae(splits, spec):
    """A VAE trained on the training images, without the time that a validation set would take."""
    return train_model(spec, splits["train"], tuple(part[:1] for part in splits["validation"]))[0]


def timed(function, *arguments):
    """What a function returns, and the CPU seconds that it took."""
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def train_as_in_a_tutorial(images, labels, spec):
    """A VAE trained as in tutorials: a DataLoader that converts one image after another, torch's own Adam, and a loss
    that is read at every step.

    It shares the memory settings of this process (latentlab/__init__.py), which make it faster too.
    """
    from torchvision.transforms import ToTensor

    class Images(torch.utils.data.Dataset):
        def __len__(self):
            return len(images)

        def __getitem__(self, index):
            return ToTensor()(Image.fromarray(images[index].numpy())), int(labels[index])

    torch.set_flush_denormal(False)  # torch's default
    torch.manual_seed(spec.seed)
    model = build_model(spec)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(spec.settings.epochs):
        total = 0.0
        for x, _ in torch.utils.data.DataLoader(Images(), batch_size=BATCH, shuffle=True):
            x = x.view(-1, spec.n_pixels)
            optimizer.zero_grad()
            mean, log_var = model.encode(x)
            z = mean + torch.randn_like(log_var) * torch.exp(0.5 * log_var)
            reconstruction = torch.sigmoid(model.decode(z))
            cross_entropy = functional.binary_cross_entropy(reconstruction, x, reduction="sum")
            loss = cross_entropy - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
            loss.backward()
            optimizer.step()
            total += loss.item()
    return model


def multiply_matrices(n_images):
    """The matrix products of one epoch and nothing else: forward, and backward for weights and inputs."""
    n_pixels = DATASET.n_pixels
    shapes = [(n_pixels, HIDDEN), (HIDDEN, 2 * LATENT_DIM), (LATENT_DIM, HIDDEN), (HIDDEN, n_pixels)]
    layers = [(torch.randn(BATCH, n), torch.randn(m, n), torch.randn(BATCH, m)) for n, m in shapes]
    for _ in range(n_images // BATCH):
        for depth, (x, weight, gradient) in enumerate(layers):
            torch.mm(x, weight.t())
            torch.mm(gradient.t(), x)
            if depth:  # the gradient of the images is not needed
                torch.mm(gradient, weight)


def compare_loops(splits):
    """CPU seconds per epoch of a tutorial's loop, of this project's and of the matrix products alone, and the test
    −ELBO that each loop reaches."""
    images, labels = splits["train"]
    loops = {
        "tutorial": lambda seed: train_as_in_a_tutorial(images, labels, vae_spec(seed=seed)),
        "float32": lambda seed: train_vae(splits, vae_spec(seed=seed, precision="float32")),
    }
    if bfloat16_instructions():  # torch would take several times as long to imitate it
        loops["bfloat16"] = lambda seed: train_vae(splits, vae_spec(seed=seed, precision="bfloat16"))
    seconds, losses = {name: [] for name in [*loops, "products"]}, {name: [] for name in loops}
    for seed in range(ROUNDS):
        for name, loop in loops.items():
            model, duration = timed(loop, seed)
            seconds[name].append(duration / EPOCHS)
            losses[name].append(evaluate(model, *splits["test"])[0].negative_elbo)
        seconds["products"] += [timed(multiply_matrices, len(images))[1] for _ in range(EPOCHS)]
    seconds["products"] = [min(seconds["products"])]  # the highest rate of this run
    results = {name: {"seconds": median(values)} for name, values in seconds.items()}
    for name, values in losses.items():
        results[name]["negative_elbo"] = sum(values) / len(values)
    print_table(
        f"{LAYERS} VAE, {len(images)} images, batch {BATCH}, one thread, {EPOCHS} epochs, median of {ROUNDS}",
        ["loop", "s per epoch", "tutorial ÷ loop", "loop ÷ products", "test −ELBO, nats"],
        [
            [
                name,
                f"{result['seconds']:.2f}",
                f"{results['tutorial']['seconds'] / result['seconds']:.2f}",
                f"{result['seconds'] / results['products']['seconds']:.2f}",
                f"{result['negative_elbo']:.2f}" if "negative_elbo" in result else "",
            ]
            for name, result in results.items()
        ],
    )
    return results


def measure_growth(splits):
    """CPU seconds per epoch by number of images and by latent dimension, and seconds of planning by number of jobs."""
    images, labels = (torch.cat([splits["train"][i], splits["validation"][i]]) for i in range(2))

    def seconds_per_epoch(n_images, latent_dim):
        subset = splits | {"train": (images[:n_images], labels[:n_images])}
        return median(timed(train_vae, subset, vae_spec(latent_dim, epochs=1))[1] for _ in range(ROUNDS))

    results = {
        "images": {n: seconds_per_epoch(n, LATENT_DIM) for n in (15_000, 30_000, 60_000)},
        "latent_dim": {d: seconds_per_epoch(15_000, d) for d in (2, 8, 32, 128)},
        "jobs": dict(plan_sweep(seeds) for seeds in (1, 10, 50, 100)),
    }
    units = {"images": "s per epoch", "latent_dim": "s per epoch of 15,000 images", "jobs": "s of planning"}
    for quantity, unit in units.items():
        rows = [[n, f"{seconds:.2f}"] for n, seconds in results[quantity].items()]
        print_table(f"growth with {quantity}", [quantity, unit], rows)
    figure, axes = plt.subplots(1, len(results), figsize=(9, 2.6), layout="constrained")
    for ax, (quantity, values) in zip(axes, results.items(), strict=True):
        ax.plot(list(values), list(values.values()), "o-")
        ax.set(xlabel=quantity.replace("_", " "), ylabel="seconds", ylim=(0, None))
    figure.savefig(RESULTS / "growth.svg")
    return results


def plan_sweep(seeds):
    """The number of jobs of a sweep with so many seeds at each dimension, and the seconds that planning takes."""
    start = time.perf_counter()
    output = run_workflow(RESULTS, "-n", "--config", f"sweep_seeds={seeds}", "--", "sweep")
    total = re.search(r"^total +(\d+)$", output, re.MULTILINE)
    return int(total[1]), time.perf_counter() - start


def compare_estimates(splits):
    """log p(x) of a VAE with two latent dimensions by quadrature and by importance weighting: seconds for all test
    images, and the mean absolute error of an image."""
    model = train_vae(splits, vae_spec(2, hidden=(512,), binarise=True))
    methods = {
        "quadrature": (quadrature, (0.2, 0.1, 0.05, 0.025)),
        "importance weighting": (importance_weighted, (16, 64, 256)),
    }
    results = []
    with torch.no_grad():
        images, y = splits["test"]
        x = model_input(images, model.spec.settings)
        reference = quadrature(model, x[:1000], y[:1000], 0.01, 2 * PRIOR_LIMIT)
        for method, (estimate, sizes) in methods.items():
            for size in sizes:
                runs = [timed(estimate, model, x, y, size) for _ in range(ROUNDS)]
                error = median((values[:1000] - reference).abs().mean().item() for values, _ in runs)
                seconds = median(duration for _, duration in runs)
                results.append({"method": method, "size": size, "seconds": seconds, "error": error})
    print_table(
        f"log p(x) of {len(x)} images, two latent dimensions; error against steps of 0.01 over twice the range",
        ["method", "step, or samples", "s", "error, nats"],
        [[row["method"], row["size"], f"{row['seconds']:.2f}", f"{row['error']:.4f}"] for row in results],
    )
    figure, ax = plt.subplots(figsize=(4, 2.8), layout="constrained")
    for method in methods:
        rows = [row for row in results if row["method"] == method]
        ax.loglog([row["seconds"] for row in rows], [row["error"] for row in rows], "o-", label=method)
    ax.set(xlabel=f"seconds for {len(x)} images", ylabel="error, nats")
    ax.legend()
    figure.savefig(RESULTS / "bounds.svg")
    return results


def quadrature(model, x, y, step, limit=PRIOR_LIMIT):
    return quadrature_log_likelihood(model, x, y, LatentGrid(step, limit))


def importance_weighted(model, x, y, samples):
    bounds = (log_likelihood_bounds(model, *batch, samples) for batch in split_batches(500, x, y))
    return torch.cat([batch.importance_weighted for batch in bounds])


def time_pipeline(splits):
    """Wall seconds of `report` from the data alone, and again after a change of its text; by rule the number of jobs,
    their seconds, their CPU seconds including their start, and their peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = copy_source(Path(folder) / "latentlab").root
        wall = {}
        for name in ("report", "page alone"):
            start = time.perf_counter()
            run_workflow(root, "--", "report", root=root)
            wall[name] = time.perf_counter() - start
            template = root / "templates/summary/page.html.j2"
            template.write_text(template.read_text().replace("</p>", " And so on.</p>", 1))
        rules = usage_by_rule(root / "results/logs")
    rows = [[name, f"{seconds:.1f}"] for name, seconds in wall.items()]
    print_table(f"wall seconds on {os.cpu_count()} cores", ["target", "s"], rows)
    print_table(
        "the report by rule",
        ["rule", "jobs", "s", "CPU s", "at most MiB"],
        [[name, use.jobs, f"{use.seconds:.1f}", f"{use.cpu:.1f}", use.mib] for name, use in rules.items()],
    )
    return {"wall": wall, "rules": {name: asdict(usage) for name, usage in rules.items()}}


def measure_explorer(splits):
    """What the explorer does in headless Chromium with the planes of a VAE and a CVAE side by side: the time from a
    stroke on the pad to the picture of both posteriors (before they are refined), frames while the mouse is dragged
    over a plane, and the size of the page by part."""
    from playwright.sync_api import sync_playwright

    models = {
        label: train_vae(splits, vae_spec(2, hidden=(512,), conditional=conditional, epochs=1))
        for label, conditional in (("CVAE", True), ("VAE", False))
    }
    images, labels = (part.numpy() for part in splits["test"])
    codes = {label: (model, encode_splits(model, splits)) for label, model in models.items()}
    path = write_explorer(RESULTS / "explorer.html", codes, images, labels)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri())
        wait_until_ready(page)
        start = time.perf_counter()
        choose(page, "two")
        wait_until_idle(page)
        decoding = time.perf_counter() - start
        page.locator("#clear").click()
        page.evaluate("explorer.state.latencies.length = 0")
        for row in range(1, 10):
            draw_with_mouse(page, [(0.2, row / 10), (0.8, row / 10 + 0.05)])
        strokes = page.evaluate("explorer.state.latencies")
        times = drag_over_plane(page)
        browser.close()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    results = {
        "stroke_median_ms": median(strokes),
        "stroke_longest_ms": max(strokes),
        "frames_per_second": 1000 * len(gaps) / sum(gaps),
        "frame_longest_ms": max(gaps),
        "decoding_s": decoding,
    }
    print_table(
        "the explorer with the planes of a CVAE and a VAE",
        [
            "stroke to posteriors, median ms",
            "longest",
            "frames per second while dragging",
            "longest ms",
            "decoding both, s",
        ],
        [[f"{value:.1f}" for value in results.values()]],
    )
    sizes = page_sizes(path)
    print_table("the size of that page", ["part", "bytes"], [[part, f"{size:,}"] for part, size in sizes.items()])
    return results | {"bytes": sizes}


def drag_over_plane(page):
    """Drag the mouse over the first plane; the times of the frames meanwhile, ms."""
    box = page.locator("#panel-0 .marks").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.evaluate(
        """() => { globalThis.times = [];
        const record = (now) => { times.push(now); requestAnimationFrame(record) }; requestAnimationFrame(record) }"""
    )
    for step in range(400):
        page.mouse.move(box["x"] + 50 + 300 * (step % 100) / 100, box["y"] + 50 + step / 2)
    return page.evaluate("() => times")


def page_sizes(path):
    """Bytes of an explorer by part."""
    text = path.read_text()
    models = json.loads(re.search(r'id="page-data">(.*?)</script>', text, re.DOTALL)[1])["models"]
    sizes = {
        f"{part} of {model['label']}": len(json.dumps(model[part]))
        for model in models
        for part in ("decoder", "encoder")
    }
    sizes["codes and densities"] = sum(len(json.dumps([model["codes"], model["densities"]])) for model in models)
    sizes["test images"] = len(re.search(r'src="(data:[^"]*)"', text)[1])
    sizes["scripts"] = len(re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1])
    return sizes | {"everything": len(text.encode())}


def run_workflow(folder, *arguments, root=ROOT):
    """The output of snakemake in the working directory `folder`, on all cores and with the data of this machine."""
    location = ["--snakefile", root / "Snakefile", "--directory", folder]
    options = ["--cores", os.cpu_count(), "--workflow-profile", root / "profiles/default", *location]
    process = run_snakemake(root, *options, *arguments, LATENTLAB_DATA=os.environ.get("LATENTLAB_DATA"))
    if process.returncode:
        sys.exit(process.stdout[-4000:])
    return process.stdout


def print_table(title, head, rows):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    sys.stdout.flush()


def machine():
    """The processor, the number of cores, the instruction set of matrix products and the version of torch."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    name = re.search(r"model name\s*: (.*)", text)
    processor = name[1] if name else platform.processor()
    instructions = bfloat16_instructions() or torch.backends.cpu.get_cpu_capability()
    return f"{processor}, {os.cpu_count()} cores, {instructions}; torch {torch.__version__}"


PARTS = {
    "loop": compare_loops,
    "growth": measure_growth,
    "bounds": compare_estimates,
    "explorer": measure_explorer,
    "pipeline": time_pipeline,
}


def main(parts):
    for part in parts:
        if part not in PARTS:
            sys.exit(f"latentlab: the benchmark has no part {part!r}; its parts are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    use_style(ROOT / "matplotlibrc")
    RESULTS.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    sizes = config["validation_size"], config["training_size"]
    folder = local_data_folder(config["data_dir"])
    record = fetch_dataset(DATASET, RESULTS / "resources", config["data_source"], folder, *sizes)
    splits = {name: to_tensors(*load_split(record, name)) for name in ("train", "validation", "test")}
    print(machine())
    results = {"machine": machine(), "data": record.source}
    for part in parts or PARTS:
        results[part] = PARTS[part](splits)
    (RESULTS / "benchmark.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
