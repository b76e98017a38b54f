// The keys: one table of them, which is also what `?` shows.
import * as mine from "./mine.js";
import { t } from "./words.js";

const bound = [];

// Binds a key. `code` is its place on the keyboard, so that it works on every layout. With `alt` it works while typing, too.
export function bind(code, act, { alt = false, shift = false, label, told = null }) {
  bound.push({ code, act, alt, shift, label, told });
}

const isTyping = (target) => target instanceof Element && Boolean(target.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]"));

const nameOf = ({ code, alt, shift, told }) =>
  told ?? [alt && "Alt", shift && "Shift", code.replace(/^(Key|Digit)/, "").replace("Slash", "/")].filter(Boolean).join("+");

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
  const typing = isTyping(event.target);
  // Single keys can be switched off: WCAG 2.1.4.
  const isOff = mine.get("layout").keys === "off";
  for (const key of bound) {
    if (key.code !== event.code || key.alt !== event.altKey || key.shift !== event.shiftKey) continue;
    if (!key.alt && (typing || isOff || document.querySelector("dialog[open]"))) continue;
    if (key.act(event) !== false) {
      event.preventDefault();
      return;
    }
  }
}

let dialog = null;

export function showKeys() {
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.className = "keys";
    dialog.setAttribute("aria-labelledby", "keys-title");
    const title = document.createElement("h2");
    title.id = "keys-title";
    title.textContent = t("keys");
    const list = document.createElement("dl");
    const fixed = [["↓ ↑", "key-choose"], ["Enter", "key-open"], ["Shift+Enter", "key-wordings"], ["Esc", "key-back"]];
    const named = bound.filter((key) => key.label).map((key) => [nameOf(key), key.label]);
    const told = new Set();
    for (const [name, label] of document.querySelector("#q") ? [...fixed, ...named] : named) {
      if (told.has(label)) continue;
      told.add(label);
      const term = document.createElement("dt");
      for (const part of bound.filter((key) => key.label === label).map(nameOf).concat(fixed.filter((key) => key[1] === label).map((key) => key[0]))) {
        const key = document.createElement("kbd");
        key.textContent = part;
        term.append(key, " ");
      }
      const what = document.createElement("dd");
      what.textContent = t(label);
      list.append(term, what);
    }
    const close = document.createElement("form");
    close.method = "dialog";
    const button = document.createElement("button");
    button.textContent = t("close");
    close.append(button);
    dialog.append(title, list, close);
    document.body.append(dialog);
  }
  dialog.showModal();
}

export function start() {
  document.addEventListener("keydown", onKey);
  document.querySelectorAll(".show-keys").forEach((button) => button.addEventListener("click", showKeys));
  // On other layouts this sign lies elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !isTyping(event.target) && mine.get("layout").keys !== "off" && !event.defaultPrevented) {
      event.preventDefault();
      showKeys();
    }
  });
  bind("Slash", () => {
    const field = document.querySelector("#q");
    field?.focus();
    field?.select();
  }, { label: "key-search" });
  bind("Slash", showKeys, { shift: true, label: "key-keys", told: "?" });
  for (const [code, name, label] of [["KeyN", "new", "key-new"], ["KeyM", "mine", "key-mine"], ["KeyV", "compare", "key-compare"]]) {
    const link = document.querySelector(`[data-nav="${name}"]`);
    if (link) bind(code, () => link.click(), { label });
  }
}
