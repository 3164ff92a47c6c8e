// Draws the latent plane: density, codes, the prior's circles and the axes.

const MARGIN = 26; // CSS pixels for the numbers along the axes

/** Maps between the plane of `model` and a square canvas of `size` CSS pixels. */
export function frame(model, size) {
  const { low, high } = model;
  const scale = [0, 1].map((i) => (size - MARGIN) / (high[i] - low[i]));
  return {
    size,
    x: (z) => MARGIN + (z - low[0]) * scale[0],
    y: (z) => (high[1] - z) * scale[1],
    z: (x, y) => [
      Math.min(Math.max(low[0] + (x - MARGIN) / scale[0], low[0]), high[0]),
      Math.min(Math.max(high[1] - y / scale[1], low[1]), high[1]),
    ],
    scale,
  };
}

/** The context of a canvas, cleared and scaled to CSS pixels. */
export function clearedContext(canvas, size) {
  const density = globalThis.devicePixelRatio || 1;
  const side = Math.round(size * density);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, size, size);
  return context;
}

/** All that does not move. `colours` are those of the page. Of a conditional model only the codes of `label`, which
 * share its plane, are drawn in full. */
export function drawPlane(canvas, model, label, size, colours) {
  const context = clearedContext(canvas, size);
  const at = frame(model, size);
  context.font = "11px system-ui, sans-serif";
  context.save();
  context.beginPath();
  context.rect(MARGIN, 0, size - MARGIN, size - MARGIN);
  context.clip();
  if (model.densities.length)
    drawDensity(context, model.densities[model.conditional ? label : 0], size, colours.accent);
  for (const faint of [true, false]) {
    context.globalAlpha = faint ? 0.12 : 0.8;
    model.codes.forEach(([x, y], i) => {
      const other = model.conditional && model.labels[i] !== label;
      if (other !== faint) return;
      context.fillStyle = colours.classes[model.labels[i]];
      context.fillRect(at.x(x) - 1.5, at.y(y) - 1.5, 3, 3);
    });
  }
  context.globalAlpha = 1;
  if (model.generative) {
    context.strokeStyle = colours.text;
    context.setLineDash([4, 4]);
    for (const sigmas of [1, 2]) {
      context.beginPath();
      context.ellipse(
        at.x(0),
        at.y(0),
        sigmas * at.scale[0],
        sigmas * at.scale[1],
        0,
        0,
        2 * Math.PI,
      );
      context.stroke();
    }
    context.setLineDash([]);
  }
  if (!model.conditional) drawCentres(context, model, at, colours);
  context.restore();
  drawAxes(context, model, at, colours);
}

function drawDensity(context, density, size, colour) {
  const side = Math.sqrt(density.length);
  const tile = new OffscreenCanvas(side, side);
  const inner = tile.getContext("2d");
  inner.fillStyle = colour;
  inner.fillRect(0, 0, side, side);
  const pixels = inner.getImageData(0, 0, side, side);
  density.forEach((value, i) => (pixels.data[4 * i + 3] = value * 0.6));
  inner.putImageData(pixels, 0, 0);
  context.drawImage(tile, MARGIN, 0, size - MARGIN, size - MARGIN);
}

/** A number at the centre of each class, so that no colours have to be distinguished. */
function drawCentres(context, model, at, colours) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "bold 12px system-ui, sans-serif";
  context.lineWidth = 3;
  context.strokeStyle = colours.background;
  context.fillStyle = colours.text;
  model.classes.forEach((_, label) => {
    const own = model.codes.filter((_, i) => model.labels[i] === label);
    if (!own.length) return;
    const [x, y] = [0, 1].map(
      (i) => own.map((code) => code[i]).sort((a, b) => a - b)[own.length >> 1],
    );
    context.strokeText(label, at.x(x), at.y(y));
    context.fillText(label, at.x(x), at.y(y));
  });
  context.lineWidth = 1;
}

function drawAxes(context, model, at, colours) {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = colours.quiet;
  context.strokeRect(MARGIN + 0.5, 0.5, at.size - MARGIN - 1, at.size - MARGIN - 1);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const z of ticks(model.low[0], model.high[0]))
    context.fillText(formatNumber(z, 0), at.x(z), at.size - MARGIN + 5);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const z of ticks(model.low[1], model.high[1]))
    context.fillText(formatNumber(z, 0), MARGIN - 4, at.y(z));
  context.fillText("z₂", MARGIN - 4, 8);
  context.textBaseline = "top";
  context.fillText("z₁", at.size - 2, at.size - MARGIN + 5);
}

/** Up to seven round numbers between both ends, not close to them. */
function ticks(low, high) {
  const step =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => (high - low) / size <= 8) ?? 5000;
  const first = Math.ceil((low + 0.04 * (high - low)) / step);
  const last = Math.floor((high - 0.06 * (high - low)) / step);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

/** A number as the report writes it, with a minus sign instead of a hyphen. */
export function formatNumber(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}
