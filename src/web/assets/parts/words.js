// The words that scripts show, as the page brought them.
const words = JSON.parse(document.querySelector("#words").textContent);

export const t = (key) => words[key] ?? key;
