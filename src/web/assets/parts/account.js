// Who is signed in: what one keeps for oneself goes to the account, and what somebody else kept in this browser goes away.
import * as mine from "./mine.js";

const WHOSE = "pharos.whose";
const ASKED = "pharos.kept-asked";
const HOME = "pharos.home";
const KEPT = "/api/v1/me/kept";

// What was kept on another device is looked for no more often than this.
const ASK_EVERY_MS = 300_000;

// What changes often is sent when it comes to rest.
const PAUSE_MS = 1_000;

// What belongs to the account; the rest is a matter of this device.
const KINDS = ["favourites", "recents", "pinned", "snippets", "compare", "layout", "seen"];

export const id = document.documentElement.dataset.account;

// The region of who is signed in: the server means it where none is named.
export function home() {
  try {
    return (id && localStorage.getItem(HOME)) || "";
  } catch {
    return "";
  }
}

// Everything that tells what somebody read here.
export async function forget() {
  for (const storage of [localStorage, sessionStorage]) {
    Object.keys(storage).filter((name) => name.startsWith("pharos.")).forEach((name) => storage.removeItem(name));
  }
  await globalThis.caches?.delete("pharos-content").catch(() => {});
}

// The session has ended: nothing of it is left to read, and one signs in again.
export async function signIn() {
  await globalThis.caches?.delete("pharos-content").catch(() => {});
  location.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
}

const waiting = new Map();

function send(kind) {
  clearTimeout(waiting.get(kind));
  waiting.set(kind, setTimeout(() => {
    const body = JSON.stringify({ value: mine.get(kind) });
    fetch(`${KEPT}/${kind}`, { method: "PUT", headers: { "content-type": "application/json" }, body }).catch(() => {});
  }, PAUSE_MS));
}

// Takes what the account keeps; what only this browser kept until now is brought in, once.
async function fetchKept() {
  const reply = await fetch(KEPT).catch(() => null);
  if (!reply?.ok) return;
  const { kept, region } = await reply.json();
  sessionStorage.setItem(ASKED, String(Date.now()));
  for (const kind of KINDS) {
    if (kept[kind] !== undefined && kept[kind] !== null) mine.adopt(kind, kept[kind]);
    else if (Object.keys(mine.get(kind) ?? {}).length || typeof mine.get(kind) === "string") send(kind);
  }
  if (region) localStorage.setItem(HOME, region);
  else localStorage.removeItem(HOME);
}

// Storage that is forbidden keeps nothing, and there is nothing to forget.
try {
  if (id) {
    const before = localStorage.getItem(WHOSE);
    if (before && before !== id) await forget();
    localStorage.setItem(WHOSE, id);
    mine.whenSet((kind) => KINDS.includes(kind) && send(kind));
    if (Date.now() - Number(sessionStorage.getItem(ASKED) ?? 0) > ASK_EVERY_MS) fetchKept();
  }
} catch {
  // As above.
}
