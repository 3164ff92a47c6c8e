// A frame: what changed is drawn. Between frames: long computations.

import { setLabel } from "./choice.js";
import { drawPad, showNearest } from "./image.js";
import { centreAndScale } from "./pad.js";
import { drawLine } from "./path.js";
import { paint } from "./picture.js";
import {
  drawing,
  find,
  frames,
  pageColours,
  pageData,
  panels,
  shape,
  shownPanels,
  state,
  update,
} from "./state.js";

const REST = 100; // ms without a stroke, after which long computations go on

function draw() {
  state.frameRequested = false;
  const colours = pageColours();
  const stale = state.stale;
  state.stale = {};
  if (stale.image) takeImage();
  if (stale.image || stale.background || stale.inference) infer(stale.image);
  if (stale.background) {
    panels.forEach((panel) => panel.measure());
    state.padSize = find("pad").clientWidth;
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
  state.stale.labels = stale.labels || changed;
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
  state.pixels = drawing.isEmpty ? null : Float32Array.from(bytes, (value) => value / 255);
  paint(find("seen"), state.pixels ?? new Float32Array(bytes.length), shape);
}

function infer(isOther) {
  const follows = find("follow").checked;
  for (const panel of shownPanels()) {
    const inference = panel.infer(state.pixels, state.label, isOther);
    const probabilities = follows && inference?.probabilities;
    if (!probabilities) continue;
    const best = probabilities.indexOf(Math.max(...probabilities));
    if (best === state.label) continue;
    setLabel(best);
    return infer(false);
  }
}

let isWorking = false;
/** Long computations, one after the other, until all is done. */
async function work() {
  if (isWorking) return;
  isWorking = true;
  while (await workOnce());
  isWorking = false;
}

async function workOnce() {
  if (state.frameRequested) await new Promise(requestAnimationFrame); // frames come first
  if (state.stale.labels) {
    delete state.stale.labels;
    shownPanels().forEach((panel) => panel.drawLabels());
    return true;
  }
  const rest = state.lastChange + REST - performance.now();
  if (rest > 0) {
    await new Promise((resolve) => setTimeout(resolve, rest));
    return true;
  }
  const version = state.version;
  for (const panel of shownPanels()) {
    const task = panel.nextTask(state.pixels, state.label);
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

/** Whether nothing is being drawn or computed. */
export function isIdle() {
  return !state.frameRequested && !isWorking;
}

frames.draw = draw;
