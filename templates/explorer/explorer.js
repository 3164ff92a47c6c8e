// What the reader does.

import { choose, chooseLabel, showPanels } from "./choice.js";
import { isIdle } from "./frame.js";
import { clearPad, showTestImage, takeTestImage, undo } from "./image.js";
import { decode, encode } from "./network.js";
import { centreAndScale, preventScrolling } from "./pad.js";
import { clearLine, mark, moveTo, nextImage, play, setLine, step, stop } from "./path.js";
import { frame } from "./plane.js";
import { LogLikelihoods } from "./posterior.js";
import {
  classLabels,
  dark,
  drawing,
  find,
  models,
  pageData,
  panels,
  reducedMotion,
  state,
  update,
} from "./state.js";
import { currentFragment, makeLink, restore, savePicture } from "./view.js";

const SNAP_DISTANCE = 12; // CSS pixels within which the end of a line becomes a test image's code
let drag = null; // where the pointer was pressed, while it is

const drawsLine = (event) => event.pointerType !== "touch" || find("draw").checked;

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
  preventScrolling(marks);
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
  marks.addEventListener("dblclick", (event) => {
    takeTestImage(panel.nearest(positionOf(panel, event), state.label).index);
  });
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
  pixels: () => state.pixels,
  idle: isIdle,
};
