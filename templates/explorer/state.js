// What the page shows: the models, the two planes, the image, the line. Whoever changes it says so by `update`.

import { unpack, unpackLayer } from "./network.js";
import { Drawing } from "./pad.js";
import { Panel } from "./panel.js";

export const find = (id) => document.getElementById(id);
export const checkedValue = (name) => document.querySelector(`input[name=${name}]:checked`).value;
export const pageData = JSON.parse(find("page-data").textContent);
export const shape = pageData.image_shape;
export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
export const dark = matchMedia("(prefers-color-scheme: dark)");
export const classLabels = await unpack(pageData.labels);
export const models = await Promise.all(pageData.models.map(prepare));
export const panels = [...document.querySelectorAll(".panel")].map(
  (root) => new Panel(root, shape),
);
export const drawing = new Drawing(shape, pageData.channels);
export const state = {
  active: panels[0], // the plane that was moved over last
  label: 0,
  line: null, // its two ends: the index of a test image, or pixels and the position where they were decoded
  playing: false,
  image: 0, // the index of the test image on the pad, or null for a drawing
  version: 0, // of all that is inferred: it increases when the image, a model or the label changes
  strokeTime: null, // when the stroke was made that is not drawn yet
  latencies: [], // ms from a stroke to its picture
  pixels: null, // what the models are given, from 0 to 1; null if the pad is empty
  lastChange: 0, // time of the last change of the image
  padSize: 0, // CSS pixels
  frameRequested: false,
  stale: { background: true, image: true }, // what has to be drawn in the next frame
};

/** What draws a frame; frame.js sets it. */
export const frames = { draw: () => {} };

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

export const shownPanels = () => panels.filter((panel) => panel.isShown);

/** The colours of the page, which depend on the reader's colour scheme. */
export function pageColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "quiet", "background", "accent", "heat"];
  const colours = names.map((name) => [name, style.getPropertyValue(`--${name}`)]);
  const classes = pageData.colours.map((colour) =>
    dark.matches ? `color-mix(in srgb, ${colour} 70%, white)` : colour,
  );
  return { ...Object.fromEntries(colours), classes };
}

/** Draw in the next frame what `changes` names: the `position`, the `image` and what is inferred of it, or the `background`
 * of the planes. */
export function update(changes = {}) {
  if (changes.image || changes.background) state.version++;
  if (changes.image) state.lastChange = performance.now();
  state.stale = { ...state.stale, ...changes };
  if (!state.frameRequested) requestAnimationFrame(frames.draw);
  state.frameRequested = true;
}
