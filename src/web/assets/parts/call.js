// The keys of a call, wherever there are wordings: the channel, the customer, the next one.
import * as customer from "./customer.js";
import * as keys from "./keys.js";
import { say } from "./clipboard.js";
import { t } from "./words.js";

export function start() {
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
