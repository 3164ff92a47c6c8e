// What is shown, as a link and as a file.

import { choose, chooseLabel, showPanels } from "./choice.js";
import { showTestImage } from "./image.js";
import { decodeBytes, encodeBytes, fromFragment, toFragment } from "./link.js";
import { moveTo, setLine } from "./path.js";
import { compose, saveAs } from "./picture.js";
import {
  classLabels,
  drawing,
  find,
  models,
  pageColours,
  pageData,
  panels,
  shownPanels,
  state,
  update,
} from "./state.js";

export async function currentFragment() {
  const isDrawing = state.image === null && state.pixels;
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
export async function restore(fragment) {
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

export async function makeLink() {
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

export function savePicture() {
  const parts = [...document.querySelectorAll(".saved")].filter((part) => part.checkVisibility());
  saveAs(
    compose(parts, pageColours(), document.querySelector("h1").textContent),
    "latent-planes.png",
  );
}
