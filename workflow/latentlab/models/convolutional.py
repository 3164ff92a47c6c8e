"""A VAE with convolutions on both sides."""

import math

import torch
from torch import Tensor, nn

from latentlab.models.networks import VAE
from latentlab.records.runs import ModelSpec


class ConvolutionalVAE(VAE):
    """A VAE (Kingma & Welling 2014), or with `conditional: true` a CVAE (Sohn et al. 2015), of strided convolutions
    (Radford et al. 2016).

    Encoder: two 3×3 convolutions of stride 2 with 32 and 64 channels and ReLUs, then the fully connected layers of
    `hidden`. Decoder: these layers mirrored, a ReLU, and two transposed convolutions. The label of a conditional model
    joins at the fully connected layers. Images may have any shape. Loss and bounds are those of the VAE.
    """

    channels = 64  # of the smallest feature maps

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        half = halved(spec.size)
        self.features = nn.Sequential(
            nn.Unflatten(1, (spec.n_channels, *spec.size)),
            *(nn.Conv2d(spec.n_channels, 32, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(32, self.channels, 3, stride=2, padding=1), nn.ReLU()),
            nn.Flatten(),
        )
        self.deconv = nn.Sequential(
            *(nn.ReLU(), nn.Unflatten(1, (self.channels, *halved(half)))),
            *(doubling_convolution(self.channels, 32, half), nn.ReLU()),
            doubling_convolution(32, spec.n_channels, spec.size),
            nn.Flatten(),
        )
        self.to(memory_format=torch.channels_last)  # makes the convolutions half as fast again

    @property
    def n_features(self) -> int:
        return self.channels * math.prod(halved(halved(self.spec.size)))

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return super().encode(self.features(x), y)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.deconv(super().decode(z, y)).float()


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns after a 3×3 convolution of stride 2: half of them, rounded up."""
    rows, columns = size
    return (rows + 1) // 2, (columns + 1) // 2


def doubling_convolution(fan_in: int, fan_out: int, size: tuple[int, int]) -> nn.ConvTranspose2d:
    """The transpose of a 3×3 convolution of stride 2, whose output has `size`, rows and columns."""
    rows, columns = size
    extra = ((rows + 1) % 2, (columns + 1) % 2)  # without it 2n − 1 rows would come of n, and 2n be out of reach
    return nn.ConvTranspose2d(fan_in, fan_out, 3, stride=2, padding=1, output_padding=extra)
