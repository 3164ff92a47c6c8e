import torch

from latentlab import data, pca, training
from latentlab.files import write_json
from latentlab.jobs import job

with job(snakemake.log):
    train, test = (training.to_pixels(data.load(snakemake.input.data, split)[0]).numpy() for split in ("train", "test"))
    loaded = [training.load(path) for path in snakemake.input.weights]
    reconstructions = {
        model.latent_dim: lambda x, model=model, settings=described["settings"]: training.reconstruct(
            model, settings, torch.tensor(x), torch.zeros(len(x), dtype=torch.int64)
        ).numpy()
        for model, described in loaded
    }
    linear = {
        model.latent_dim: model.decoder[0].weight.detach().numpy()
        for model, described in loaded
        if described["settings"]["output"] == "linear" and not described["settings"]["hidden"]
    }
    write_json(snakemake.output.metrics, pca.beside(pca.Reference(train), reconstructions, linear, test))
