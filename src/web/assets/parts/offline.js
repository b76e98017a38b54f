// For times without network: the articles used and those marked essential are kept, with their wordings, and can be searched.
import * as mine from "./mine.js";
import { t } from "./words.js";

const CACHE = "pharos-content";
const BUNDLE = "/api/v1/offline";

// How many of the articles used last are kept.
const KEPT = 50;

// After a change the content is fetched anew: not with every one of a burst, and not by all desks at one moment.
const PAUSE_MS = 5_000;
const SPREAD_MS = 55_000;

// What is asked for at most: it stands in an address.
const MOST = 150;

let waiting = 0;

// Shows anew what is shown; false when the server was not reached.
let showAnew = async () => true;

export function start(refresh) {
  showAnew = refresh;
  addEventListener("online", isBack);
  if (!("serviceWorker" in navigator) || document.body.classList.contains("panel")) return;
  navigator.serviceWorker.register("/worker.js").catch(() => {});
  addEventListener("load", () => setTimeout(keep, PAUSE_MS));
  mine.watch("recents", () => keepIn(PAUSE_MS));
}

function keepIn(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(keep, pause);
}

export const keepSoon = () => keepIn(PAUSE_MS + Math.random() * SPREAD_MS);

// Fetches what is to be had without network. What was kept stays when that fails.
export async function keep() {
  if (!globalThis.caches || !navigator.onLine) return;
  const used = [...mine.get("recents").slice(0, KEPT), ...mine.get("pinned"), ...mine.get("favourites")].slice(0, MOST);
  const idsOf = (isWanted) => [...new Set(used.filter(isWanted).map((item) => item.id))].join(",");
  try {
    const asked = new URLSearchParams({
      articles: idsOf((item) => item.kind !== "template"),
      templates: idsOf((item) => item.kind === "template"),
    });
    // The reader's own region: without network its prices are told.
    const { region } = mine.get("layout");
    if (region !== undefined) asked.set("region", region || "all");
    const reply = await fetch(`${BUNDLE}?${asked}`);
    if (reply.status === 401 || reply.status === 403) await caches.delete(CACHE);
    if (!reply.ok) return;
    const cache = await caches.open(CACHE);
    await cache.put(BUNDLE, reply);
    // The page itself, as this reader has it; that of another version needs the scripts that its own worker brings.
    const page = await fetch("/");
    const own = new URL("..", import.meta.url).pathname;
    if (page.redirected) return;
    if (page.ok && (await page.clone().text()).includes(own)) await cache.put("/", page);
    else if (page.ok) await (await navigator.serviceWorker.getRegistration())?.update();
  } catch {
    // No network: there is nothing newer to keep.
  }
}

let known = null;

async function bundle() {
  if (known) return known;
  const kept = await globalThis.caches?.match(BUNDLE);
  known = kept ? await kept.json() : { articles: [], templates: [], made_at: null };
  const parser = new DOMParser();
  for (const article of known.articles) {
    // Cells and items stand apart.
    const html = article.html.replace(/<\/(td|th|li|p|h[1-6]|div|dt|dd|pre|summary|section)>|<br>/g, " $&");
    article.text = parser.parseFromString(html, "text/html").body.textContent.replace(/\s+/g, " ").trim();
  }
  return known;
}

// How often something kept was shown.
let shownKept = 0;

async function banner(made) {
  const place = document.querySelector("#offline");
  if (made !== null) shownKept += 1;
  if (!place) return;
  place.hidden = made === null;
  if (made === null) known = null;
  else {
    const when = made ? new Date(made).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }) : "—";
    const told = `${t("offline")} ${when}`;
    if (place.textContent !== told) place.textContent = told;
  }
}

// Words of a text in small Latin letters: «смс» and SMS are one word.
const LETTERS = Object.fromEntries([..."абвгдеёжзийклмнопрстуфхцчшщъыьэюя"].map((letter, at) =>
  [letter, "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch  y  e iu ia".split(" ")[at]]));
const fold = (text) => text.toLowerCase().replace(/[а-яё]/g, (letter) => LETTERS[letter]);
const wordsOf = (text) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];

// Codes end at their `#`; phone numbers begin with a plus.
const CODE = /[*#][\d*\s]*\d\s*#|\+\d[\d\s()-]{5,}\d/g;
const codesOf = (text) => (text.match(CODE) ?? []).map((code) => code.replace(/[\s()-]/g, ""));

// Russian and English words change their ends; what begins alike is taken for the same.
const stem = (word) => (word.length > 7 ? word.slice(0, -3) : word.length > 4 ? word.slice(0, -2) : word);

const LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`";
const CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюё";
const swapped = (text) => [...text.toLowerCase()].map((char) => CYRILLIC[LATIN.indexOf(char)] ?? LATIN[CYRILLIC.indexOf(char)] ?? char).join("");

function found(articles, text) {
  const codes = codesOf(text);
  if (codes.length || /[*#]/.test(text)) {
    if (!codes.length) return [];
    // A code is matched whole: never a neighbour.
    return articles.filter((article) => codes.every((code) => codesOf(`${article.title} ${article.text}`).includes(code)));
  }
  const stems = wordsOf(text).map(stem);
  if (!stems.length) return [];
  const scored = articles.map((article) => {
    article.words ??= { title: wordsOf(article.title), text: wordsOf(article.text) };
    let score = 0;
    for (const part of stems) {
      const inTitle = article.words.title.filter((word) => word.startsWith(part)).length;
      const inText = article.words.text.filter((word) => word.startsWith(part)).length;
      if (!inTitle && !inText) return { article, score: 0 };
      score += 5 * Math.min(inTitle, 2) + Math.log2(1 + inText);
    }
    return { article, score: article.status === "archived" ? score / 10 : score };
  });
  return scored.filter((one) => one.score > 0).sort((a, b) => b.score - a.score).map((one) => one.article);
}

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const hrefOf = (id) => `/articles/${id.split("/").map(encodeURIComponent).join("/")}`;

// The results of a search over what is kept.
export async function results(text) {
  const { articles, made_at } = await bundle();
  await banner(made_at ?? "");
  let hits = found(articles, text);
  if (!hits.length) hits = found(articles, swapped(text));
  const root = element("div");
  root.append(element("p", { className: "count", textContent: hits.length ? `${t("found")}: ${hits.length}` : t("offline-empty") }));
  const list = element("div", { id: "hits", className: "hits", ariaLabel: t("results") });
  list.setAttribute("role", "grid");
  hits.slice(0, 10).forEach((article, at) => {
    const link = element("a", { className: "open hit-link", href: hrefOf(article.id) }, element("span", { className: "hit-title", textContent: article.title }));
    const snippet = element("span", { className: "snippet", textContent: snippetOf(article.text, text), lang: article.lang });
    const cell = element("div", {}, link, snippet);
    cell.setAttribute("role", "gridcell");
    if (article.status === "archived") cell.append(element("span", { className: "badge archived", textContent: t("archived") }));
    const row = element("div", { id: `hit-${at + 1}`, className: "hit" }, cell);
    row.setAttribute("role", "row");
    row.setAttribute("aria-selected", "false");
    row.dataset.article = article.id;
    row.dataset.title = article.title;
    list.append(row);
  });
  root.append(list);
  return root.innerHTML;
}

function snippetOf(text, query) {
  const stems = wordsOf(query).map(stem);
  const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)];
  const first = words.find((word) => stems.some((part) => fold(word[0]).startsWith(part)));
  const from = Math.max(0, (first?.index ?? 0) - 60);
  return `${from ? "…" : ""}${text.slice(from, from + 180)}${text.length > from + 180 ? "…" : ""}`;
}

// A kept article, or a note that it is not.
export async function article(path) {
  const id = decodeURIComponent(path.replace(/^\/(articles|flows)\//, ""));
  const { articles, made_at } = await bundle();
  await banner(made_at ?? "");
  const kept = articles.find((one) => one.id === id);
  if (!kept) return element("p", { className: "banner", textContent: t("offline-missing") }).outerHTML;
  const text = element("div", { className: "text", innerHTML: kept.html, lang: kept.lang });
  const shown = element("article", { className: "article" });
  shown.dataset.article = kept.id;
  shown.dataset.title = kept.title;
  if (kept.status === "archived") shown.append(element("p", { className: "banner", textContent: t("archived") }));
  shown.append(element("h1", { textContent: kept.title, lang: kept.lang }), text);
  return shown.outerHTML;
}

// The kept wordings of an article, or one of them.
export async function wordings(id, template) {
  const { articles, templates, made_at } = await bundle();
  await banner(made_at ?? "");
  const ids = template ? [template] : (articles.find((one) => one.id === id)?.templates ?? []);
  const list = element("ul", { className: "wording-list" });
  ids.map((known) => templates.find((one) => one.id === known)).filter(Boolean).forEach((known) => {
    const body = element("div", { className: "wording-body", hidden: true }, element("form", { className: "variables" }),
      element("textarea", { className: "text-of", rows: 3, ariaLabel: t("wording"), lang: known.lang }), element("div", { className: "html-of", hidden: true, lang: known.lang }),
      element("p", { className: "wording-foot" }, element("span", { className: "measure" }), " ", element("button", { type: "button", className: "primary copy-wording", textContent: t("copy") })),
      element("p", { className: "blocked", hidden: true }));
    const item = element("li", { className: "wording" }, element("div", { className: "wording-head" }, element("button", { type: "button", className: "pick", textContent: known.title, lang: known.lang })), body);
    item.dataset.template = known.id;
    item.dataset.channels = Object.keys(known.channels).join(" ");
    list.append(item);
  });
  return element("div", { className: "wordings" }, element("p", {}, element("button", { type: "button", className: "quiet-button close-wordings", textContent: `← ${t("back")}` })), list).outerHTML;
}

// A kept text, as it was filled in without values of the customer.
export async function fill(id, channel, region) {
  const { templates, made_at, region: own } = await bundle();
  await banner(made_at ?? "");
  const kept = templates.find((one) => one.id === id)?.channels[channel];
  const refused = (why) => ({ text: "", html: "", missing: [], refused: t(why) });
  if (!kept) return refused("offline-missing");
  // What may have another price here or today does not go out.
  const today = new Date().toLocaleDateString("sv");
  if ((own ?? "") !== region) return refused("offline-region");
  return today > kept.until ? refused("offline-old") : kept;
}

// The server answers again: what is shown is asked for anew, and only then the banner goes.
export async function isBack() {
  if (document.querySelector("#offline")?.hidden ?? true) return;
  const before = shownKept;
  if ((await showAnew()) && shownKept === before) banner(null);
}
