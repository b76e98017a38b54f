// One's own things, behind one small interface: get, set, watch. The browser keeps them.
const PREFIX = "pharos.";

const EMPTY = { favourites: [], recents: [], pinned: [], snippets: [], compare: [], layout: {}, seen: null };

// More than this is no longer a list to choose from.
const MOST = { favourites: 500, recents: 50, pinned: 100, snippets: 200, compare: 4 };

// What the server has to know to lay a page out; it reads a cookie.
const LAYOUT_OF_PAGES = ["theme", "density", "size", "panels"];

const watchers = new Map();
// Where the browser keeps nothing, things last as long as the page.
const unkept = new Map();

export function get(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? unkept.get(name) ?? EMPTY[name];
  } catch {
    return unkept.get(name) ?? EMPTY[name];
  }
}

export function set(name, value) {
  put(name, value);
  tellSet(name);
}

function put(name, value) {
  const kept = Array.isArray(value) ? value.slice(0, MOST[name]) : value;
  unkept.set(name, kept);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(kept));
  } catch {
    // Full or forbidden: it lasts as long as the page.
  }
  if (name === "layout") layOut(kept);
  (watchers.get(name) ?? []).forEach((tell) => tell(kept));
}

// What was kept elsewhere takes the place of what is kept here.
export function adopt(name, value) {
  if (JSON.stringify(get(name)) !== JSON.stringify(value)) put(name, value);
}

let tellSet = () => {};

// Tells of everything that is changed here.
export const whenSet = (tell) => {
  tellSet = tell;
};

// Tells of every change of a thing, in this window or another.
export function watch(name, tell) {
  watchers.set(name, [...(watchers.get(name) ?? []), tell]);
}

addEventListener("storage", (event) => {
  if (!event.key?.startsWith(PREFIX)) return;
  const name = event.key.slice(PREFIX.length);
  (watchers.get(name) ?? []).forEach((tell) => tell(get(name)));
});

const isSame = (a, b) => a.kind === b.kind && a.id === b.id;

export const has = (name, item) => get(name).some((known) => isSame(known, item));

// Puts a thing first in a list.
export function add(name, item) {
  set(name, [item, ...get(name).filter((known) => !isSame(known, item))]);
}

export function remove(name, item) {
  set(name, get(name).filter((known) => !isSame(known, item)));
}

export function toggle(name, item) {
  if (has(name, item)) remove(name, item);
  else add(name, item);
}

export const hrefOf = (item) =>
  item.kind === "template"
    ? `/?wording=${encodeURIComponent(item.id)}`
    : `/${item.kind === "flow" ? "flows" : "articles"}/${item.id.split("/").map(encodeURIComponent).join("/")}`;

function layOut(layout) {
  const page = document.documentElement;
  const parts = [];
  for (const name of LAYOUT_OF_PAGES) {
    if (layout[name]) {
      page.dataset[name] = layout[name];
      parts.push(`${name}.${layout[name]}`);
    } else {
      delete page.dataset[name];
    }
  }
  document.cookie = `layout=${parts.join("_")}; path=/; max-age=31536000; samesite=lax`;
}
