// A plane with its model: what is decoded at a position, and what the model infers of the image.

import { decode, encode } from "./network.js";
import { paint } from "./picture.js";
import {
  clearedContext,
  clipToPlane,
  drawCode,
  drawEnlarged,
  drawPlane,
  drawPosterior,
  formatNumber,
  frame,
  outline,
} from "./plane.js";
import { labelProbabilities, LogLikelihoods, probableLabels, refine } from "./posterior.js";
import { inSlices } from "./tasks.js";

/** Linear interpolation between two positions, or two images. */
export function interpolate([from, to], progress) {
  return from.map((value, i) => value + (to[i] - value) * progress);
}

export class Panel {
  constructor(root, shape) {
    this.root = root;
    this.shape = shape;
    this.line = null; // its ends, [x, y] each
    this.z = [0, 0];
    this.refined = []; // posteriors of the image, by label
    this.inference = null;
    this.size = this.zoomSize = 0;
  }

  find(name) {
    return this.root.querySelector(`.${name}`);
  }

  get isShown() {
    return !this.root.hidden;
  }

  /** Note the sizes in CSS pixels, which are slow to ask for while the page changes. */
  measure() {
    this.size = this.find("plane").clientWidth;
    this.zoomSize = this.find("zoom").clientWidth || this.zoomSize;
  }

  choose(model) {
    const { generative, low, high, classes } = model;
    this.model = model;
    model.tables ??= generative
      ? classes
          .slice(0, model.conditional ? undefined : 1)
          .map((_, y) => new LogLikelihoods(model, y))
      : [];
    this.line = this.inference = null;
    this.refined = [];
    this.z = generative ? [0, 0] : interpolate([low, high], 0.5);
    this.find("labels").hidden = !model.conditional;
    this.find("background").setAttribute(
      "aria-label",
      `Codes of ${model.labels.length} test images of ${model.label}`,
    );
    this.find("marks").setAttribute("aria-label", `The latent plane of ${model.label}`);
  }

  /** The index of its tables for a label. */
  tableOf(label) {
    return this.model.tables[this.model.conditional ? label : 0];
  }

  /** Whether a test image belongs to the plane that is shown: a conditional model has one plane for each label. */
  isInPlane(index, label) {
    return !this.model.conditional || this.model.labels[index] === label;
  }

  /** The index of the test image whose code is nearest on the screen, and the distance in CSS pixels. */
  nearest(z, label) {
    const { scale } = frame(this.model, this.size);
    let best = { index: 0, distance: Infinity };
    this.model.codes.forEach(([x, y], index) => {
      if (!this.isInPlane(index, label)) return;
      const distance = Math.hypot((x - z[0]) * scale[0], (y - z[1]) * scale[1]);
      if (distance < best.distance) best = { index, distance };
    });
    return best;
  }

  /** The code of an image: the encoder's mean, or without one the mode of the posterior on the coarse cells. */
  codeOf(pixels, label) {
    if (this.model.encoder) return encode(this.model, pixels, label).mean;
    const table = this.tableOf(label);
    return table.ready ? table.modeOf(pixels) : this.z;
  }

  decodeAt(z, label) {
    return decode(this.model, [z], label)[0];
  }

  /** Infer what can be had of the image at once; `forget` the refined posteriors if it is another image. */
  infer(pixels, label, forget) {
    const { model } = this;
    if (forget) this.refined = [];
    const ready = model.tables.filter((table) => table.ready);
    if (pixels) ready.forEach((table) => table.update(pixels));
    const table = this.tableOf(label);
    this.inference = pixels && {
      code: model.encoder ? encode(model, pixels, label) : null,
      posterior: table?.ready ? this.posteriorOf(table) : null,
      probabilities:
        model.conditional && ready.length === model.tables.length && ready.length
          ? labelProbabilities(model.tables.map((each) => this.logLikelihoodOf(each)))
          : null,
    };
    return this.inference;
  }

  posteriorOf(table) {
    return this.refined[table.label] ?? table.posterior();
  }

  logLikelihoodOf(table) {
    return this.refined[table.label]?.logLikelihood ?? table.logLikelihood();
  }

  /** The next long computation, a function of `isWanted` and `onSlice`; null if all is done. Planes are decoded before posteriors
   * are refined, the label that is shown before others. */
  nextTask(pixels, label) {
    const own = this.tableOf(label);
    const unfinished = own && !own.ready ? own : this.model.tables.find((table) => !table.ready);
    if (pixels && own?.ready && !this.refined[own.label]) return this.refineTask(own, pixels);
    if (unfinished) {
      unfinished.steps ??= unfinished.decodePlane(); // goes on where it was interrupted
      return (isWanted, onSlice) => inSlices(unfinished.steps, isWanted, onSlice);
    }
    if (!pixels || !this.model.conditional) return null;
    const logLikelihoods = this.model.tables.map((table) => this.logLikelihoodOf(table));
    const next = probableLabels(logLikelihoods).find((y) => !this.refined[y]);
    return next === undefined ? null : this.refineTask(this.model.tables[next], pixels);
  }

  refineTask(table, pixels) {
    return async (isWanted, onSlice) => {
      const steps = refine(this.model, table.label, pixels, table.posterior());
      const posterior = await inSlices(steps, isWanted, onSlice);
      if (posterior && isWanted()) this.refined[table.label] = posterior;
    };
  }

  /** The share of the planes that is decoded. */
  get progress() {
    const { tables } = this.model;
    return tables.reduce((sum, table) => sum + table.done, 0) / (tables.length || 1);
  }

  // --- drawing ---

  drawBackground(label, colours) {
    drawPlane(this.find("background"), this.model, label, this.size, colours);
  }

  drawMarks(nearest, colours) {
    const context = clearedContext(this.find("marks"), this.size);
    const at = frame(this.model, this.size);
    const marks = new Path2D();
    if (this.line) {
      marks.moveTo(at.x(this.line[0][0]), at.y(this.line[0][1]));
      marks.lineTo(at.x(this.line[1][0]), at.y(this.line[1][1]));
    }
    const ring = (z, radius) => {
      marks.moveTo(at.x(z[0]) + radius, at.y(z[1]));
      marks.arc(at.x(z[0]), at.y(z[1]), radius, 0, 2 * Math.PI);
    };
    if (nearest !== null) ring(this.model.codes[nearest], 4);
    ring(this.z, 9);
    outline(context, marks, colours);
  }

  drawDecoded(label) {
    paint(this.find("decoded"), this.decodeAt(this.z, label), this.shape);
    this.find("position").textContent =
      `Decoded at z = (${formatNumber(this.z[0])}, ${formatNumber(this.z[1])})`;
  }

  drawInference(label, colours) {
    const { posterior, code } = this.inference ?? {};
    const context = clearedContext(this.find("heat"), this.size);
    context.save();
    clipToPlane(context, this.size);
    const at = frame(this.model, this.size);
    if (posterior) drawPosterior(context, posterior, at, colours.heat);
    if (code) drawCode(context, code, at, colours);
    context.restore();
    const position = posterior?.position ?? code?.mean;
    this.find("reconstructed").hidden = !position;
    if (position) paint(this.find("reconstruction"), this.decodeAt(position, label), this.shape);
    this.find("enlarged").hidden = !posterior;
    if (posterior) {
      if (!this.zoomSize) this.measure();
      const width = drawEnlarged(this.find("zoom"), posterior, code, this.zoomSize, colours);
      this.find("width").textContent = `Posterior, ${formatNumber(width)} wide`;
    }
    this.find("inference").textContent = this.describe(label);
    this.drawProbabilities();
  }

  /** What is inferred of the image, in words. */
  describe(label) {
    const { model, inference } = this;
    if (!model.generative)
      return "An autoencoder has no prior, and so no posterior: the cross is the code of the image.";
    const { posterior, probabilities } = inference ?? {};
    const parts = [];
    if (this.progress < 1) parts.push(`Decoding the plane: ${Math.round(100 * this.progress)} %.`);
    if (posterior) {
      const given = model.conditional ? ` | ${model.classes[label]}` : "";
      const state = this.refined[this.tableOf(label).label] ? "" : " (being refined)";
      parts.push(`log p(x${given}) = ${formatNumber(posterior.logLikelihood)} nats${state}.`);
    }
    if (probabilities) {
      const best = probabilities.indexOf(Math.max(...probabilities));
      const percent = formatNumber(100 * probabilities[best], 1);
      parts.push(`Most probable label: ${model.classes[best]}, ${percent} %.`);
    }
    return parts.join(" ");
  }

  drawProbabilities() {
    const { probabilities } = this.inference ?? {};
    this.root.querySelectorAll(".labels label").forEach((element, label) => {
      const share = probabilities?.[label];
      element.querySelector("meter").value = share ?? 0;
      element.querySelector(".percent").textContent =
        share === undefined ? "" : `${Math.round(100 * share)} %`;
    });
  }

  /** Draw the position under all labels. */
  drawLabels() {
    const { classes, conditional } = this.model;
    if (!conditional) return;
    const labels = classes.map((_, label) => label);
    decode(
      this.model,
      labels.map(() => this.z),
      labels,
    ).forEach((pixels, label) =>
      paint(this.root.querySelectorAll(".labels canvas")[label], pixels, this.shape),
    );
  }

  /** Draw `count` pictures along the line into a canvas. */
  drawSteps(canvas, count, label) {
    const positions = Array.from({ length: count }, (_, i) =>
      interpolate(this.line, i / (count - 1)),
    );
    decode(this.model, positions, label).forEach((pixels, i) =>
      paint(canvas, pixels, this.shape, i * this.shape[1]),
    );
  }
}
