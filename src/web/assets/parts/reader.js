// The reader: an article or a step of a flow, opened beside the results or on a page of its own.
import * as compare from "./compare.js";
import * as mine from "./mine.js";
import * as offline from "./offline.js";
import * as place from "./place.js";
import { copy, say } from "./clipboard.js";
import { latest, swap } from "./fragment.js";
import { t } from "./words.js";

const reader = document.querySelector("#reader");
const onDesk = document.body.classList.contains("on-desk");
const fetchPart = latest();

// What stands before an article is opened.
const before = reader?.innerHTML ?? "";

let shown = null;

// Told when something is opened: what lies over the reader goes.
let onOpened = () => {};

export function whenOpened(tell) {
  onOpened = tell;
}

export const current = () => reader?.querySelector(".article") ?? null;

// The id of the article or flow that is open.
export const opened = () => current()?.dataset.article ?? current()?.dataset.flow ?? null;

export const hasFocus = () => Boolean(reader?.contains(document.activeElement));

// An anchor as it is written, when it is no percent-encoding.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Where one was in each view; on a phone they share the page's scroll.
const places = new Map();

export function view(name) {
  const before = document.body.dataset.view;
  if (!before || before === name) return;
  places.set(before, scrollY);
  document.body.dataset.view = name;
  scrollTo(0, places.get(name) ?? 0);
}

function partOf(href) {
  const url = new URL(href, location.origin);
  const section = decoded(url.hash.slice(1));
  url.hash = "";
  for (const [name, value] of place.circumstances()) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  const whole = url.pathname + url.search;
  url.searchParams.set("part", "1");
  return { url, section, whole };
}

// Opens an article or a step. The search stays as it is.
export async function open(href, { push = true, focus = false } = {}) {
  if (!onDesk) {
    location.href = href;
    return;
  }
  const { url, section } = partOf(href);
  const address = new URL(href, location.origin);
  let html;
  try {
    const reply = await fetchPart(url);
    if (!reply) return;
    if (!reply.ok) {
      html = goneNote(reply.status);
    } else html = reply.text;
  } catch {
    html = await offline.article(address.pathname);
  }
  shown = href;
  onOpened();
  reader.innerHTML = html;
  decorate(reader);
  view("reader");
  if (push) place.go({ open: address.pathname.slice(1) + address.search, wording: null }, { push: true, section: address.hash.slice(1) });
  afterShown({ focus, section });
}

function goneNote(status) {
  const note = document.createElement("p");
  note.className = "banner";
  note.textContent = status === 404 ? t("gone") : t("failed");
  return note.outerHTML;
}

function afterShown({ focus = false, section = "" }) {
  const article = current();
  showMarks();
  if (!article) return;
  const { article: id, flow, title } = article.dataset;
  mine.add("recents", { kind: flow ? "flow" : "article", id: id ?? flow, title });
  if (onDesk) say(`${t("opened")}: ${article.querySelector("h1").textContent}`);
  const target = section && document.getElementById(section);
  if (target) show(target);
  else if (onDesk) reader.scrollTop = 0;
  if (onDesk && !target) scrollTo(0, 0);
  if (focus || flow) (flow ? article.querySelector("h1") : reader).focus({ preventScroll: true });
}

export const focus = () => reader.focus({ preventScroll: true });

function show(section) {
  section.scrollIntoView({ block: "start" });
  document.querySelectorAll(".is-target").forEach((old) => old.classList.remove("is-target"));
  section.classList.add("is-target");
}

// What is open is shown anew where it changed; its scroll, focus and opened parts stay. False when the server was not reached.
export async function refresh() {
  if (onDesk ? !shown : !current()) return true;
  const href = onDesk ? shown : location.pathname + location.search;
  const { url } = partOf(href ?? location.pathname);
  const reply = await fetchPart(url).catch(() => null);
  if (!reply || (onDesk && href !== shown)) return Boolean(reply);
  if (reply.ok) swap(reader, reply.text, decorate);
  else if (reply.status === 404) swap(reader, goneNote(404));
  showMarks();
  return true;
}

export function close({ push = true } = {}) {
  if (!onDesk) return;
  shown = null;
  fetchPart.stop();
  reader.innerHTML = before;
  fillStart();
  view("results");
  if (push) place.go({ open: null }, { push: true, section: "" });
}

// Codes and phones become buttons that copy them.
const CODE = /^[*#+\d][\d*#+()\s\u00a0-]{1,}$/;

export function decorate(root) {
  for (const element of root.querySelectorAll(".text code, .text .value, .answer-body code, .answer-body .value, .compared code")) {
    const text = element.textContent.trim();
    const isCode = CODE.test(text) && (element.tagName === "CODE" || /[*#+]/.test(text) || text.replace(/\D/g, "").length > 5);
    if (!isCode || element.closest("pre, a, button")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy code-copy";
    button.dataset.copy = text.replaceAll("\u00a0", " ");
    button.title = t("copy");
    element.replaceWith(button);
    button.append(element);
  }
  // Where a value of the catalogue comes from and since when: as a hint here, and for all of them below the article.
  for (const value of root.querySelectorAll(".text .value")) {
    const row = root.querySelector(`#value-${CSS.escape(value.dataset.value)}`);
    if (row) value.title = [...row.cells].map((cell) => cell.textContent.trim()).filter(Boolean).join(" · ");
  }
  compare.decorate(root);
  // Wide tables scroll by themselves, by the keyboard as well.
  for (const table of root.querySelectorAll(".text table")) {
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", t("table"));
    table.replaceWith(scroll);
    scroll.append(table);
  }
}

const itemOf = (button) => ({ kind: button.dataset.kind, id: button.dataset.id, title: button.dataset.title });
const LISTS = { favourite: "favourites", pin: "pinned" };
const TOLD = { favourite: ["favourite-on", "favourite-off"], pin: ["pin-on", "pin-off"] };

export function showMarks() {
  for (const [name, list] of Object.entries(LISTS)) {
    document.querySelectorAll(`button.${name}`).forEach((button) => {
      button.setAttribute("aria-pressed", String(mine.has(list, itemOf(button))));
    });
  }
}

export function mark(button) {
  const name = button.classList.contains("pin") ? "pin" : "favourite";
  mine.toggle(LISTS[name], itemOf(button));
  showMarks();
  const [on, off] = TOLD[name];
  say(t(mine.has(LISTS[name], itemOf(button)) ? on : off));
}

// The lists that stand before anything is opened.
function fillStart() {
  const lists = reader?.querySelector(".mine-lists");
  if (!lists) return;
  lists.replaceChildren(...["pinned", "favourites", "recents"].filter((name) => mine.get(name).length).map((name) => {
    const section = document.createElement("section");
    section.className = "card";
    const title = document.createElement("h2");
    title.textContent = t(name);
    const list = document.createElement("ul");
    for (const item of mine.get(name).slice(0, 8)) {
      const link = document.createElement("a");
      link.className = item.kind === "template" ? "open-wording" : "open";
      link.href = mine.hrefOf(item);
      link.textContent = item.title;
      link.dataset.id = item.id;
      const entry = document.createElement("li");
      entry.append(link);
      list.append(entry);
    }
    section.append(title, list);
    return section;
  }));
}

export function start() {
  document.addEventListener("click", onClick);
  compare.start();
  decorate(document);
  fillStart();
  ["pinned", "favourites", "recents"].forEach((name) => mine.watch(name, fillStart));
  if (!onDesk && current()) {
    afterShown({});
  }
  showMarks();
}

function onClick(event) {
  const button = event.target.closest("button");
  if (button?.matches(".copy")) copy(button.dataset.copy);
  else if (button?.matches(".favourite, .pin")) mark(button);
  else if (button?.matches(".copy-link")) copyLink(button);
  const link = event.target.closest("a");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0;
  if (!link || !plain || link.origin !== location.origin) return;
  if (link.matches(".copy-link")) {
    event.preventDefault();
    copyLink(link);
  } else if (onDesk && /^\/(articles|flows)\//.test(link.pathname)) {
    event.preventDefault();
    open(link.pathname + link.search + link.hash, { focus: !link.closest("#results") });
  } else if (onDesk && link.closest(".toc, .text") && link.hash && link.pathname === location.pathname) {
    event.preventDefault();
    const section = document.getElementById(decoded(link.hash.slice(1)));
    if (section) {
      show(section);
      section.tabIndex = -1;
      section.focus({ preventScroll: true });
    }
    place.go({}, { section: link.hash.slice(1) });
  } else if (onDesk && link.matches(".to-results")) {
    event.preventDefault();
    view("results");
    document.querySelector("#q").focus();
  }
}

function copyLink(element) {
  copy(new URL(element.dataset.href, location.origin).href, { told: t("link-copied") });
}

// What is marked goes along to where one tells that it is wrong. (A press unmarks it before the click comes.)
for (const kind of ["pointerdown", "click"]) {
  addEventListener(kind, ({ target }) => {
    const link = target.closest?.("a.tell");
    const quote = `${getSelection()}`.trim();
    if (link && quote) link.search = `?quote=${encodeURIComponent(quote.slice(0, 500))}`;
  });
}
