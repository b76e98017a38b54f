// The form of a must-read: the question and its answers become one value. Answers are asked in another order than they are written.
const form = document.querySelector("form.must-read");

function question() {
  const text = document.querySelector("#question").value.trim();
  const written = document.querySelector("#choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!text && !written.length) return undefined;
  const choices = [...written].sort((a, b) => a.localeCompare(b));
  return { text, choices, right: Math.max(choices.indexOf(written[0]), 0) };
}

// Before people.js takes the form: it sends along what the pressed button says.
form.addEventListener("submit", (event) => {
  const set = { with_code: document.querySelector("#with-code").checked };
  const asked = question();
  if (asked) set.question = asked;
  event.submitter.dataset.set = JSON.stringify(set);
});
