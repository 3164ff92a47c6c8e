// The page: input from the reader sets a position z, a label or a line; the page shows what they decode to.

import { decode, unpack, unpackLayer } from "./decoder.js";
import { clearedContext, drawPlane, formatNumber, frame } from "./plane.js";

const STEPS = 9; // images along a line
const SECONDS = 2.5; // that a line takes to play from one end to the other
const SNAP_DISTANCE = 12; // CSS pixels within which the end of a line becomes a test image's code

const find = (id) => document.getElementById(id);
const pageData = JSON.parse(find("page-data").textContent);
const [rows, columns] = pageData.image_shape;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const models = pageData.models.map(prepare);
const state = { model: models[0], z: [0, 0], label: 0, line: null, playing: false };
let size = 0; // of the plane, in CSS pixels
let frameRequested = false;
let animation = 0; // of the line that plays
let drag = null; // where the pointer was pressed, while it is
let lineStart = null; // where a line drawn with the keyboard begins
let displayed = {}; // the index of the test image beside the plane, and the model that reconstructed it

function prepare(model) {
  const flat = unpack(model.codes, Float32Array);
  return {
    ...model,
    classes: pageData.classes,
    labels: unpack(pageData.labels),
    layers: model.layers.map(unpackLayer),
    densities: model.densities.map((density) => unpack(density)),
    codes: Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
  };
}

/** The colours of the page, which depend on the reader's colour scheme. */
function pageColours() {
  const style = getComputedStyle(document.documentElement);
  const [text, quiet, background, accent] = ["text", "quiet", "background", "accent"].map((name) =>
    style.getPropertyValue(`--${name}`),
  );
  const classes = pageData.colours.map((colour) =>
    dark.matches ? `color-mix(in srgb, ${colour} 70%, white)` : colour,
  );
  return { text, quiet, background, accent, classes };
}

/** Draw an image, its pixels from 0 to 1, into a canvas of the same height, `left` pixels from the canvas's left. */
function paint(canvas, pixels, left = 0) {
  const image = new ImageData(columns, rows);
  for (let i = 0; i < pixels.length; i++) {
    image.data.fill(pixels[i] * 255, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, left, 0);
}

/** Whether a test image belongs to the plane that is shown: a conditional model has one plane for each label. */
function isInPlane(index) {
  return !state.model.conditional || state.model.labels[index] === state.label;
}

/** The index of the next test image in the plane. */
function nextImage(index) {
  const count = state.model.labels.length;
  for (let i = 1; i < count; i++) if (isInPlane((index + i) % count)) return (index + i) % count;
  return index;
}

/** The index of the test image whose code is nearest on the screen, and the distance in CSS pixels. */
function nearest(z) {
  const { scale } = frame(state.model, size);
  let best = { index: 0, distance: Infinity };
  state.model.codes.forEach(([x, y], index) => {
    if (!isInPlane(index)) return;
    const distance = Math.hypot((x - z[0]) * scale[0], (y - z[1]) * scale[1]);
    if (distance < best.distance) best = { index, distance };
  });
  return best;
}

function interpolate({ from, to }, progress) {
  return [0, 1].map((i) => from[i] + (to[i] - from[i]) * progress);
}

/** Draw what depends on the position, at most once per frame. */
function update() {
  if (!frameRequested) requestAnimationFrame(draw);
  frameRequested = true;
}

function draw() {
  frameRequested = false;
  const { model, z, label } = state;
  const labels = model.conditional ? pageData.classes.map((_, i) => i) : [label];
  const images = new Map(labels.map((y) => [y, decode(model, z, y)]));
  paint(find("decoded"), images.get(label));
  if (model.conditional) images.forEach((image, y) => paint(find(`label-${y}`), image));
  find("position").textContent = `z = (${formatNumber(z[0])}, ${formatNumber(z[1])})`;
  const { index } = nearest(z);
  showImage(index);
  drawMarks(model.codes[index]);
  announce();
}

/** Draw a test image and its reconstruction, unless they are displayed already. */
function showImage(index) {
  const { model } = state;
  if (displayed.model === model && displayed.index === index) return;
  displayed = { model, index };
  const [code, label] = [model.codes[index], model.labels[index]];
  const left = (index % pageData.columns) * columns;
  const top = Math.floor(index / pageData.columns) * rows;
  const context = find("image").getContext("2d");
  context.drawImage(find("sheet"), left, top, columns, rows, 0, 0, columns, rows);
  paint(find("reconstruction"), decode(model, code, label));
  find("nearest").textContent =
    `Test image ${index + 1}, ${pageData.classes[label]}, with its code at (${formatNumber(code[0])}, ${formatNumber(code[1])})`;
}

/** Draw the line, a small ring around the code of the nearest test image and a larger one around z. */
function drawMarks(code) {
  const context = clearedContext(find("marks"), size);
  const at = frame(state.model, size);
  const marks = new Path2D();
  if (state.line) {
    marks.moveTo(at.x(state.line.from[0]), at.y(state.line.from[1]));
    marks.lineTo(at.x(state.line.to[0]), at.y(state.line.to[1]));
  }
  const ring = (z, radius) => {
    marks.moveTo(at.x(z[0]) + radius, at.y(z[1]));
    marks.arc(at.x(z[0]), at.y(z[1]), radius, 0, 2 * Math.PI);
  };
  ring(code, 4);
  ring(state.z, 9);
  const { text, background } = pageColours();
  const outline = (colour, width) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(marks);
  };
  outline(background, 5); // visible on dots of any colour
  outline(text, 2);
}

let announcement = 0;
/** Describe the position for screen readers, once the movement has stopped. */
function announce() {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const label = state.model.conditional ? `, decoded as ${pageData.classes[state.label]}` : "";
    find("status").textContent =
      `${find("position").textContent}${label}. Nearest: ${find("nearest").textContent}.`;
  }, 500);
}

function moveTo(z) {
  state.z = z;
  update();
}

function setLine(from, to) {
  state.line = { from, to };
  find("line").hidden = false;
  const canvas = find("steps");
  for (let i = 0; i < STEPS; i++)
    paint(
      canvas,
      decode(state.model, interpolate(state.line, i / (STEPS - 1)), state.label),
      i * columns,
    );
  update();
}

function clearLine() {
  stop();
  state.line = lineStart = null;
  find("line").hidden = true;
  update();
}

/** Move from one end of the line to the other and back, until the reader does something else. */
function play() {
  stop();
  if (!state.line) return;
  state.playing = true;
  find("play").textContent = "Stop";
  const start = performance.now();
  const step = (now) => {
    if (!state.playing || !state.line) return;
    const phase = ((now - start) / 1000 / SECONDS) % 2;
    moveTo(interpolate(state.line, phase > 1 ? 2 - phase : phase));
    animation = requestAnimationFrame(step);
  };
  animation = requestAnimationFrame(step);
}

function stop() {
  cancelAnimationFrame(animation);
  state.playing = false;
  find("play").textContent = "Play";
}

/** Draw the plane of the model; again when the window's size or the colours change. */
function show() {
  size = find("plane").clientWidth;
  const colours = pageColours();
  drawPlane(find("background"), state.model, state.label, size, colours);
  document.querySelectorAll("#classes circle").forEach((dot, i) => {
    dot.setAttribute("fill", colours.classes[i]);
  });
  find("labels").hidden = !state.model.conditional;
  find("density-note").hidden = !state.model.densities.length;
  find("modes-note").hidden = !state.model.generative || state.model.densities.length > 0;
  find("prior-note").hidden = !state.model.generative;
  update();
}

function choose(index) {
  clearLine();
  state.model = models[index];
  find("background").setAttribute(
    "aria-label",
    `Codes of ${state.model.labels.length} test images of ${state.model.label}`,
  );
  state.z = state.model.generative
    ? [0, 0]
    : [0, 1].map((i) => (state.model.low[i] + state.model.high[i]) / 2);
  show();
}

function chooseLabel(label) {
  state.label = label;
  document.querySelector(`input[name=label][value="${label}"]`).checked = true;
  if (state.line) setLine(state.line.from, state.line.to);
  show();
}

function positionOf(event) {
  const box = find("marks").getBoundingClientRect();
  return frame(state.model, size).z(event.clientX - box.left, event.clientY - box.top);
}

/** The code of the nearest test image if it is near enough, else the position itself. */
function snapped(z) {
  const { index, distance } = nearest(z);
  return distance <= SNAP_DISTANCE ? state.model.codes[index] : z;
}

const drawsLine = (event) => event.pointerType === "mouse" || find("draw").checked;

function listen() {
  const marks = find("marks");
  marks.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    marks.focus({ preventScroll: true });
    marks.setPointerCapture(event.pointerId);
    clearLine();
    const z = positionOf(event);
    drag = { from: drawsLine(event) ? snapped(z) : null, x: event.clientX, y: event.clientY };
    moveTo(z);
  });
  marks.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || (state.line && !drag)) return; // a line stays until the next press
    const z = positionOf(event);
    if (drag?.from && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4)
      setLine(drag.from, z);
    moveTo(z);
  });
  marks.addEventListener("pointerup", (event) => {
    if (!event.isPrimary) return;
    if (drag?.from && state.line) {
      setLine(drag.from, snapped(positionOf(event)));
      if (!reducedMotion.matches) play();
    }
    drag = null;
  });
  marks.addEventListener("lostpointercapture", () => (drag = null)); // after pointerup, or without it
  marks.addEventListener("keydown", press);
  find("play").addEventListener("click", () => (state.playing ? stop() : play()));
  find("clear").addEventListener("click", () => {
    clearLine();
    find("marks").focus();
  });
  document.querySelectorAll("input[name=model]").forEach((input) => {
    input.addEventListener("change", () => choose(Number(input.value)));
  });
  document.querySelectorAll("input[name=label]").forEach((input) => {
    input.addEventListener("change", () => chooseLabel(Number(input.value)));
  });
  new ResizeObserver(show).observe(find("plane"));
  dark.addEventListener("change", show);
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return; // shortcuts of the browser
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const { low, high } = state.model;
  if (event.key in arrows) {
    stop();
    const step = event.shiftKey ? 0.1 : 0.02;
    moveTo(
      arrows[event.key].map((direction, i) =>
        Math.min(Math.max(state.z[i] + direction * step * (high[i] - low[i]), low[i]), high[i]),
      ),
    );
  } else if (event.key === "Enter") {
    if (!event.repeat) mark();
  } else if (event.key === "Escape") {
    clearLine();
  } else if (event.key === "n") {
    stop();
    moveTo(state.model.codes[nextImage(nearest(state.z).index)]);
  } else if (
    state.model.conditional &&
    /^[0-9]$/.test(event.key) &&
    Number(event.key) < pageData.classes.length
  ) {
    chooseLabel(Number(event.key));
  } else {
    return;
  }
  event.preventDefault();
}

/** Begin a line where Enter is pressed first, and end it where it is pressed next. */
function mark() {
  stop();
  const from = lineStart;
  lineStart = from ? null : state.z;
  if (from) {
    setLine(from, state.z);
    if (!reducedMotion.matches) play();
  }
  find("status").textContent = from
    ? "Line drawn."
    : "The line begins here; go on, and press Enter where it ends.";
}

await find("sheet").decode();
find("touching").hidden = !navigator.maxTouchPoints;
listen();
choose(0);
// for tests, and for the console of the browser
globalThis.explorer = { models, state, decode, moveTo, setLine, idle: () => !frameRequested };
