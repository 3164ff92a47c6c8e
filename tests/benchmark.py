"""How fast it is, measured on this machine: `./run bench` (all parts), `./run bench loop growth` (some).

Each part prints its table and leaves its figures in results/benchmark/. What is compared runs interleaved in one
process, several times; the median counts.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
import yaml
from elsewhere import CHROMIUM, ROOT
from matplotlib import pyplot as plt
from torch.nn import functional

from latentlab import codes, data, explorer, fetch, jobs, likelihood, models, plots, settings, training
from latentlab.objectives import likelihood_of

MADE = ROOT / "results/benchmark"
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
ROUNDS, EPOCHS, BATCH = 3, 3, 128


def entry(**own):
    """The settings of a model of the loop's comparison: 784-400-20, unless `own` says otherwise."""
    config = {"models": {"bench": {"family": "vae", "hidden": [400], "batch_size": BATCH, "epochs": EPOCHS} | own}}
    return settings.resolve(config, SCHEMA, "bench")


def timed(run, *args):
    """Its result, and the seconds of CPU that it took."""
    start = time.process_time()
    found = run(*args)
    return found, time.process_time() - start


def textbook(images, labels, latent_dim, epochs, seed):
    """A VAE as tutorials train it: a DataLoader that turns picture after picture into a tensor, plain Adam, and the
    loss read off at every step. Returns its network in our form. It shares this process's memory settings
    (latentlab/__init__.py), which help it too."""
    from PIL import Image
    from torchvision.transforms import ToTensor

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return len(images)

        def __getitem__(self, i):
            return ToTensor()(Image.fromarray(images[i].numpy())), int(labels[i])

    torch.set_flush_denormal(False)  # torch's default
    torch.manual_seed(seed)
    model = models.build(entry(), latent_dim)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        total = 0.0
        for x, _ in torch.utils.data.DataLoader(Pictures(), batch_size=BATCH, shuffle=True):
            x = x.view(-1, 784)
            optimiser.zero_grad()
            mean, log_var = model.encode(x)
            z = mean + torch.randn_like(log_var) * torch.exp(0.5 * log_var)
            reconstruction = torch.sigmoid(model.decode(z))
            entropy = functional.binary_cross_entropy(reconstruction, x, reduction="sum")
            loss = entropy - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
            loss.backward()
            optimiser.step()
            total += loss.item()
    return model


def products(latent_dim, images, batch=BATCH):
    """The matrix products of one epoch and nothing else: forward, and backward for weights and inputs."""
    shapes = [(784, 400), (400, 2 * latent_dim), (latent_dim, 400), (400, 784)]
    layers = [(torch.randn(batch, n), torch.randn(m, n), torch.randn(batch, m)) for n, m in shapes]
    for _ in range(images // batch):
        for depth, (x, weight, gradient) in enumerate(layers):
            torch.mm(x, weight.t())
            torch.mm(gradient.t(), x)
            if depth:  # nobody asks for the gradient of the images
                torch.mm(gradient, weight)


def loop(splits):
    """Seconds of CPU an epoch of the textbook's loop, of ours and of the products alone, and the test −ELBO of each."""
    images, labels = splits["train"]
    empty = tuple(part[:1] for part in splits["validation"])

    def ours(seed, **own):
        return training.train(entry(**own), 20, seed, (images, labels), empty)[0]

    runs = {
        "textbook": lambda seed: textbook(images, labels, 20, EPOCHS, seed),
        "float32": ours,
        "bfloat16": lambda seed: ours(seed, precision="bfloat16"),
    }
    seconds, bounds = {name: [] for name in [*runs, "products"]}, {name: [] for name in runs}
    for seed in range(ROUNDS):
        for name, run in runs.items():
            model, took = timed(run, seed)
            seconds[name].append(took / EPOCHS)
            found = likelihood.evaluate(model, entry(), *splits["test"])
            bounds[name].append(found["negative_elbo"])
        seconds["products"] += [timed(products, 20, len(images))[1] for _ in range(EPOCHS)]
    seconds["products"] = [min(seconds["products"])]  # the best rate of this run
    found = {name: {"seconds": median(values)} for name, values in seconds.items()}
    for name, values in bounds.items():
        found[name]["negative_elbo"] = sum(values) / len(values)
    table(
        f"784-400-20 VAE, {len(images)} images, batch {BATCH}, one thread, {EPOCHS} epochs, median of {ROUNDS}",
        ["loop", "s an epoch", "textbook ÷ it", "it ÷ products", "test −ELBO, nats"],
        [
            [
                *(name, f"{one['seconds']:.2f}", f"{found['textbook']['seconds'] / one['seconds']:.2f}"),
                f"{one['seconds'] / found['products']['seconds']:.2f}",
                f"{one['negative_elbo']:.2f}" if "negative_elbo" in one else "",
            ]
            for name, one in found.items()
        ],
    )
    return found


def growth(splits):
    """Seconds of CPU an epoch by number of images and by latent dimension, and of planning by number of models."""
    images, labels = (torch.cat([splits["train"][i], splits["validation"][i]]) for i in range(2))
    empty = tuple(part[:1] for part in splits["validation"])

    def epoch(count, latent_dim):
        shown = images[:count], labels[:count]
        return median(timed(training.train, entry(epochs=1), latent_dim, 0, shown, empty)[1] for _ in range(ROUNDS))

    found = {
        "images": {count: epoch(count, 20) for count in (15_000, 30_000, 60_000)},
        "latent_dim": {d: epoch(15_000, d) for d in (2, 8, 32, 128)},
        "jobs": dict(planning(seeds) for seeds in (1, 10, 50, 100)),
    }
    for what, unit in (("images", "an epoch"), ("latent_dim", "an epoch of 15,000 images"), ("jobs", "of planning")):
        table(f"growth with {what}", [what, f"s {unit}"], [[n, f"{s:.2f}"] for n, s in found[what].items()])
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
    for ax, (what, values) in zip(axes, found.items(), strict=True):
        ax.plot(list(values), list(values.values()), "o-")
        ax.set(xlabel=what.replace("_", " "), ylabel="seconds", ylim=(0, None))
    figure.savefig(MADE / "growth.svg")
    return found


def planning(seeds):
    """The number of jobs of a sweep with so many seeds at each dimension, and the seconds that planning them takes."""
    start = time.perf_counter()
    done = snakemake(MADE, "-n", "--config", f"sweep_seeds={seeds}", "--", "sweep")
    total = re.search(r"^total +(\d+)$", done.stdout, re.MULTILINE)
    return int(total[1]), time.perf_counter() - start


def bounds(splits):
    """log p(x) of a 2-D VAE by the integral and by importance weighting: seconds for 1,000 images, and the error."""
    model_settings = entry(hidden=[512], binarise=True, precision="bfloat16")
    model = training.train(model_settings, 2, 0, splits["train"], tuple(part[:1] for part in splits["validation"]))[0]
    with torch.no_grad():
        x, y = training.observe(splits["test"][0][:1000], model_settings), splits["test"][1][:1000]
        kind = likelihood_of(model_settings)
        truth = likelihood.exact(model, kind, x, y, 800).mean().item()
        tries = [("integral", count, lambda n: likelihood.exact(model, kind, x, y, n)) for count in (50, 100, 200, 300)]
        tries += [
            ("importance weighting", n, lambda n: likelihood.importance_weighted_bound(model, kind, x, y, n))
            for n in (16, 64, 256, 1024)
        ]
        found = []
        for method, size, run in tries:
            runs = [timed(run, size) for _ in range(ROUNDS)]
            error = median(abs(values.mean().item() - truth) for values, _ in runs)
            found.append({"method": method, "size": size, "seconds": median(s for _, s in runs), "error": error})
    table(
        "log p(x) of 1,000 images under a 2-D VAE; error against an integral over 800² positions",
        ["method", "positions a side, or samples", "s", "error, nats"],
        [[one["method"], one["size"], f"{one['seconds']:.2f}", f"{one['error']:.4f}"] for one in found],
    )
    figure, ax = plt.subplots(figsize=(4, 2.8), layout="constrained")
    for method in ("integral", "importance weighting"):
        points = [one for one in found if one["method"] == method]
        ax.loglog([p["seconds"] for p in points], [p["error"] for p in points], "o-", label=method)
    ax.set(xlabel="seconds for 1,000 images", ylabel="error, nats")
    ax.legend()
    figure.savefig(MADE / "bounds.svg")
    return found


def pipeline(splits):
    """`report` from nothing but the data, then again after a change of text: wall seconds, and by rule jobs, seconds,
    seconds of CPU with the start, and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "latentlab"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "results", "resources"))
        walls = {}
        for name in ("report", "page alone"):
            start = time.perf_counter()
            snakemake(copy, "--", "report", root=copy)
            walls[name] = time.perf_counter() - start
            template = copy / "templates/summary/page.html.j2"
            template.write_text(template.read_text().replace("</p>", " And so on.</p>", 1))
        rules = jobs.by_rule(copy / "results/logs")
    cores = os.cpu_count()
    table(f"wall seconds on {cores} cores", ["target", "s"], [[name, f"{took:.1f}"] for name, took in walls.items()])
    table(
        "the report by rule",
        ["rule", "jobs", "s", "s of CPU", "at most MiB"],
        [[name, one["jobs"], f"{one['seconds']:.1f}", f"{one['cpu']:.1f}", one["mib"]] for name, one in rules.items()],
    )
    return {"wall": walls, "rules": rules}


def frames(splits):
    """Pictures a second that the explorer draws while the mouse is dragged over a CVAE's plane, each with the decoder's
    answer under all ten labels, in headless Chromium."""
    from playwright.sync_api import sync_playwright

    own = entry(hidden=[512], conditional=True, epochs=1)
    model = training.train(own, 2, 0, splits["train"], tuple(part[:1] for part in splits["validation"]))[0]
    arrays = codes.encode(model, {name: splits[name] for name in ("train", "test")})
    about = {"title": "Frames", "dataset": "MNIST", "stand_in": False, "data": "", "version": "", "commit": ""}
    described = explorer.describe(model, {"settings": own}, "CVAE", arrays) | {"weights": ""}
    images, labels = (part.numpy() for part in splits["test"])
    folder, classes = ROOT / "templates/explorer", data.CLASSES["MNIST"]
    page = explorer.render(folder, [described], images, labels, classes, ROOT / "matplotlibrc", about)
    (MADE / "explorer.html").write_text(page)
    count = """() => { globalThis.times = []; const note = (now) => { times.push(now); requestAnimationFrame(note) };
        requestAnimationFrame(note) }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto((MADE / "explorer.html").as_uri())
        tab.wait_for_timeout(1000)
        box = tab.locator("#marks").bounding_box()
        tab.mouse.move(box["x"] + 100, box["y"] + 100)
        tab.mouse.down()
        tab.evaluate(count)
        for step in range(600):
            tab.mouse.move(box["x"] + 100 + 400 * (step % 100) / 100, box["y"] + 100 + step / 2)
        times = tab.evaluate("() => times")
        browser.close()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    found = {"frames_a_second": 1000 * len(gaps) / sum(gaps), "median_ms": median(gaps), "longest_ms": max(gaps)}
    table(
        "the explorer while dragging",
        ["frames a second", "median ms a frame", "longest"],
        [[f"{value:.1f}" for value in found.values()]],
    )
    return found


def snakemake(folder, *words, root=ROOT):
    command = [sys.executable, "-m", "snakemake", "--cores", str(os.cpu_count()), "--directory", folder]
    command += ["--snakefile", root / "Snakefile", "--workflow-profile", root / "profiles/default", *words]
    environment = os.environ | {"PYTHONPATH": str(root / "workflow")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(done.stdout[-4000:])
    return done


def table(title, head, rows):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    sys.stdout.flush()


def machine():
    """What it was measured on, in words."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    name = re.search(r"model name\s*: (.*)", text)
    amx = "with" if torch.cpu.get_capabilities().get("amx_bf16", False) else "without"
    return f"{name[1] if name else platform.processor()}, {os.cpu_count()} cores, {amx} AMX; torch {torch.__version__}"


PARTS = {"loop": loop, "growth": growth, "bounds": bounds, "explorer": frames, "pipeline": pipeline}


def main(wanted):
    for part in wanted:
        if part not in PARTS:
            sys.exit(f"latentlab: there is no part {part!r} of the benchmark; it has {', '.join(PARTS)}")
    torch.set_num_threads(1)
    plots.use_style(ROOT / "matplotlibrc")
    MADE.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    folder = fetch.local_folder(config["data_dir"])
    record = fetch.fetch("MNIST", MADE / "resources", config["data_source"], folder)
    record |= {key: config[key] for key in ("validation_size", "training_size")}
    splits = {name: training.tensors(*data.load(record, name)) for name in ("train", "validation", "test")}
    print(machine())
    found = {"machine": machine(), "data": record["source"]}
    for part in wanted or PARTS:
        found[part] = PARTS[part](splits)
    (MADE / "benchmark.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
