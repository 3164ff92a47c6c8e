// Draws the latent plane: density, codes, the prior's circles, the axes, and what is inferred of an image.

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

/** The context of a canvas, cleared and scaled to CSS pixels; it is square unless a height is given. */
export function clearedContext(canvas, size, height = size) {
  const density = globalThis.devicePixelRatio || 1;
  const sides = [size, height].map((side) => Math.max(Math.round(side * density), 1));
  if (canvas.width !== sides[0] || canvas.height !== sides[1])
    [canvas.width, canvas.height] = sides;
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, size, height);
  return context;
}

/** All that does not move. `colours` are those of the page. Of a conditional model only the codes of `label`, which
 * share its plane, are drawn in full. */
export function drawPlane(canvas, model, label, size, colours) {
  const context = clearedContext(canvas, size);
  const at = frame(model, size);
  context.font = "11px system-ui, sans-serif";
  context.save();
  clipToPlane(context, size);
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

/** Draw p(z|x): each cell by the square root of its density, so that thin parts can be seen. */
export function drawPosterior(context, posterior, at, colour) {
  context.fillStyle = colour;
  for (const { x, y, side, density } of posterior.cells) {
    const alpha = Math.exp((density - posterior.mode.density) / 2);
    if (alpha < 0.02) continue;
    context.globalAlpha = alpha;
    // on whole pixels, so that no seams are left between cells
    const [left, right] = [at.x(x - side / 2), at.x(x + side / 2)].map(Math.round);
    const [top, bottom] = [at.y(y + side / 2), at.y(y - side / 2)].map(Math.round);
    context.fillRect(left, top, Math.max(right - left, 1), Math.max(bottom - top, 1));
  }
  context.globalAlpha = 1;
}

/** Draw where the encoder puts an image: two standard deviations of its Gaussian, or a cross at its point. */
export function drawCode(context, { mean, std }, at, colours) {
  const marks = new Path2D();
  const [x, y] = [at.x(mean[0]), at.y(mean[1])];
  if (std)
    marks.ellipse(x, y, 2 * std[0] * at.scale[0], 2 * std[1] * at.scale[1], 0, 0, 2 * Math.PI);
  for (const [right, up] of [
    [1, 1],
    [1, -1],
  ]) {
    marks.moveTo(x - 4 * right, y - 4 * up);
    marks.lineTo(x + 4 * right, y + 4 * up);
  }
  outline(context, marks, colours, 1.5);
}

/** Stroke a path such that it is visible on dots of any colour. */
export function outline(context, path, colours, width = 2) {
  context.strokeStyle = colours.background;
  context.lineWidth = width + 2.5;
  context.stroke(path);
  context.strokeStyle = colours.text;
  context.lineWidth = width;
  context.stroke(path);
}

/** Draw the posterior and the encoder's Gaussian alone, enlarged. Returns the width of what is shown, in units of z. */
export function drawEnlarged(canvas, posterior, code, size, colours) {
  const range = posterior.range();
  if (code?.std)
    for (const i of [0, 1]) {
      range.low[i] = Math.min(range.low[i], code.mean[i] - 2.5 * code.std[i]);
      range.high[i] = Math.max(range.high[i], code.mean[i] + 2.5 * code.std[i]);
    }
  const width = Math.max(range.high[0] - range.low[0], range.high[1] - range.low[1]);
  const middle = [0, 1].map((i) => (range.low[i] + range.high[i]) / 2);
  const scale = size / width;
  const at = {
    x: (z) => size / 2 + (z - middle[0]) * scale,
    y: (z) => size / 2 - (z - middle[1]) * scale,
    scale: [scale, scale],
  };
  const context = clearedContext(canvas, size);
  drawPosterior(context, posterior, at, colours.heat);
  if (code) drawCode(context, code, at, colours);
  return width;
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

/** Draw into the frame of the plane alone, not over the axes. */
export function clipToPlane(context, size) {
  context.beginPath();
  context.rect(MARGIN, 0, size - MARGIN, size - MARGIN);
  context.clip();
}

/** A number as the report writes it, with a minus sign instead of a hyphen. */
export function formatNumber(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}
