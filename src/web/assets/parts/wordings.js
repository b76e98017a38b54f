// The wordings of an article: one key opens them, one more copies. Values are asked for only when they are not known.
import * as customer from "./customer.js";
import * as mine from "./mine.js";
import * as offline from "./offline.js";
import * as place from "./place.js";
import { copy, say, toast } from "./clipboard.js";
import { latest } from "./fragment.js";
import { showMarks, view, whenOpened } from "./reader.js";
import { measure } from "./sms.js";
import { t } from "./words.js";

const panel = document.querySelector("#wordings");
const fetchPanel = latest();
const fetchText = latest();

// Told of each copy; the panel in another site's page tells that page.
let onCopied = () => {};
let back = null;
let viewBefore = "results";

// What was asked for last, to ask for it again.
let asked = null;

// The filling in that was begun last: what is copied waits for it.
let filling = Promise.resolve();

export const isOpen = () => Boolean(panel) && !panel.hidden;

export function whenCopied(tell) {
  onCopied = tell;
}

// Opens the wordings of an article, or one template; the best one is ready to be copied.
export async function open({ article = "", template = "", query = "", focus = true }) {
  asked = { article, template, query };
  const parameters = new URLSearchParams(template ? { template } : { article, q: query });
  for (const [name, value] of place.circumstances()) parameters.set(name, value);
  if (!parameters.has("region") && customer.asked()) parameters.set("region", customer.asked());
  let html;
  try {
    const reply = await fetchPanel(`/wordings?${parameters}`);
    if (!reply) return;
    if (!reply.ok) {
      toast(t(reply.status === 404 ? "no-wordings" : "failed"));
      return;
    }
    html = reply.text;
  } catch {
    html = await offline.wordings(article, template);
  }
  if (!isOpen()) {
    back = document.activeElement;
    viewBefore = document.body.dataset.view ?? viewBefore;
  }
  place.go({ wording: template || null });
  // Made anew: nothing typed into one wording may come to stand in another.
  panel.innerHTML = html;
  panel.querySelector(".wordings")?.append(...ownPhrases());
  panel.hidden = false;
  document.body.classList.add("has-wordings");
  view("wordings");
  showMarks();
  const all = [...panel.querySelectorAll(".wording")];
  const fitting = all.filter((wording) => channelsOf(wording).includes(customer.channel()));
  await expand(fitting[0] ?? all[0] ?? null, { focus });
}

// One's own phrases stand below: they belong to no article.
function ownPhrases() {
  const phrases = mine.get("snippets");
  if (!phrases.length) return [];
  const section = document.createElement("section");
  section.className = "own-phrases";
  const title = document.createElement("h3");
  title.textContent = t("snippets");
  section.append(title, ...phrases.map((phrase) => {
    const pick = document.createElement("button");
    pick.type = "button";
    pick.className = "pick phrase";
    pick.dataset.text = phrase.text;
    const text = document.createElement("span");
    text.className = "quiet";
    text.textContent = phrase.text;
    pick.append(phrase.title, text);
    return pick;
  }));
  return [section];
}

// Takes the wordings away, and ends what is on its way to become some.
export function dismiss() {
  fetchPanel.stop();
  if (!isOpen()) return;
  panel.hidden = true;
  panel.replaceChildren();
  document.body.classList.remove("has-wordings");
  place.go({ wording: null });
}

export function close() {
  if (!isOpen()) return;
  dismiss();
  view(viewBefore);
  if (back?.isConnected) back.focus({ preventScroll: true });
  else document.querySelector("#q")?.focus();
}

const channelsOf = (wording) => wording.dataset.channels.trim().split(" ");
const opened = () => panel.querySelector(".wording.is-open");

// The channel a wording is filled in for: the customer's, where there is a text for it.
const channelFor = (wording) => {
  const own = channelsOf(wording);
  return own.includes(customer.channel()) ? customer.channel() : null;
};

async function expand(wording, { focus = false } = {}) {
  panel.querySelectorAll(".wording").forEach((other) => {
    const isIt = other === wording;
    other.classList.toggle("is-open", isIt);
    other.querySelector(".pick").setAttribute("aria-expanded", String(isIt));
    other.querySelector(".wording-body").hidden = !isIt;
  });
  if (!wording) {
    if (focus) panel.focus();
    return;
  }
  for (const field of wording.querySelector(".variables").elements) {
    if (!field.name) continue;
    const known = customer.valueOf(field.name);
    const fits = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === known);
    const label = field.closest("label");
    const isKnown = Boolean(known && fits);
    if (isKnown) field.value = known;
    // What is no longer known must not stay in the text.
    else if (label.classList.contains("is-known")) field.value = field.tagName === "SELECT" ? "" : field.defaultValue;
    label.classList.toggle("is-known", isKnown);
  }
  if (focus) wording.querySelector(".pick").focus();
  filling = fill(wording);
  await filling;
}

async function whenFilled() {
  let waited;
  do {
    waited = filling;
    await waited;
  } while (waited !== filling);
}

function valuesOf(wording) {
  return Object.fromEntries([...new FormData(wording.querySelector(".variables"))].filter(([, value]) => value !== ""));
}

// Fills a wording in. What cannot go out says why.
async function fill(wording) {
  const channel = channelFor(wording);
  wording.classList.toggle("is-email", channel === "email");
  const values = valuesOf(wording);
  let filled;
  if (!channel) filled = { text: "", html: "", missing: [], refused: `${t("no-channel")}: ${t(`channel-${customer.channel()}`)}` };
  else {
    try {
      const region = customer.asked();
      const reply = await fetchText("/api/v1/render", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ template: wording.dataset.template, channel, values, region, as_of: place.params().get("as_of") }),
      });
      if (!reply) return;
      const told = read(reply.text);
      filled = reply.ok ? told : { text: "", html: "", missing: [], refused: told.errors?.map((error) => `${labelOf(wording, error.name)}: ${error.message}`).join("; ") || told.detail };
    } catch {
      filled = await offline.fill(wording.dataset.template, channel, customer.region());
    }
  }
  const area = wording.querySelector(".text-of");
  // What was written into an unchanged text stays; a text that is another one now replaces it.
  if (wording.filled?.text !== filled.text) area.value = filled.text;
  wording.filled = filled;
  area.hidden = channel === "email" || !filled.text;
  const formatted = wording.querySelector(".html-of");
  formatted.innerHTML = filled.html;
  formatted.hidden = channel !== "email" || !filled.text;
  showState(wording);
}

// What came from the server; a page of a proxy says nothing.
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: t("failed") };
  }
}

const labelOf = (wording, name) => {
  const field = wording.querySelector(".variables").elements[name];
  return field ? field.closest("label").querySelector("span").firstChild.textContent.trim() : name;
};

function showState(wording) {
  const { missing, refused } = wording.filled;
  const text = wording.querySelector(".text-of").value;
  const { encoding, characters, segments } = measure(text);
  const isSms = channelFor(wording) === "sms";
  wording.querySelector(".measure").textContent = isSms && text ? `${encoding} · ${characters} ${t("characters")} · ${segments} SMS` : "";
  const blocked = wording.querySelector(".blocked");
  const why = refused ?? (missing.length ? `${t("missing")}: ${missing.map((name) => labelOf(wording, name)).join(", ")}` : "");
  if (blocked.textContent !== why) blocked.textContent = why;
  blocked.hidden = !why;
  wording.querySelector(".copy-wording").setAttribute("aria-disabled", String(Boolean(why)));
  for (const field of wording.querySelector(".variables").elements) {
    if (field.name) field.setAttribute("aria-invalid", String(missing.includes(field.name)));
  }
}

export async function copyOpened() {
  await whenFilled();
  const wording = opened();
  if (!wording?.filled) return;
  const { missing, refused, html } = wording.filled;
  if (refused || missing.length) {
    const field = wording.querySelector(`.variables [name="${CSS.escape(missing[0] ?? "")}"]`);
    field?.focus();
    say(wording.querySelector(".blocked").textContent);
    return;
  }
  const channel = channelFor(wording);
  const text = channel === "email" ? wording.filled.text : wording.querySelector(".text-of").value;
  const size = measure(text);
  const told = channel === "sms" ? `${t("copied")}: ${size.characters} ${t("characters")}, ${size.segments} SMS` : `${t("copied")}: ${t(`channel-${channel}`)}`;
  if (await copy(text, { html: channel === "email" ? html : null, told })) {
    // What is used is what is kept for times without network, and what is told of when it changes.
    const { article, title } = panel.querySelector(".wordings").dataset;
    if (article && title) mine.add("recents", { kind: "article", id: article, title });
    mine.add("recents", { kind: "template", id: wording.dataset.template, title: wording.dataset.title });
    onCopied({ template: wording.dataset.template, channel, text, html: channel === "email" ? html : null });
  }
}

// The network is back: what was shown from what is kept is asked for again.
export const reload = async () => {
  if (isOpen()) await open({ ...asked, focus: panel.contains(document.activeElement) });
};

// The content or the customer changed: what is open is filled in anew, what was typed into its form stays.
export const refresh = async () => {
  const wording = isOpen() ? opened() : null;
  if (wording) await expand(wording);
};

export function start() {
  if (!panel) return;
  whenOpened(dismiss);
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const wording = event.target.closest(".wording");
    if (button?.matches(".close-wordings")) close();
    else if (button?.matches(".phrase")) copy(button.dataset.text);
    else if (button?.matches(".pick")) wording === opened() ? copyOpened() : expand(wording);
    else if (button?.matches(".copy-wording")) copyOpened();
  });
  panel.addEventListener("input", (event) => {
    const wording = event.target.closest(".wording");
    if (event.target.matches(".text-of")) showState(wording);
    else if (event.target.closest(".variables")) {
      customer.remember(event.target.name, event.target.value);
      filling = fill(wording);
    }
  });
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    copyOpened();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches(".pick")) {
      event.preventDefault();
      const all = [...panel.querySelectorAll(".pick")];
      const next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (!next) return;
      next.focus();
      expand(next.closest(".wording"));
    }
  });
  customer.watch(async (changed) => {
    if (!isOpen()) return;
    if (changed.includes("cleared")) {
      panel.querySelectorAll(".wording").forEach((wording) => {
        wording.querySelector(".variables").reset();
        // Also what was written into the text itself.
        wording.querySelector(".text-of").value = "";
        delete wording.filled;
      });
    }
    // What is typed into the wording's own form is filled in by that form.
    const isTyped = panel.contains(document.activeElement) && document.activeElement.closest(".variables");
    const isOther = ["channel", "region", "cleared"].some((name) => changed.includes(name));
    if (opened() && (!isTyped || isOther)) await expand(opened());
  });
}
