// The exact posterior p(z|x) of an image, by adaptive quadrature over the plane.
//
// The plane is divided into square cells, and decoded once at their centres. Then log p(x|z) at all centres is a sum over
// pixels, to which a stroke adds the columns of the pixels that it changes. Cells that hold mass are afterwards divided
// further, until the masses change no more. Cells have their edges at multiples of the step, as those of quadrature.py.

import { decodeOutputs } from "./network.js";

// Of one plane. With Fourier features posteriors are narrower; a conditional model has a plane for each label.
const MAX_CELLS = { plain: 8200, fourier: 16000, conditional: 4100 };
const CELL_SIDES = [0.1, 0.2, 0.4, 0.8, 1.6]; // units of z
const DECODED = 8; // cells decoded at a time
// In the first levels cells are divided, whatever their error, if their highest density is estimated to be at most so many
// nats below the highest one of all.
const CUTOFFS = [50, 25, 14];
const HORIZON = 150; // nats below the highest density, from which on no estimate is made
const TOLERANCE = 0.003; // of the masses, as total variation
const MAX_REFINED = 20000; // cells, in one refinement
const NEGLIGIBLE = 16; // nats below the most probable label, from which on the others are not refined

/** The square cells, [x, y] of their centres, that cover all positions within the distance `model.reach` of 0. */
export function cellsOf(model) {
  const plain = model.decoder[0].frequencies ? MAX_CELLS.fourier : MAX_CELLS.plain;
  const most = model.conditional ? MAX_CELLS.conditional : plain;
  const count = (step) => Math.PI * (model.reach / step) ** 2;
  const step = CELL_SIDES.find((size) => count(size) <= most) ?? CELL_SIDES.at(-1);
  const half = Math.ceil(model.reach / step);
  const centres = [];
  for (let row = -half; row < half; row++)
    for (let column = -half; column < half; column++) {
      const z = [(column + 0.5) * step, (row + 0.5) * step];
      if (Math.hypot(...z) < model.reach + step) centres.push(z);
    }
  return { step, centres };
}

/** log p(x|z) of an image that changes, at the centres of all cells. */
export class LogLikelihoods {
  constructor(model, label) {
    Object.assign(this, { model, label, ready: false, done: 0, ...cellsOf(model) });
    this.priors = this.centres.map(([x, y]) => logPrior(x, y));
  }

  /** Decodes the plane; yields after every few cells. */
  *decodePlane() {
    const { model, centres } = this;
    const n = centres.length;
    for (let first = 0; first < n; first += DECODED) {
      const outputs = decodeOutputs(model, centres.slice(first, first + DECODED), this.label);
      const decoded = Math.min(DECODED, n - first);
      const nPixels = outputs.length / decoded;
      this.slopes ??= new Float32Array(nPixels * n);
      this.values ??= new Float64Array(n);
      this.image ??= new Float32Array(nPixels);
      for (let i = 0; i < decoded; i++) {
        const row = outputs.subarray(i * nPixels, (i + 1) * nPixels);
        const slopes = toSlopes(model, row);
        this.values[first + i] = logLikelihoodOfBlack(model, row);
        for (let pixel = 0; pixel < nPixels; pixel++)
          this.slopes[pixel * n + first + i] = slopes[pixel];
      }
      this.done = (first + decoded) / n;
      yield;
    }
    this.black = this.values.slice();
    this.ready = true;
  }

  /** Take the image with these pixels, from 0 to 1, in place of the last one. */
  update(pixels) {
    this.addChanges(this.values, pixels, this.image);
    this.image.set(pixels);
  }

  /** The centre with the highest density p(z|x) of another image. */
  modeOf(pixels) {
    const values = this.black.slice();
    this.addChanges(values, pixels, new Float32Array(pixels.length));
    let best = 0;
    for (let i = 0; i < values.length; i++)
      if (values[i] + this.priors[i] > values[best] + this.priors[best]) best = i;
    return this.centres[best];
  }

  /** Add the change of log p(x|z) from pixels `before` to `after` to the values at all centres. */
  addChanges(values, after, before) {
    const n = values.length;
    const changed = [];
    for (let pixel = 0; pixel < before.length; pixel++) {
      if (after[pixel] !== before[pixel]) changed.push(pixel);
    }
    for (let first = 0; first < changed.length; first += 4) {
      // four at a time, so that `values` is read and written less often; the last ones with changes of 0
      const four = [0, 1, 2, 3].map((k) => changed[first + k] ?? changed[first]);
      const [d0, d1, d2, d3] = four.map((pixel, k) =>
        first + k < changed.length ? after[pixel] - before[pixel] : 0,
      );
      const [s0, s1, s2, s3] = four.map((pixel) =>
        this.slopes.subarray(pixel * n, (pixel + 1) * n),
      );
      for (let i = 0; i < n; i++) values[i] += d0 * s0[i] + d1 * s1[i] + d2 * s2[i] + d3 * s3[i];
    }
  }

  /** log p(x) by these cells alone, nats. */
  logLikelihood() {
    const { values, priors } = this;
    let highest = -Infinity;
    for (let i = 0; i < values.length; i++) highest = Math.max(highest, values[i] + priors[i]);
    let total = 0;
    for (let i = 0; i < values.length; i++) total += Math.exp(values[i] + priors[i] - highest);
    return Math.log(total * this.step ** 2) + highest + logConstant(this.model, this.image);
  }

  /** The posterior on these cells alone. */
  posterior() {
    const cells = this.centres.map(([x, y], index) => {
      return { x, y, side: this.step, index, density: this.values[index] + this.priors[index] };
    });
    return new Posterior(cells, logConstant(this.model, this.image));
  }
}

/** How the log-likelihood changes with each pixel: it is linear in x, for a Gaussian apart from what does not depend on z. */
function toSlopes(model, outputs) {
  if (model.likelihood === "bernoulli") return outputs;
  return outputs.map((value) => meanOfPixel(model, value) / model.sigma ** 2);
}

function logLikelihoodOfBlack(model, outputs) {
  let total = 0;
  if (model.likelihood === "bernoulli")
    for (const logit of outputs)
      total -= Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
  else
    for (const value of outputs) total -= meanOfPixel(model, value) ** 2 / (2 * model.sigma ** 2);
  return total;
}

/** The terms of log p(x|z) that do not depend on z, nats. */
function logConstant(model, pixels) {
  if (model.likelihood === "bernoulli") return 0;
  const squares = pixels.reduce((sum, value) => sum + value * value, 0);
  const normaliser = (pixels.length / 2) * Math.log(2 * Math.PI * model.sigma ** 2);
  return -squares / (2 * model.sigma ** 2) - normaliser;
}

function meanOfPixel(model, output) {
  return model.output === "sigmoid" ? 1 / (1 + Math.exp(-output)) : output;
}

function logPrior(x, y) {
  return -(x * x + y * y) / 2 - Math.log(2 * Math.PI);
}

/** log p(x, z) at positions, without the constant. */
function logJoint(model, label, pixels, positions) {
  const outputs = decodeOutputs(model, positions, label);
  const nPixels = pixels.length;
  return positions.map(([x, y], row) => {
    const own = outputs.subarray(row * nPixels, (row + 1) * nPixels);
    let total = logLikelihoodOfBlack(model, own) + logPrior(x, y);
    toSlopes(model, own).forEach((slope, pixel) => (total += slope * pixels[pixel]));
    return total;
  });
}

/** p(z|x) on cells {x, y, side, index, density}: the centre, the coarse cell that it is part of, and log p(x, z) without the
 * constant. */
export class Posterior {
  constructor(cells, constant) {
    this.cells = cells;
    this.mode = cells.reduce((best, cell) => (cell.density > best.density ? cell : best), cells[0]);
    const highest = this.mode.density;
    let total = 0;
    for (const cell of cells) {
      cell.weight = Math.exp(cell.density - highest) * cell.side ** 2;
      total += cell.weight;
    }
    this.total = total;
    this.constant = constant;
    this.logLikelihood = Math.log(total) + highest + constant;
  }

  /** The position with the highest density. */
  get position() {
    return [this.mode.x, this.mode.y];
  }

  /** The masses of the coarse cells, by their index. */
  masses() {
    const masses = {};
    for (const { index, weight } of this.cells)
      masses[index] = (masses[index] ?? 0) + weight / this.total;
    return masses;
  }

  /** The range [low, high] of both coordinates that holds almost all of the mass. */
  range() {
    const kept = this.cells.filter(({ weight }) => weight > 1e-4 * this.total);
    const bound = (name, side) =>
      kept
        .map((cell) => cell[name] + (side * cell.side) / 2)
        .reduce((a, b) => (side * (b - a) > 0 ? b : a));
    return { low: [bound("x", -1), bound("y", -1)], high: [bound("x", 1), bound("y", 1)] };
  }
}

/** The posterior of an image from that on the coarse cells, on cells that are divided where there is mass until the masses
 * change no more; yields after every few cells, and returns the posterior. */
export function* refine(model, label, pixels, coarse) {
  let posterior = coarse;
  let decoded = 0;
  for (let level = 0; decoded < MAX_REFINED; level++) {
    const [divided, kept] = cellsToDivide(posterior, level, coarse.cells[0].side);
    if (!divided.length) break;
    const cells = kept;
    for (let first = 0; first < divided.length; first += DECODED / 4) {
      const parents = divided.slice(first, first + DECODED / 4);
      const children = parents.flatMap(quarters);
      const densities = logJoint(
        model,
        label,
        pixels,
        children.map(({ x, y }) => [x, y]),
      );
      children.forEach((child, i) => (child.density = densities[i]));
      parents.forEach((parent, i) => estimateError(parent, children.slice(4 * i, 4 * i + 4)));
      cells.push(...children);
      yield;
    }
    decoded += 4 * divided.length;
    posterior = new Posterior(cells, coarse.constant);
  }
  return posterior;
}

/** The cells that are divided next, and all others. First those in which the density may come near the highest one, because a
 * narrow posterior lies between the centres of cells; then those with the largest errors, until the others together are below the
 * tolerance. */
function cellsToDivide(posterior, level, step) {
  const highest = posterior.mode.density;
  if (level < CUTOFFS.length) {
    const side = step / 2 ** level;
    const searched = posterior.cells.filter((cell) => cell.side === side);
    const peak = peakEstimator(searched, side);
    const isDivided = (cell) =>
      cell.side === side &&
      cell.density > highest - HORIZON &&
      peak(cell) > highest - CUTOFFS[level];
    return [posterior.cells.filter(isDivided), posterior.cells.filter((cell) => !isDivided(cell))];
  }
  const error = (cell) => (cell.error ?? 0) * cell.weight;
  const ordered = [...posterior.cells].sort((a, b) => error(a) - error(b));
  let sum = 0;
  const index = ordered.findIndex((cell) => (sum += error(cell)) > TOLERANCE * posterior.total);
  return index < 0 ? [[], ordered] : [ordered.slice(index), ordered.slice(0, index)];
}

/** A function that estimates the highest log-density within a cell, by the quadratic through its neighbours: log-densities are
 * smooth over the distances at which densities are not. */
function peakEstimator(cells, side) {
  const key = (column, row) => column * 65536 + row;
  const place = ({ x, y }) => [Math.floor(x / side), Math.floor(y / side)];
  const densities = new Map(cells.map((cell) => [key(...place(cell)), cell.density]));
  const offsets = [-0.5, -0.25, 0, 0.25, 0.5];
  return (cell) => {
    const [column, row] = place(cell);
    const centre = cell.density;
    const at = (right, up) => densities.get(key(column + right, row + up));
    // where there is no neighbour, as if the density went on as on the other side
    const value = (right, up) => at(right, up) ?? 2 * centre - (at(-right, -up) ?? centre);
    const [right, left, up, down] = [value(1, 0), value(-1, 0), value(0, 1), value(0, -1)];
    const cross = (value(1, 1) + value(-1, -1) - value(1, -1) - value(-1, 1)) / 4;
    const [slopeX, slopeY] = [(right - left) / 2, (up - down) / 2];
    const [bendX, bendY] = [right + left - 2 * centre, up + down - 2 * centre];
    let highest = 0;
    for (const u of offsets)
      for (const v of offsets) {
        const rise =
          slopeX * u + slopeY * v + (bendX * u * u) / 2 + (bendY * v * v) / 2 + cross * u * v;
        highest = Math.max(highest, rise);
      }
    return centre + highest;
  };
}

function quarters({ x, y, side, index }) {
  const shifts = [-side / 4, side / 4];
  return shifts.flatMap((right) =>
    shifts.map((up) => ({ x: x + right, y: y + up, side: side / 2, index })),
  );
}

/** Note with each child the share of its mass by which it may be wrong: a quarter of how much its parent was, because the error of
 * the midpoint rule falls with the square of the side. */
function estimateError(parent, children) {
  const highest = Math.max(...children.map(({ density }) => density));
  const mean = children.reduce((sum, { density }) => sum + Math.exp(density - highest), 0) / 4;
  const ratio = Math.exp(Math.min(parent.density - highest, 50)) / mean;
  for (const child of children) child.error = Math.abs(1 - ratio) / 4;
}

/** p(y|x) by Bayes' rule with a uniform prior, from log p(x|y). */
export function labelProbabilities(logLikelihoods) {
  const highest = Math.max(...logLikelihoods);
  const weights = logLikelihoods.map((value) => Math.exp(value - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The labels whose log p(x|y) is worth refining, the most probable first. */
export function probableLabels(logLikelihoods) {
  const highest = Math.max(...logLikelihoods);
  const order = logLikelihoods.map((_, label) => label);
  order.sort((a, b) => logLikelihoods[b] - logLikelihoods[a]);
  return order.filter((label) => logLikelihoods[label] > highest - NEGLIGIBLE);
}
