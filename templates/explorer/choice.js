// Which models and which label are shown.

import { clearLine, setLine } from "./path.js";
import { find, models, panels, shownPanels, state, update } from "./state.js";

export function choose(panel, index) {
  clearLine();
  const before = panel.model;
  panel.choose(models[index]);
  panel.find("model").value = index;
  if (before && !panels.some(({ model }) => model === before)) delete before.tables; // they are large
  modelsChanged();
}

/** Show one or two planes. */
export function showPanels(count) {
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

export function setLabel(label) {
  state.label = label;
  document
    .querySelectorAll(".labels input")
    .forEach((input) => (input.checked = Number(input.value) === label));
  if (state.line) setLine(state.line);
  update({ background: true });
}

export function chooseLabel(label) {
  find("follow").checked = false;
  setLabel(label);
}
