// The page: what the reader does becomes a position z, a label or a line, and these become pictures.

import { decode, unpack, unpackLayer } from "./decoder.js";
import { drawPlane, frame, fresh, said } from "./plane.js";

const SIDE = 28;
const STEPS = 9; // pictures along a line
const SECONDS = 2.5; // that it plays from one end to the other
const REACH = 12; // CSS pixels within which the end of a line becomes a test image's code

const find = (id) => document.getElementById(id);
const given = JSON.parse(find("given").textContent);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const models = given.models.map(prepare);
const state = { model: models[0], z: [0, 0], label: 0, line: null, playing: false };
let size = 0; // of the plane, in CSS pixels
let waiting = false;
let turn = 0; // of the line that plays
let drag = null; // the pointer that is pressed, and where it began
let marked = null; // where a line drawn with the keyboard begins
let beside = {}; // the test image that is shown, and of which model

function prepare(model) {
  const flat = unpack(model.codes, Float32Array);
  return {
    ...model,
    classes: given.classes,
    labels: unpack(given.labels),
    layers: model.layers.map(unpackLayer),
    densities: model.densities.map((density) => unpack(density)),
    codes: Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
  };
}

function shades() {
  const own = getComputedStyle(document.documentElement);
  const [text, quiet, background, accent] = ["text", "quiet", "background", "accent"].map((name) =>
    own.getPropertyValue(`--${name}`),
  );
  const classes = given.colours.map((colour) =>
    dark.matches ? `color-mix(in srgb, ${colour} 70%, white)` : colour,
  );
  return { text, quiet, background, accent, classes };
}

/** Pixels, 0 to 1, into a canvas of 28 rows, `left` pixels from its left. */
function paint(canvas, pixels, left = 0) {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < pixels.length; i++) {
    image.data.fill(pixels[i] * 255, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, left, 0);
}

/** Whether a test image belongs to the plane that is shown: each label of a conditional model has one of its own. */
function shown(index) {
  return !state.model.conditional || state.model.labels[index] === state.label;
}

/** The next test image that is shown. */
function after(index) {
  const count = state.model.labels.length;
  for (let i = 1; i < count; i++) if (shown((index + i) % count)) return (index + i) % count;
  return index;
}

/** The index of the test image whose code is nearest on the screen, and how far that is in CSS pixels. */
function nearest(z) {
  const { scale } = frame(state.model, size);
  let best = { index: 0, away: Infinity };
  state.model.codes.forEach(([x, y], index) => {
    if (!shown(index)) return;
    const away = Math.hypot((x - z[0]) * scale[0], (y - z[1]) * scale[1]);
    if (away < best.away) best = { index, away };
  });
  return best;
}

function along({ from, to }, progress) {
  return [0, 1].map((i) => from[i] + (to[i] - from[i]) * progress);
}

/** Everything that follows from the state and moves; at most once a frame. */
function update() {
  if (!waiting) requestAnimationFrame(draw);
  waiting = true;
}

function draw() {
  waiting = false;
  const { model, z, label } = state;
  const labels = model.conditional ? given.classes.map((_, i) => i) : [label];
  const pictures = new Map(labels.map((one) => [one, decode(model, z, one)]));
  paint(find("decoded"), pictures.get(label));
  if (model.conditional) pictures.forEach((picture, one) => paint(find(`label-${one}`), picture));
  find("position").textContent = `z = (${said(z[0])}, ${said(z[1])})`;
  const { index } = nearest(z);
  showImage(index);
  drawMarks(model.codes[index]);
  tell();
}

/** A test image beside its reconstruction, unless they are shown already. */
function showImage(index) {
  const { model } = state;
  if (beside.model === model && beside.index === index) return;
  beside = { model, index };
  const [code, own] = [model.codes[index], model.labels[index]];
  const corner = [(index % given.columns) * SIDE, Math.floor(index / given.columns) * SIDE];
  const context = find("image").getContext("2d");
  context.drawImage(find("sheet"), ...corner, SIDE, SIDE, 0, 0, SIDE, SIDE);
  paint(find("reconstruction"), decode(model, code, own));
  find("nearest").textContent =
    `Test image ${index + 1}, ${given.classes[own]}, with its code at (${said(code[0])}, ${said(code[1])})`;
}

/** The line, a small ring around the code of the nearest test image and a larger one around z. */
function drawMarks(code) {
  const context = fresh(find("marks"), size);
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
  const { text, background } = shades();
  const outline = (colour, width) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(marks);
  };
  outline(background, 5); // so that it can be seen on any dot
  outline(text, 2);
}

let telling = 0;
/** For those who listen instead of looking: in words, once the movement rests. */
function tell() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    const label = state.model.conditional ? `, decoded as ${given.classes[state.label]}` : "";
    find("told").textContent =
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
    paint(canvas, decode(state.model, along(state.line, i / (STEPS - 1)), state.label), i * SIDE);
  update();
}

function clearLine() {
  stop();
  state.line = marked = null;
  find("line").hidden = true;
  update();
}

/** From one end of the line to the other and back, until the reader does something else. */
function play() {
  stop();
  if (!state.line) return;
  state.playing = true;
  find("play").textContent = "Stop";
  const start = performance.now();
  const step = (now) => {
    if (!state.playing || !state.line) return;
    const phase = ((now - start) / 1000 / SECONDS) % 2;
    moveTo(along(state.line, phase > 1 ? 2 - phase : phase));
    turn = requestAnimationFrame(step);
  };
  turn = requestAnimationFrame(step);
}

function stop() {
  cancelAnimationFrame(turn);
  state.playing = false;
  find("play").textContent = "Play";
}

/** The plane of a model, from its middle; anew too when the window or the colours change. */
function show() {
  size = find("plane").clientWidth;
  const own = shades();
  drawPlane(find("background"), state.model, state.label, size, own);
  document.querySelectorAll("#classes circle").forEach((dot, i) => {
    dot.setAttribute("fill", own.classes[i]);
  });
  find("labels").hidden = !state.model.conditional;
  find("density-said").hidden = !state.model.random;
  find("prior-said").hidden = !state.model.random;
  update();
}

function choose(index) {
  clearLine();
  state.model = models[index];
  find("background").setAttribute(
    "aria-label",
    `Codes of ${state.model.labels.length} test images of ${state.model.label}`,
  );
  state.z = state.model.random
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
  const { index, away } = nearest(z);
  return away <= REACH ? state.model.codes[index] : z;
}

const draws = (event) => event.pointerType === "mouse" || find("draw").checked;

function listen() {
  const marks = find("marks");
  marks.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    marks.focus({ preventScroll: true });
    marks.setPointerCapture(event.pointerId);
    clearLine();
    const z = positionOf(event);
    drag = { from: draws(event) ? snapped(z) : null, x: event.clientX, y: event.clientY };
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
      if (!still.matches) play();
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
  if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const { low, high } = state.model;
  if (event.key in arrows) {
    stop();
    const step = event.shiftKey ? 0.1 : 0.02;
    moveTo(
      arrows[event.key].map((way, i) =>
        Math.min(Math.max(state.z[i] + way * step * (high[i] - low[i]), low[i]), high[i]),
      ),
    );
  } else if (event.key === "Enter") {
    if (!event.repeat) mark();
  } else if (event.key === "Escape") {
    clearLine();
  } else if (event.key === "n") {
    stop();
    moveTo(state.model.codes[after(nearest(state.z).index)]);
  } else if (
    state.model.conditional &&
    /^[0-9]$/.test(event.key) &&
    Number(event.key) < given.classes.length
  ) {
    chooseLabel(Number(event.key));
  } else {
    return;
  }
  event.preventDefault();
}

/** A line from where Enter was pressed first to where it is pressed next. */
function mark() {
  stop();
  const from = marked;
  marked = from ? null : state.z;
  if (from) {
    setLine(from, state.z);
    if (!still.matches) play();
  }
  find("told").textContent = from
    ? "Line drawn."
    : "The line begins here; go on, and press Enter where it ends.";
}

await find("sheet").decode();
find("touching").hidden = !navigator.maxTouchPoints;
listen();
choose(0);
// for tests, and for the curious in the browser's console
globalThis.explorer = { models, state, decode, moveTo, setLine, idle: () => !waiting };
