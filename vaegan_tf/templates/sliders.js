// Where zero and its value are on a slider, for its colours.
function colour(slider) {
  const { min, max, value } = slider;
  const at = number => `${100 * (number - min) / (max - min)}%`;
  slider.style.setProperty("--zero", at(Math.max(0, min)));
  slider.style.setProperty("--value", at(value));
}
