// The page: what its reader does changes the state, and the state is drawn, at most once per frame.

import { decodeBytes, encodeBytes, fromFragment, toFragment } from "./link.js";
import { decode, encode, unpack, unpackLayer } from "./network.js";
import { centreAndScale, Drawing, Pad, WIDTHS } from "./pad.js";
import { interpolate, Panel } from "./panel.js";
import { compose, paint, saveAs } from "./picture.js";
import { clearedContext, frame } from "./plane.js";
import { LogLikelihoods } from "./posterior.js";

const STEPS = 9; // images along a line
const SECONDS = 2.5; // that a line takes to play from one end to the other
const REST = 100; // ms without a stroke, after which long computations go on
const SNAP_DISTANCE = 12; // CSS pixels within which the end of a line becomes a test image's code

const find = (id) => document.getElementById(id);
const checkedValue = (name) => document.querySelector(`input[name=${name}]:checked`).value;
const pageData = JSON.parse(find("page-data").textContent);
const shape = pageData.image_shape;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const classLabels = await unpack(pageData.labels);
const models = await Promise.all(pageData.models.map(prepare));
const panels = [...document.querySelectorAll(".panel")].map((root) => new Panel(root, shape));
const drawing = new Drawing(shape);
const state = {
  active: panels[0], // the plane that was moved over last
  label: 0,
  line: null, // its two ends: the index of a test image, or pixels and the position where they were decoded
  playing: false,
  image: 0, // the index of the test image on the pad, or null for a drawing
  version: 0, // of all that is inferred: it increases when the image, a model or the label changes
  strokeTime: null, // when the stroke was made that is not drawn yet
  latencies: [], // ms from a stroke to its picture
};
let pixels = null; // what the models are given, from 0 to 1; null if the pad is empty
let frameRequested = false;
let isStale = { background: true, image: true }; // what has to be drawn in the next frame
let lastChange = 0; // time of the last change of the image
let padSize = 0; // CSS pixels
let isWorking = false;
let animation = 0; // of the line that plays
let drag = null; // where the pointer was pressed, while it is
let lineStart = null; // where a line drawn with the keyboard begins

async function prepare(model) {
  const flat = await unpack(model.codes, Float32Array);
  return {
    ...model,
    classes: pageData.classes,
    labels: classLabels,
    decoder: await Promise.all(model.decoder.map(unpackLayer)),
    encoder: model.encoder && (await Promise.all(model.encoder.map(unpackLayer))),
    densities: await Promise.all(model.densities.map((density) => unpack(density))),
    codes: Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
  };
}

const shownPanels = () => panels.filter((panel) => panel.isShown);

/** The colours of the page, which depend on the reader's colour scheme. */
function pageColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "quiet", "background", "accent", "heat"];
  const colours = names.map((name) => [name, style.getPropertyValue(`--${name}`)]);
  const classes = pageData.colours.map((colour) =>
    dark.matches ? `color-mix(in srgb, ${colour} 70%, white)` : colour,
  );
  return { ...Object.fromEntries(colours), classes };
}

// --- drawing ---

/** Draw in the next frame what `changes` names: the `position`, the `image` and what is inferred of it, or the `background`
 * of the planes. */
function update(changes = {}) {
  if (changes.image || changes.background) state.version++;
  if (changes.image) lastChange = performance.now();
  isStale = { ...isStale, ...changes };
  if (!frameRequested) requestAnimationFrame(draw);
  frameRequested = true;
}

function draw() {
  frameRequested = false;
  const colours = pageColours();
  const stale = isStale;
  isStale = {};
  if (stale.image) takeImage();
  if (stale.image || stale.background || stale.inference) infer(stale.image);
  if (stale.background) {
    panels.forEach((panel) => panel.measure());
    padSize = find("pad").clientWidth;
    document.querySelectorAll("#classes circle").forEach((dot, i) => {
      dot.setAttribute("fill", colours.classes[i]);
    });
  }
  const changed = stale.background || stale.position;
  for (const panel of shownPanels()) {
    if (stale.background) panel.drawBackground(state.label, colours);
    if (stale.image || stale.background || stale.inference)
      panel.drawInference(state.label, colours);
    if (changed) panel.drawDecoded(state.label);
  }
  if (changed) drawPosition(colours);
  if (stale.image || stale.background || stale.pad) drawPad(colours);
  if (stale.background && state.line) drawLine();
  announce();
  if (state.strokeTime !== null) state.latencies.push(performance.now() - state.strokeTime);
  state.strokeTime = null;
  isStale.labels = stale.labels || changed;
  work();
}

function drawPosition(colours) {
  const { index } = state.active.nearest(state.active.z, state.label);
  for (const panel of shownPanels())
    panel.drawMarks(panel === state.active ? index : null, colours);
  showNearest(index);
}

/** The pixels that the models are given, from what is on the pad. */
function takeImage() {
  const bytes = find("centred").checked ? centreAndScale(drawing.pixels, shape) : drawing.pixels;
  pixels = drawing.isEmpty ? null : Float32Array.from(bytes, (value) => value / 255);
  paint(find("seen"), pixels ?? new Float32Array(bytes.length), shape);
}

function infer(isOther) {
  const follows = find("follow").checked;
  for (const panel of shownPanels()) {
    const inference = panel.infer(pixels, state.label, isOther);
    const probabilities = follows && inference?.probabilities;
    if (!probabilities) continue;
    const best = probabilities.indexOf(Math.max(...probabilities));
    if (best === state.label) continue;
    setLabel(best);
    return infer(false);
  }
}

/** Long computations, one after the other, until all is done. */
async function work() {
  if (isWorking) return;
  isWorking = true;
  while (await workOnce());
  isWorking = false;
}

async function workOnce() {
  if (frameRequested) await new Promise(requestAnimationFrame); // frames come first
  if (isStale.labels) {
    delete isStale.labels;
    shownPanels().forEach((panel) => panel.drawLabels());
    return true;
  }
  const rest = lastChange + REST - performance.now();
  if (rest > 0) {
    await new Promise((resolve) => setTimeout(resolve, rest));
    return true;
  }
  const version = state.version;
  for (const panel of shownPanels()) {
    const task = panel.nextTask(pixels, state.label);
    if (!task) continue;
    await task(() => version === state.version, showProgress);
    update({ inference: true });
    return true;
  }
  return false;
}

function showProgress() {
  for (const panel of shownPanels())
    if (panel.progress < 1) panel.find("inference").textContent = panel.describe(state.label);
}

function drawPad(colours) {
  const canvas = find("pad");
  const size = padSize;
  const context = clearedContext(canvas, size);
  const tile = document.createElement("canvas");
  [tile.height, tile.width] = shape;
  paint(
    tile,
    Float32Array.from(drawing.pixels, (value) => value / 255),
    shape,
  );
  context.imageSmoothingEnabled = false;
  context.drawImage(tile, 0, 0, size, size);
  if (!canvas.matches(":focus-visible")) return;
  const { radius } = brush();
  const unit = size / shape[1];
  context.beginPath();
  context.arc(pad.cursor[0] * unit, pad.cursor[1] * unit, (radius + 0.5) * unit, 0, 2 * Math.PI);
  context.lineWidth = pad.isPressed ? 4 : 2;
  context.strokeStyle = colours.heat;
  context.stroke();
}

/** Draw the test image nearest to the position, of which a click on a button makes the image on the pad. */
function showNearest(index) {
  const left = (index % pageData.columns) * shape[1];
  const top = Math.floor(index / pageData.columns) * shape[0];
  const context = find("nearest-image").getContext("2d");
  context.drawImage(find("sheet"), left, top, shape[1], shape[0], 0, 0, shape[1], shape[0]);
  find("nearest").dataset.index = index;
  find("nearest").textContent =
    `Nearest: test image ${index + 1}, ${pageData.classes[classLabels[index]]}`;
}

let announcement = 0;
/** Describe what is shown for screen readers, once it has stopped to change. */
function announce() {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const { model } = state.active;
    const label = model.conditional ? `, decoded as ${pageData.classes[state.label]}` : "";
    const inferences = shownPanels().map((panel) => panel.find("inference").textContent);
    find("status").textContent =
      `${state.active.find("position").textContent}${label}. ${find("nearest").textContent}. ${inferences.join(" ")}`;
  }, 800);
}

// --- the position and the line ---

/** Move to a position in a plane, and in the other one to the code of what is decoded there. */
function moveTo(z, panel = state.active) {
  state.active = panel;
  panel.z = z;
  for (const other of shownPanels())
    if (other !== panel) other.z = other.codeOf(panel.decodeAt(z, state.label), state.label);
  update({ position: true });
}

/** Draw a line between two ends, each the index of a test image or a position in the active plane. */
function setLine(ends) {
  const { active, label } = state;
  state.line = ends;
  const endPixels = ends.map((end) =>
    Array.isArray(end) ? active.decodeAt(end, label) : pixelsOfTestImage(end),
  );
  for (const panel of shownPanels()) {
    panel.line = ends.map((end, i) => {
      if (!Array.isArray(end)) return panel.model.codes[end];
      return panel === active ? end : panel.codeOf(endPixels[i], label);
    });
  }
  state.fade = endPixels;
  find("line").hidden = false;
  drawLine();
  update({ position: true });
}

/** Draw the pictures along the line: in each plane, and the fade of the pixels between the same two images. */
function drawLine() {
  panels.forEach((panel, i) => {
    find(`row-${i}`).hidden = !panel.isShown || !panel.line;
    if (!panel.isShown || !panel.line) return;
    find(`row-name-${i}`).textContent = `Straight line in the plane of ${panel.model.label}`;
    panel.drawSteps(find(`steps-${i}`), STEPS, state.label);
  });
  for (let i = 0; i < STEPS; i++)
    paint(
      find("fade"),
      interpolate(
        state.fade.map((end) => [...end]),
        i / (STEPS - 1),
      ),
      shape,
      i * shape[1],
    );
}

function clearLine() {
  stop();
  state.line = lineStart = null;
  panels.forEach((panel) => (panel.line = null));
  find("line").hidden = true;
  update({ position: true });
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
    const phase = (Math.max(now - start, 0) / 1000 / SECONDS) % 2;
    for (const panel of shownPanels())
      panel.z = interpolate(panel.line, phase > 1 ? 2 - phase : phase);
    update({ position: true });
    animation = requestAnimationFrame(step);
  };
  animation = requestAnimationFrame(step);
}

function stop() {
  cancelAnimationFrame(animation);
  state.playing = false;
  find("play").textContent = "Play";
}

// --- the image ---

/** The bytes of a test image. */
function bytesOfTestImage(index) {
  const canvas = document.createElement("canvas");
  [canvas.height, canvas.width] = shape;
  const context = canvas.getContext("2d");
  const left = (index % pageData.columns) * shape[1];
  const top = Math.floor(index / pageData.columns) * shape[0];
  context.drawImage(find("sheet"), left, top, shape[1], shape[0], 0, 0, shape[1], shape[0]);
  return context.getImageData(0, 0, shape[1], shape[0]).data.filter((_, i) => i % 4 === 0);
}

const pixelsOfTestImage = (index) =>
  Float32Array.from(bytesOfTestImage(index), (value) => value / 255);

/** Put a test image on the pad; it is not scaled, also not once it is painted over. */
function takeTestImage(index) {
  remember();
  showTestImage(index);
}

function showTestImage(index) {
  state.image = index;
  drawing.pixels = new Uint8Array(bytesOfTestImage(index));
  find("centred").checked = false;
  find("index").value = index + 1;
  update({ image: true });
}

/** Keep what is on the pad, to return to it. */
function remember() {
  drawing.remember({ image: state.image, centred: find("centred").checked });
}

function undo() {
  const last = drawing.undo();
  if (!last) return;
  state.image = last.image;
  find("centred").checked = last.centred;
  if (last.image !== null) find("index").value = last.image + 1;
  update({ image: true });
}

function clearPad() {
  remember();
  state.image = null;
  drawing.pixels = new Uint8Array(drawing.pixels.length);
  find("centred").checked = pageData.centre_drawings;
  update({ image: true });
}

function brush() {
  return { radius: WIDTHS[checkedValue("width")], value: checkedValue("tool") === "pen" ? 255 : 0 };
}

/** Keys on the pad, besides those that draw; whether there is one. */
function pressOnPad(event) {
  const click = (name, value) =>
    document.querySelector(`input[name=${name}][value=${value}]`).click();
  const next = (state.image ?? -1) + 1;
  const actions = {
    e: () => click("tool", checkedValue("tool") === "pen" ? "eraser" : "pen"),
    w: () => click("width", checkedValue("width") === "thin" ? "wide" : "thin"),
    n: () => takeTestImage(next % classLabels.length),
    u: undo,
    z: () => event.ctrlKey && undo(),
    Delete: clearPad,
    Escape: () => pad.isPressed && pad.lift(event),
  };
  actions[event.key]?.();
  return event.key in actions;
}

const pad = new Pad(find("pad"), drawing, {
  brush,
  onStart: () => {
    remember();
    state.image = null;
  },
  onChange: (time) => {
    state.strokeTime ??= time;
    update({ image: true });
  },
  onKey: pressOnPad,
});

// --- models and labels ---

function choose(panel, index) {
  clearLine();
  const before = panel.model;
  panel.choose(models[index]);
  panel.find("model").value = index;
  if (before && !panels.some(({ model }) => model === before)) delete before.tables; // they are large
  modelsChanged();
}

/** Show one or two planes. */
function showPanels(count) {
  panels[1].root.hidden = count < 2;
  document.body.classList.toggle("two", count > 1);
  document.querySelector(`input[name=planes][value="${count}"]`).checked = true;
  if (state.active !== panels[0]) state.active = panels[0];
  modelsChanged();
  if (state.line) setLine(state.line);
}

function modelsChanged() {
  const shown = shownPanels().map(({ model }) => model);
  find("density-note").hidden = !shown.some((model) => model.densities.length);
  find("modes-note").hidden = !shown.some((model) => model.generative && !model.densities.length);
  find("prior-note").hidden = !shown.some((model) => model.generative);
  find("following").hidden = !shown.some((model) => model.conditional && model.generative);
  update({ background: true, image: true });
}

function setLabel(label) {
  state.label = label;
  document
    .querySelectorAll(".labels input")
    .forEach((input) => (input.checked = Number(input.value) === label));
  if (state.line) setLine(state.line);
  update({ background: true });
}

function chooseLabel(label) {
  find("follow").checked = false;
  setLabel(label);
}

// --- links and files ---

async function currentFragment() {
  const isDrawing = state.image === null && pixels;
  return toFragment({
    models: shownPanels().map(({ model }) => model.label),
    active: panels.indexOf(state.active),
    z: state.active.z,
    label: state.label,
    line: state.line,
    image: state.image,
    drawing: isDrawing && (await encodeBytes(drawing.pixels)),
    centred: find("centred").checked,
  });
}

/** Show what a fragment names; what is malformed in it is left out. */
async function restore(fragment) {
  const names = models.map((model) => model.label);
  const view = fromFragment(fragment, {
    models: names,
    classes: pageData.classes.length,
    images: classLabels.length,
  });
  if (view.models) {
    view.models.forEach((name, i) => choose(panels[i], names.indexOf(name)));
    showPanels(view.models.length);
  }
  const bytes = view.drawing && (await decodeBytes(view.drawing, drawing.pixels.length));
  if (view.image !== null) showTestImage(view.image);
  else if (bytes) {
    state.image = null;
    drawing.pixels = bytes;
  }
  if (view.image !== null || bytes) find("centred").checked = view.centred;
  if (view.label !== null) chooseLabel(view.label);
  state.active = panels[view.active];
  if (view.line) setLine(view.line);
  if (view.z) moveTo(view.z);
  update({ image: true });
}

async function makeLink() {
  const fragment = await currentFragment();
  history.replaceState(null, "", `#${fragment}`);
  let text = "The address of this page now leads to this view.";
  try {
    await navigator.clipboard.writeText(location.href);
    text = "The address of this page now leads to this view; it is copied.";
  } catch {
    // the browser does not let the page use the clipboard; the address is in its bar all the same
  }
  find("linked").textContent = text;
}

function savePicture() {
  const parts = [...document.querySelectorAll(".saved")].filter((part) => part.checkVisibility());
  saveAs(
    compose(parts, pageColours(), document.querySelector("h1").textContent),
    "latent-planes.png",
  );
}

// --- what the reader does ---

const drawsLine = (event) => event.pointerType === "mouse" || find("draw").checked;

function positionOf(panel, event) {
  const box = panel.find("marks").getBoundingClientRect();
  return frame(panel.model, panel.size).z(event.clientX - box.left, event.clientY - box.top);
}

/** The nearest test image if it is near enough, else the position itself. */
function snapped(panel, z) {
  const { index, distance } = panel.nearest(z, state.label);
  return distance <= SNAP_DISTANCE ? index : z;
}

function listenToPlane(panel) {
  const marks = panel.find("marks");
  marks.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    marks.focus({ preventScroll: true });
    marks.setPointerCapture(event.pointerId);
    clearLine();
    const z = positionOf(panel, event);
    const from = drawsLine(event) ? snapped(panel, z) : null;
    drag = { from, x: event.clientX, y: event.clientY };
    moveTo(z, panel);
  });
  marks.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || (state.line && !drag)) return; // a line stays until the next press
    const z = positionOf(panel, event);
    const isDragged = drag && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4;
    moveTo(z, panel);
    if (isDragged && drag.from !== null) setLine([drag.from, z]);
  });
  marks.addEventListener("pointerup", (event) => {
    if (!event.isPrimary) return;
    if (drag && drag.from !== null && state.line) {
      setLine([drag.from, snapped(panel, positionOf(panel, event))]);
      if (!reducedMotion.matches) play();
    }
    drag = null;
  });
  marks.addEventListener("lostpointercapture", () => (drag = null)); // after pointerup, or without it
  marks.addEventListener("keydown", (event) => pressOnPlane(panel, event));
  panel
    .find("model")
    .addEventListener("change", (event) => choose(panel, Number(event.target.value)));
  new ResizeObserver(() => update({ background: true })).observe(panel.find("plane"));
}

function pressOnPlane(panel, event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return; // shortcuts of the browser
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const { model } = panel;
  const actions = {
    Enter: () => event.repeat || mark(panel),
    Escape: clearLine,
    n: () => {
      stop();
      moveTo(model.codes[nextImage(panel)], panel);
    },
    i: () => takeTestImage(panel.nearest(panel.z, state.label).index),
  };
  if (event.key in arrows) {
    stop();
    step(panel, arrows[event.key], event.shiftKey ? 0.1 : 0.02);
  } else if (event.key in actions) actions[event.key]();
  else if (model.conditional && /^[0-9]$/.test(event.key) && event.key < pageData.classes.length)
    chooseLabel(Number(event.key));
  else return;
  event.preventDefault();
}

function step(panel, directions, share) {
  const { low, high } = panel.model;
  const z = directions.map((direction, i) =>
    Math.min(Math.max(panel.z[i] + direction * share * (high[i] - low[i]), low[i]), high[i]),
  );
  moveTo(z, panel);
}

/** The index of the next test image in the plane. */
function nextImage(panel) {
  const { index } = panel.nearest(panel.z, state.label);
  const count = classLabels.length;
  for (let i = 1; i < count; i++)
    if (panel.isInPlane((index + i) % count, state.label)) return (index + i) % count;
  return index;
}

/** Begin a line where Enter is pressed first, and end it where it is pressed next. */
function mark(panel) {
  stop();
  const from = lineStart;
  lineStart = from ? null : panel.z;
  if (from) {
    setLine([from, panel.z]);
    if (!reducedMotion.matches) play();
  }
  find("status").textContent = from
    ? "Line drawn."
    : "The line begins here; go on, and press Enter where it ends.";
}

function listen() {
  panels.forEach(listenToPlane);
  const onClick = (id, action) => find(id).addEventListener("click", action);
  onClick("play", () => (state.playing ? stop() : play()));
  onClick("clear-line", () => {
    clearLine();
    state.active.find("marks").focus();
  });
  onClick("undo", undo);
  onClick("clear", clearPad);
  onClick("use-nearest", () => takeTestImage(Number(find("nearest").dataset.index)));
  onClick("link", makeLink);
  onClick("save", savePicture);
  find("index").addEventListener("change", (event) => {
    const index = Math.round(Number(event.target.value)) - 1;
    if (index >= 0 && index < classLabels.length) takeTestImage(index);
    else event.target.value = (state.image ?? 0) + 1;
  });
  find("centred").addEventListener("change", () => update({ image: true }));
  find("follow").addEventListener("change", () => update({ inference: true }));
  for (const event of ["focus", "blur"])
    find("pad").addEventListener(event, () => update({ pad: true }));
  document.querySelectorAll("input[name=planes]").forEach((input) => {
    input.addEventListener("change", () => showPanels(Number(input.value)));
  });
  document.querySelectorAll(".labels input").forEach((input) => {
    input.addEventListener("change", () => chooseLabel(Number(input.value)));
  });
  dark.addEventListener("change", () => update({ background: true }));
  addEventListener("hashchange", () => restore(location.hash.slice(1)));
}

await find("sheet").decode();
find("touching").hidden = !navigator.maxTouchPoints;
listen();
panels.forEach((panel, i) => choose(panel, Math.min(i, models.length - 1)));
showPanels(1);
showTestImage(0);
await restore(location.hash.slice(1));
// for tests, and for the console of the browser
globalThis.explorer = {
  models,
  panels,
  state,
  drawing,
  decode,
  encode,
  centreAndScale,
  LogLikelihoods,
  moveTo,
  setLine,
  takeTestImage,
  currentFragment,
  pixels: () => pixels,
  idle: () => !frameRequested && !isWorking,
};
