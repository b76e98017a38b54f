// Every page but the desk: keys, codes to copy, wordings of an article, what changes.
import * as call from "./parts/call.js";
import * as customer from "./parts/customer.js";
import * as keys from "./parts/keys.js";
import * as live from "./parts/live.js";
import * as news from "./parts/news.js";
import * as offline from "./parts/offline.js";
import * as reader from "./parts/reader.js";
import * as wordings from "./parts/wordings.js";
import { copy } from "./parts/clipboard.js";
import { latest, swap } from "./parts/fragment.js";

const openWordings = () => (reader.opened() ? wordings.open({ article: reader.opened() }) : false);

document.addEventListener("click", (event) => {
  if (event.target.closest(".open-wordings")) openWordings();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) return;
  // Back to the search that was left, or to a new one.
  if (document.referrer.startsWith(`${location.origin}/?`) && history.length > 1) history.back();
  else location.href = "/";
});

document.querySelector(".only-differences")?.addEventListener("change", (event) => {
  document.querySelector(".compared").classList.toggle("hides-same", event.target.checked);
});

keys.start();
keys.bind("KeyT", openWordings, { label: "key-wordings" });
keys.bind("KeyC", () => {
  if (wordings.isOpen()) return wordings.copyOpened();
  const note = document.querySelector(".copy-note");
  return note ? copy(note.dataset.copy) : false;
}, { label: "key-copy" });
call.start();
// An article is that of the customer's region, here as on the desk.
function showRegion(region) {
  const address = new URL(location.href);
  if (address.searchParams.get("region") === region) return;
  if (region) address.searchParams.set("region", region);
  else address.searchParams.delete("region");
  history.replaceState(null, "", address);
  reader.refresh();
}
reader.start();
wordings.start();
if (document.querySelector("form.customer")) {
  const shared = new URLSearchParams(location.search).get("region");
  if (shared) customer.update({ region: customer.named(shared) });
  else showRegion(customer.asked());
  customer.watch((changed) => changed.some((name) => name === "region" || name === "cleared") && showRegion(customer.asked()));
}
offline.start(reader.refresh);

// A comparison follows the prices.
const fetchComparison = latest();
async function refreshComparison() {
  const shown = document.querySelector(".comparison");
  const reply = shown && (await fetchComparison(location.href).catch(() => null));
  const next = reply?.ok && new DOMParser().parseFromString(reply.text, "text/html").querySelector(".comparison");
  if (!next) return;
  next.querySelector(".compared").className = shown.querySelector(".compared").className;
  swap(shown, next.innerHTML, reader.decorate);
}

live.follow(() => {
  reader.refresh();
  refreshComparison();
  wordings.refresh();
  offline.keepSoon();
  news.show();
});

news.show();
