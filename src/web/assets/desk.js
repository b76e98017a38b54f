// The search desk: results as one types, an article beside them, its wordings one key away.
import * as call from "./parts/call.js";
import * as customer from "./parts/customer.js";
import * as keys from "./parts/keys.js";
import * as live from "./parts/live.js";
import * as news from "./parts/news.js";
import * as offline from "./parts/offline.js";
import * as panel from "./parts/panel.js";
import * as place from "./parts/place.js";
import * as reader from "./parts/reader.js";
import * as wordings from "./parts/wordings.js";
import { copy, say, toast } from "./parts/clipboard.js";
import { latest, swap } from "./parts/fragment.js";
import { t } from "./parts/words.js";

const field = document.querySelector("#q");
const results = document.querySelector("#results");
const fetchResults = latest();

const hits = () => [...results.querySelectorAll(".hit")];
const chosen = () => results.querySelector('.hit[aria-selected="true"]');
const linkOf = (hit) => hit?.querySelector(".hit-link").getAttribute("href");

function choose(hit, { scroll = true } = {}) {
  const before = chosen();
  before?.setAttribute("aria-selected", "false");
  if (hit) {
    hit.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", hit.id);
    if (scroll) hit.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

const isAsked = (asked) => [...asked].some(([name, value]) => value && name !== "region" && name !== "limit");

// The search that was begun last: what is opened or copied waits for it, and is never taken from the one before.
let searching = Promise.resolve();

async function whenSearched() {
  let waited;
  do {
    waited = searching;
    await waited;
  } while (waited !== searching);
}

// Shows the results of what the address asks for. `same`: it is the search that is shown already, and its choice stays.
function search(options) {
  searching = showResults(options);
  return searching;
}

let asking = 0;

async function showResults({ same = false } = {}) {
  asking += 1;
  const own = asking;
  const asked = place.searched();
  if (!isAsked(asked)) {
    fetchResults.stop();
    results.replaceChildren();
    choose(null);
    field.setAttribute("aria-expanded", "false");
    return;
  }
  let html;
  try {
    const reply = await fetchResults(`/search/results?${asked}`);
    if (!reply) return;
    if (!reply.ok) {
      // What is shown answers another question: better nothing.
      html = failureNote();
    } else html = reply.text;
    offline.isBack();
  } catch {
    html = await offline.results(asked.get("q") ?? "");
    if (own !== asking) return;
  }
  const before = same ? chosen()?.dataset.article : null;
  swap(results, html, reader.decorate);
  choose(before ? hits().find((hit) => hit.dataset.article === before) : null, { scroll: false });
  if (!same) results.scrollTop = 0;
  field.setAttribute("aria-expanded", String(hits().length > 0));
  sayCount();
}

function failureNote() {
  const note = document.createElement("p");
  note.className = "count banner";
  note.textContent = t("failed");
  return note.outerHTML;
}

// The count is told when typing pauses, not with every key.
let telling = 0;
function sayCount() {
  clearTimeout(telling);
  telling = setTimeout(() => say(results.querySelector(".count")?.textContent ?? ""), 500);
}

// Shows what the address says: at the start, and on the way back.
async function arrive() {
  // The region is this customer's, whatever it was when one was here before.
  place.go({ region: customer.asked() });
  const asked = place.params();
  field.value = asked.get("q") ?? "";
  const open = asked.get("open");
  const wording = asked.get("wording");
  const opening = open ? reader.open(`/${open}${location.hash}`, { push: false }) : reader.close({ push: false });
  if (!open) reader.view("results");
  if (wording) wordings.open({ template: wording });
  else wordings.dismiss();
  await Promise.all([search(), opening]);
}

function onTyped() {
  // What is typed now is read anew.
  place.go({ q: field.value || null, verbatim: null, limit: null });
  toWordings = null;
  wordings.dismiss();
  reader.view("results");
  // On a phone the page itself scrolls: what is new stands at its top.
  scrollTo(0, 0);
  search();
}

// The wordings of what one looks at: in the reader what is open, elsewhere the chosen hit, or the first.
let toWordings = null;

function openWordings() {
  const own = findWordings(() => toWordings === own).finally(() => {
    if (toWordings === own) toWordings = null;
  });
  toWordings = own;
  return own;
}

async function findWordings(isWanted) {
  await whenSearched();
  if (!isWanted()) return;
  const open = reader.hasFocus() ? reader.opened() : null;
  const hit = chosen() ?? (document.activeElement === field ? hits()[0] : null);
  const article = open ?? hit?.dataset.article ?? reader.opened() ?? hits()[0]?.dataset.article;
  if (article) await wordings.open({ article, query: field.value });
}

async function copyWhatIsThere() {
  if (wordings.isOpen()) return wordings.copyOpened();
  await whenSearched();
  const note = reader.current()?.querySelector(".copy-note");
  const answer = note ?? results.querySelector(".answer .copy[data-copy]:not(.code-copy)");
  return answer ? copy(answer.dataset.copy) : false;
}

function back() {
  if (wordings.isOpen()) wordings.close();
  else {
    reader.view("results");
    field.focus();
    field.select();
  }
}

async function openFirst() {
  // The wordings are on their way: the second key copies, however fast it comes.
  if (toWordings) {
    await toWordings;
    return wordings.copyOpened();
  }
  await whenSearched();
  const hit = chosen() ?? hits()[0];
  if (!hit) return;
  choose(hit);
  reader.open(linkOf(hit));
}

field.addEventListener("input", onTyped);

field.form.addEventListener("submit", (event) => event.preventDefault());

field.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = hits();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: Math.min(at + 1, all.length - 1), ArrowUp: at - 1, PageDown: Math.min(at + 5, all.length - 1), PageUp: Math.max(at - 5, -1) }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    choose(to < 0 ? null : all[to]);
  } else if (event.key === "Enter" && event.shiftKey) {
    event.preventDefault();
    openWordings();
  } else if (event.key === "Enter") {
    event.preventDefault();
    openFirst();
  } else if (event.key === "?" && !field.value) {
    event.preventDefault();
    keys.showKeys();
  } else if (event.key === "Escape") {
    event.preventDefault();
    if (wordings.isOpen() || document.body.dataset.view !== "results") back();
    else if (chosen()) choose(null);
    else {
      field.value = "";
      onTyped();
    }
  }
});

results.addEventListener("click", (event) => {
  const link = event.target.closest("a.chip, a.again");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (link && plain) {
    event.preventDefault();
    const next = new URL(link.href).searchParams;
    const changes = Object.fromEntries([...place.searched().keys()].map((name) => [name, null]));
    // The region of the search is that of this customer.
    const region = customer.named(next.get("region"));
    place.go({ ...changes, ...Object.fromEntries(next) }, { push: true });
    field.value = next.get("q") ?? "";
    if (region === customer.region()) search();
    else customer.update({ region });
  }
  const hit = event.target.closest(".hit");
  if (hit) choose(hit);
});

results.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const note = form.elements.note.value.trim();
  const gap = { query: form.dataset.query, note: note || null, region: customer.region() || null, lang: document.documentElement.lang };
  try {
    const reply = await fetch("/api/v1/gaps", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(gap) });
    if (!reply.ok) throw new Error(reply.statusText);
    form.replaceChildren(t("gap-told"));
    say(t("gap-told"));
  } catch {
    toast(t("failed"));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target !== field && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    back();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest(".open-wordings")) wordings.open({ article: reader.opened(), query: field.value });
  const link = event.target.closest("a.open-wording");
  if (link) {
    event.preventDefault();
    wordings.open({ template: link.dataset.id });
  }
});

addEventListener("popstate", arrive);

keys.start();
keys.bind("KeyT", openWordings, { alt: true, label: "key-wordings" });
keys.bind("KeyT", openWordings, { label: "key-wordings" });
keys.bind("KeyC", copyWhatIsThere, { alt: true, label: "key-copy" });
keys.bind("KeyC", copyWhatIsThere, { label: "key-copy" });
// Into the article, where arrows scroll and single keys count.
keys.bind("KeyA", () => {
  const article = reader.current();
  if (!article) return false;
  if (wordings.isOpen()) wordings.close();
  reader.view("reader");
  reader.focus();
}, { alt: true, label: "key-article" });
call.start();
customer.watch((changed) => {
  if (changed.includes("region") || changed.includes("cleared")) {
    place.go({ region: customer.asked() });
    search();
    reader.refresh();
  }
});
reader.start();
wordings.start();
offline.start(async () => {
  await search({ same: true });
  const isReached = await reader.refresh();
  await wordings.reload();
  return isReached;
});
panel.start({ wordings, type: (text) => { field.value = text; onTyped(); } });

// An address of an article without network is answered with this page.
if (/^\/(articles|flows)\//.test(location.pathname)) {
  const open = location.pathname.slice(1) + location.search;
  history.replaceState(null, "", `/?open=${encodeURIComponent(open)}${location.hash}`);
}
// The region of an address that was shared is that of this customer; where there is none, the reader's own counts.
const shared = place.params().get("region");
if (shared) customer.update({ region: customer.named(shared) });
else place.go({ region: customer.asked() });
const isShown = results.childElementCount > 0 && !place.params().get("region");
if (place.params().has("open") || place.params().has("wording") || !isShown) arrive();

live.follow(() => {
  if (isAsked(place.searched())) search({ same: true });
  reader.refresh();
  wordings.refresh();
  offline.keepSoon();
  news.show();
});
news.show();
