// The image: a test image, or what is drawn on the pad.

import { Pad, WIDTHS } from "./pad.js";
import { paint } from "./picture.js";
import { clearedContext } from "./plane.js";
import {
  checkedValue,
  classLabels,
  drawing,
  find,
  pageData,
  shape,
  state,
  update,
} from "./state.js";

/** The bytes of a test image, of a colour image all of one channel first. */
export function bytesOfTestImage(index) {
  const canvas = document.createElement("canvas");
  [canvas.height, canvas.width] = shape;
  const context = canvas.getContext("2d");
  const left = (index % pageData.columns) * shape[1];
  const top = Math.floor(index / pageData.columns) * shape[0];
  context.drawImage(find("sheet"), left, top, shape[1], shape[0], 0, 0, shape[1], shape[0]);
  const { data } = context.getImageData(0, 0, shape[1], shape[0]);
  const channels = Array.from({ length: pageData.channels }, (_, channel) => channel);
  return channels.flatMap((channel) => Array.from(data.filter((_, i) => i % 4 === channel)));
}

export const pixelsOfTestImage = (index) =>
  Float32Array.from(bytesOfTestImage(index), (value) => value / 255);

/** Put a test image on the pad; it is not scaled, also not once it is painted over. */
export function takeTestImage(index) {
  remember();
  showTestImage(index);
}

export function showTestImage(index) {
  state.image = index;
  drawing.pixels = new Uint8Array(bytesOfTestImage(index));
  find("centred").checked = false;
  find("index").value = index + 1;
  update({ image: true });
}

/** Keep what is on the pad, to return to it. */
export function remember() {
  drawing.remember({ image: state.image, centred: find("centred").checked });
}

export function undo() {
  const last = drawing.undo();
  if (!last) return;
  state.image = last.image;
  find("centred").checked = last.centred;
  if (last.image !== null) find("index").value = last.image + 1;
  update({ image: true });
}

export function clearPad() {
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

export const pad = new Pad(find("pad"), drawing, {
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

find("pad").style.aspectRatio = shape[1] / shape[0];

export function drawPad(colours) {
  const canvas = find("pad");
  const size = state.padSize;
  const height = (size * shape[0]) / shape[1];
  const context = clearedContext(canvas, size, height);
  const tile = document.createElement("canvas");
  [tile.height, tile.width] = shape;
  paint(
    tile,
    Float32Array.from(drawing.pixels, (value) => value / 255),
    shape,
  );
  context.imageSmoothingEnabled = false;
  context.drawImage(tile, 0, 0, size, height);
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
export function showNearest(index) {
  const left = (index % pageData.columns) * shape[1];
  const top = Math.floor(index / pageData.columns) * shape[0];
  const context = find("nearest-image").getContext("2d");
  context.drawImage(find("sheet"), left, top, shape[1], shape[0], 0, 0, shape[1], shape[0]);
  find("nearest").dataset.index = index;
  find("nearest").textContent =
    `Nearest: test image ${index + 1}, ${pageData.classes[classLabels[index]]}`;
}
