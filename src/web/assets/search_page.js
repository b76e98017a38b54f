// The search page: results as you type, an article beside them.
import { watchClicks, openArticle } from "./reader.js";
import { followChanges } from "./live.js";

const field = document.querySelector("#q");
const results = document.querySelector("#results");
const reader = document.querySelector("#reader");
const status = document.querySelector("#status");
const PAUSE_MS = 40;

let timer = 0;
let running = null;
let chosen = -1;

const hits = () => [...results.querySelectorAll(".hit")];

function choose(index) {
  const all = hits();
  all.forEach((hit, i) => hit.setAttribute("aria-selected", String(i === index)));
  chosen = index >= 0 && index < all.length ? index : -1;
  if (chosen >= 0) {
    field.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

async function search() {
  running?.abort();
  const query = new URLSearchParams(location.search);
  query.set("q", field.value);
  // What is typed now is read anew.
  query.delete("verbatim");
  history.replaceState(null, "", field.value ? `/?${query}` : "/");
  if (!field.value.trim()) {
    results.replaceChildren();
    return;
  }
  const request = new AbortController();
  running = request;
  try {
    const reply = await fetch(`/search/results?${query}`, { signal: request.signal });
    const html = await reply.text();
    // A newer keystroke has its own request; this one is too late.
    if (running !== request || !reply.ok) return;
    results.innerHTML = html;
    choose(-1);
    status.textContent = results.querySelector(".count")?.textContent ?? "";
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
});

field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  const hit = hits()[Math.max(chosen, 0)];
  if (hit) openArticle(hit.querySelector("a").getAttribute("href"), reader);
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const count = hits().length;
  choose(Math.max(-1, Math.min(count - 1, chosen + (event.key === "ArrowDown" ? 1 : -1))));
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if ((event.key === "/" && !typing) || (event.key === "Escape" && event.target !== field)) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});

watchClicks(document, reader);
followChanges({ search: () => field.value.trim() && search(), reader });
