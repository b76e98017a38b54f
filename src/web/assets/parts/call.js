// The keys of a call, on the desk and on every other page: what is read, the channel, the customer, the next one.
import * as customer from "./customer.js";
import * as keys from "./keys.js";
import { say } from "./clipboard.js";
import { t } from "./words.js";

function press(selector) {
  const target = document.querySelector(`#reader ${selector}`);
  target?.click();
  return Boolean(target);
}

export function start() {
  for (let number = 1; number <= 9; number += 1) {
    keys.bind(`Digit${number}`, () => press(`.choice[data-key="${number}"]`), number === 1 ? { label: "key-flow-choice", told: "1…9" } : {});
  }
  keys.bind("Backspace", () => press(".back-step"), { label: "key-flow-back" });
  keys.bind("KeyF", () => press(".article .favourite"), { label: "key-favourite" });
  keys.bind("KeyP", () => press(".article .pin"), { label: "key-pin" });
  keys.bind("KeyL", () => press(".article .copy-link"), { label: "key-link" });
  const form = document.querySelector("form.customer");
  if (!form) return;
  ["chat", "sms", "email", "voice"].forEach((channel, at) => {
    keys.bind(`Digit${at + 1}`, () => {
      customer.update({ channel });
      say(t(`channel-${channel}`));
    }, { alt: true, label: "key-channel" });
  });
  keys.bind("KeyU", () => {
    form.querySelector("details").open = true;
    form.elements.name.focus();
  }, { alt: true, label: "key-customer" });
  keys.bind("KeyX", customer.clear, { alt: true, label: "key-new-call" });
  customer.start();
}
