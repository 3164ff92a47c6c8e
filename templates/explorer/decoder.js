// The trained decoder in the browser: what `decode_latents` in models/inference.py does, for one latent position.

const ACTIVATIONS = {
  ReLU: (value) => Math.max(value, 0),
  Sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  Tanh: Math.tanh,
};

/** An array that `encode_array` in export.py wrote: base64 of its bytes, the lowest byte first. */
export function unpack(text, ArrayType = Uint8Array) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new ArrayType(bytes.buffer);
}

/** Fourier features, or a linear layer whose weights were rounded to 16 bits, with one scale for each output. Here the weights of an input
 * are adjacent. */
export function unpackLayer(layer) {
  if (layer.frequencies) return { frequencies: unpack(layer.frequencies, Float32Array) };
  const scales = unpack(layer.scales, Float32Array);
  const rounded = unpack(layer.weights, Int16Array);
  const inputs = rounded.length / scales.length;
  const weights = new Float32Array(rounded.length);
  for (let i = 0; i < rounded.length; i++) {
    const output = Math.floor(i / inputs);
    weights[(i % inputs) * scales.length + output] = rounded[i] * scales[output];
  }
  return { weights, bias: unpack(layer.bias, Float32Array), activation: layer.activation };
}

/** The pixels, 0 to 1, that `model` decodes from z, [x, y], and the label, which matters only to a conditional model. */
export function decode(model, z, label = 0) {
  let values = [...z];
  if (model.conditional) values.push(...model.classes.map((_, i) => Number(i === label)));
  for (const layer of model.layers) values = forward(layer, values);
  return model.output === "sigmoid" ? values.map(ACTIVATIONS.Sigmoid) : values.map(clamp);
}

/** z and the label, followed by the sines and the cosines of random projections of z. */
function fourierFeatures(frequencies, inputs) {
  const count = frequencies.length / 2;
  const angles = Array.from(
    { length: count },
    (_, i) => inputs[0] * frequencies[i] + inputs[1] * frequencies[count + i],
  );
  return [...inputs, ...angles.map(Math.sin), ...angles.map(Math.cos)];
}

function forward({ weights, bias, activation, frequencies }, inputs) {
  if (frequencies) return fourierFeatures(frequencies, inputs);
  const outputs = Float32Array.from(bias);
  inputs.forEach((value, input) => {
    if (value === 0) return; // as about half of the hidden units are
    const first = input * outputs.length;
    for (let i = 0; i < outputs.length; i++) outputs[i] += weights[first + i] * value;
  });
  return activation ? outputs.map(ACTIVATIONS[activation]) : outputs;
}

function clamp(value) {
  return Math.min(Math.max(value, 0), 1);
}
