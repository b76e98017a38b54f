// Puts the Pharos panel into a page of another site:
//   <script src="https://pharos.example.org/embed.js" data-target="#knowledge"></script>
//   Pharos.setCustomer({ name: "Anna", number: "+7 900 000-00-00", region: "moscow", tariff: "Black", channel: "chat" });
//   Pharos.search("300 sms");  Pharos.onCopied(({ template, channel, text, html }) => …);
(() => {
  const script = document.currentScript;
  const origin = new URL(script.src).origin;
  const frame = document.createElement("iframe");
  frame.src = `${origin}/embed`;
  frame.title = script.dataset.title ?? "Pharos";
  frame.allow = "clipboard-write";
  frame.width = script.dataset.width ?? "420";
  frame.height = script.dataset.height ?? "720";
  const target = script.dataset.target && document.querySelector(script.dataset.target);
  if (target) target.append(frame);
  else script.after(frame);
  const listeners = [];
  // What is said before the panel listens is said to it when it does.
  const waiting = [];
  let isReady = false;
  const tell = (message) => (isReady ? frame.contentWindow.postMessage(message, origin) : waiting.push(message));
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    if (event.data?.type === "pharos:ready") {
      isReady = true;
      waiting.splice(0).forEach(tell);
    } else if (event.data?.type === "pharos:copied") listeners.forEach((listener) => listener(event.data.wording));
  });
  globalThis.Pharos = {
    setCustomer: (customer) => tell({ type: "pharos:customer", customer }),
    clearCustomer: () => tell({ type: "pharos:customer", customer: null }),
    search: (text) => tell({ type: "pharos:search", text }),
    onCopied: (listener) => listeners.push(listener),
  };
})();
