// Pieces of pages: fetched, the newest request winning, and put in with the least change.

import { signIn } from "./account.js";

// What a reader did to an element is kept when its new version comes.
const READERS_OWN = new Set(["open", "hidden", "aria-selected", "aria-expanded"]);

// Makes requests of one sort; a newer one ends the older, whose reply then never counts.
export function latest() {
  let running = null;
  const request = async (url, options = {}) => {
    running?.abort();
    const own = new AbortController();
    running = own;
    try {
      const reply = await fetch(url, { ...options, signal: own.signal });
      if (reply.status === 401) {
        signIn();
        return null;
      }
      const text = await reply.text();
      return running === own ? { ok: reply.ok, status: reply.status, text } : null;
    } catch (error) {
      if (error.name === "AbortError" || running !== own) return null;
      throw error;
    }
  };
  request.stop = () => {
    running?.abort();
    running = null;
  };
  return request;
}

// Puts new content in. What is equal stays as it is, with its focus, selection and scroll.
export function swap(container, html, decorate = () => {}) {
  const next = document.createElement("template");
  next.innerHTML = html;
  decorate(next.content);
  const focus = container.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  morph(container, next.content);
  // By what it is, not by where it stands: the same place may hold another thing now.
  const again = focus && container.querySelector(focus);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const { facet, value, id } = element.dataset;
  if (facet) return `[data-facet="${facet}"][data-value="${CSS.escape(value)}"]`;
  if (id) return `[data-id="${CSS.escape(id)}"]`;
  const href = element.getAttribute("href");
  return href ? `[href="${CSS.escape(href)}"]` : null;
}

function morph(from, to) {
  const old = [...from.childNodes];
  const next = [...to.childNodes];
  next.forEach((node, at) => {
    const known = old[at];
    if (!known) from.append(node);
    else if (known.isEqualNode(node)) return;
    else if (known.nodeType === Node.ELEMENT_NODE && known.nodeName === node.nodeName && known.id === node.id) {
      takeAttributes(known, node);
      morph(known, node);
    } else known.replaceWith(node);
  });
  old.slice(next.length).forEach((node) => node.remove());
}

function takeAttributes(known, node) {
  for (const { name } of [...known.attributes]) {
    if (!node.hasAttribute(name) && !READERS_OWN.has(name)) known.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (!READERS_OWN.has(name) && known.getAttribute(name) !== value) known.setAttribute(name, value);
  }
}

// A number beside a link; none for zero.
export function numberOn(link, number) {
  let shown = link.querySelector(".news");
  if (!shown) {
    shown = document.createElement("span");
    shown.className = "news";
    link.append(" ", shown);
  }
  shown.textContent = number > 99 ? "99+" : number;
  shown.hidden = number === 0;
}
