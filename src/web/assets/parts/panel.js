// The desk inside a page of another site: that page tells who the customer is, and hears what was copied.
import * as customer from "./customer.js";

const FIELDS = ["name", "number", "region", "tariff", "channel"];
const CHANNELS = ["chat", "sms", "email", "voice"];

// The longest value taken from another page.
const MOST = 200;

export function start({ wordings, type }) {
  const allowed = (document.body.dataset.origins ?? "").split(" ").filter(Boolean);
  if (!allowed.length || parent === window) return;
  addEventListener("message", (event) => {
    // Only the page that shows the panel is listened to, and only when settings name its site.
    if (event.source !== parent || !allowed.includes(event.origin)) return;
    const { type: what, customer: told, text } = event.data ?? {};
    if (what === "pharos:customer" && told === null) customer.clear();
    else if (what === "pharos:customer" && typeof told === "object") {
      const fields = FIELDS.filter((name) => typeof told[name] === "string" && (name !== "channel" || CHANNELS.includes(told[name])));
      const values = Object.fromEntries(fields.map((name) => [name, told[name].slice(0, MOST)]));
      // Another name or number is another customer.
      if (customer.isOther("name", values.name) || customer.isOther("number", values.number)) customer.begin(values);
      else customer.update(values);
    } else if (what === "pharos:search" && typeof text === "string") type(text.slice(0, 1000));
  });
  // Which of them shows the panel, not every browser tells; a message reaches the page of the origin it is sent to and no other.
  const around = allowed.filter((origin) => location.ancestorOrigins?.[0] === origin || document.referrer.startsWith(`${origin}/`));
  const tell = (message) => (around.length ? around : allowed).forEach((origin) => parent.postMessage(message, origin));
  wordings.whenCopied((wording) => tell({ type: "pharos:copied", wording }));
  tell({ type: "pharos:ready" });
}
