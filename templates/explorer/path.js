// The position in the planes, and the line between two images.

import { pixelsOfTestImage } from "./image.js";
import { interpolate } from "./panel.js";
import { paint } from "./picture.js";
import {
  classLabels,
  find,
  panels,
  reducedMotion,
  shape,
  shownPanels,
  state,
  update,
} from "./state.js";

const STEPS = 9; // images along a line
const SECONDS = 2.5; // that a line takes to play from one end to the other
let animation = 0; // of the line that plays
let lineStart = null; // where a line drawn with the keyboard begins

/** Move to a position in a plane, and in the other one to the code of what is decoded there. */
export function moveTo(z, panel = state.active) {
  state.active = panel;
  panel.z = z;
  for (const other of shownPanels())
    if (other !== panel) other.z = other.codeOf(panel.decodeAt(z, state.label), state.label);
  update({ position: true });
}

/** Draw a line between two ends, each the index of a test image or a position in the active plane. */
export function setLine(ends) {
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
export function drawLine() {
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

export function clearLine() {
  stop();
  state.line = lineStart = null;
  panels.forEach((panel) => (panel.line = null));
  find("line").hidden = true;
  update({ position: true });
}

/** Move from one end of the line to the other and back, until the reader does something else. */
export function play() {
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

export function stop() {
  cancelAnimationFrame(animation);
  state.playing = false;
  find("play").textContent = "Play";
}

export function step(panel, directions, share) {
  const { low, high } = panel.model;
  const z = directions.map((direction, i) =>
    Math.min(Math.max(panel.z[i] + direction * share * (high[i] - low[i]), low[i]), high[i]),
  );
  moveTo(z, panel);
}

/** The index of the next test image in the plane. */
export function nextImage(panel) {
  const { index } = panel.nearest(panel.z, state.label);
  const count = classLabels.length;
  for (let i = 1; i < count; i++)
    if (panel.isInPlane((index + i) % count, state.label)) return (index + i) % count;
  return index;
}

/** Begin a line where Enter is pressed first, and end it where it is pressed next. */
export function mark(panel) {
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
