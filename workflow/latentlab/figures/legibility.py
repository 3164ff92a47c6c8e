"""Whether the text of a figure can be read: large enough, not cut off, and not on top of other text."""

from dataclasses import dataclass
from typing import Literal

from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from latentlab.runtime.errors import UserError

MIN_SIZE = 6.0  # points
SUBSCRIPT_SCALE = 0.7  # of mathtext
TOLERANCE = 1.0  # points by which boxes of text may overlap: they hold the space above and below the letters


@dataclass(frozen=True)
class PlacedText:
    """A line of text; `box` is (left, top, right, bottom) in points from the figure's top left corner."""

    text: str
    size: float
    box: tuple[float, float, float, float]


class TextRecorder(RendererBase):
    """Draws nothing and remembers all lines of text, except those that lie where the data put them: text with an
    outline, which stays legible on top of others, and text in a box of its own."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.size, self.texts = (width, height), list[PlacedText]()

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.size

    def draw_path(self, *arguments: object, **options: object) -> None: ...

    def draw_image(self, *arguments: object, **options: object) -> None: ...

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: bool | Literal["TeX"] = False,
        mtext: Text | None = None,
    ) -> None:
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        if mtext is not None and mtext.get_bbox_patch() is not None:
            return
        ascent = height - descent
        box = (x, y - ascent, x + width, y + descent)
        if angle == 90:
            box = (x - ascent, y - width, x + descent, y)
        smallest = SUBSCRIPT_SCALE if ismath and "_" in s else 1.0
        self.texts.append(PlacedText(s, smallest * prop.get_size_in_points(), box))


def placed_texts(fig: Figure) -> list[PlacedText]:
    """The lines of text that a figure draws."""
    fig.set_dpi(72)  # so that pixels are points
    width, height = fig.get_size_inches() * 72
    recorder = TextRecorder(width, height)
    fig.draw(recorder)
    return recorder.texts


def check_legible(name: str, fig: Figure) -> None:
    """Check the text of the figure `name`.

    Raises:
        UserError: some of it is too small, overlaps other text or is cut off.
    """
    texts = placed_texts(fig)
    width, height = fig.get_size_inches() * 72
    for i, text in enumerate(texts):
        if text.size < MIN_SIZE - 0.05:
            raise UserError(f"figures.{name}: “{text.text}” has {text.size:.1f} points, less than {MIN_SIZE:g}")
        left, top, right, bottom = text.box
        if min(left, top, width - right, height - bottom) < -TOLERANCE:
            raise UserError(f"figures.{name}: “{text.text}” is cut off: make the figure larger in assignment.yaml")
        for other in texts[:i]:
            if _overlap(text.box, other.box) > TOLERANCE:
                raise UserError(
                    f"figures.{name}: “{other.text}” and “{text.text}” overlap: make the figure larger in "
                    "assignment.yaml"
                )


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """How far two boxes overlap in the direction in which they overlap less; negative if they do not."""
    return min(min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
