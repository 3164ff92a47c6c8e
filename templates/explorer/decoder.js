// The trained decoder in the reader's browser: what models.py and objectives.py do, for one latent position.

const ACTIVATIONS = {
  ReLU: (value) => Math.max(value, 0),
  Sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  Tanh: Math.tanh,
};

/** Numbers that Python packed: base64 of their bytes, the lowest byte first. */
export function unpack(text, Numbers = Uint8Array) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Numbers(bytes.buffer);
}

/** A linear layer whose weights were rounded to 16 bits, each row in a scale of its own. */
export function unpackLayer(layer) {
  const steps = unpack(layer.scales, Float32Array);
  const weights = Float32Array.from(unpack(layer.weights, Int16Array));
  const columns = weights.length / steps.length;
  for (let i = 0; i < weights.length; i++) weights[i] *= steps[Math.floor(i / columns)];
  return { weights, bias: unpack(layer.bias, Float32Array), activation: layer.activation };
}

/** The 784 pixels, 0 to 1, that `model` decodes from z, [x, y], and the label, which matters to a conditional model. */
export function decode(model, z, label = 0) {
  let values = [...z];
  if (model.conditional) values.push(...model.classes.map((_, i) => Number(i === label)));
  for (const layer of model.layers) values = forward(layer, values);
  return model.output === "sigmoid" ? values.map(ACTIVATIONS.Sigmoid) : values.map(clamp);
}

function forward({ weights, bias, activation }, inputs) {
  const outputs = Float32Array.from(bias);
  const act = ACTIVATIONS[activation] ?? ((value) => value);
  for (let row = 0, k = 0; row < outputs.length; row++) {
    let sum = outputs[row];
    for (let column = 0; column < inputs.length; column++) sum += weights[k++] * inputs[column];
    outputs[row] = act(sum);
  }
  return outputs;
}

function clamp(value) {
  return Math.min(Math.max(value, 0), 1);
}
