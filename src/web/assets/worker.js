// Keeps the page and its scripts, so that the desk opens without network. What it shows then comes from parts/offline.js.
const VERSION = "ASSETS_VERSION";
const ASSETS = `pharos-${VERSION}`;
const CONTENT = "pharos-content";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const content = await caches.open(CONTENT);
    const page = await fetch("/");
    if (!page.ok) throw new Error(`the page is answered with ${page.status}`);
    const html = await page.clone().text();
    // The page names all it needs.
    const needed = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
    await (await caches.open(ASSETS)).addAll([...new Set(needed)]);
    // Last: a page without its scripts would be worse than the one before.
    await content.put("/", page);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name !== ASSETS && name !== CONTENT) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) {
    event.respondWith((async () => (await caches.match(request)) ?? fetch(request))());
  } else if (request.mode === "navigate" && !url.pathname.startsWith("/docs/")) {
    // The network first: what is in force counts. Without it the desk opens and reads what is kept.
    event.respondWith(fetch(request).catch(async () => (await caches.match("/", { cacheName: CONTENT })) ?? Response.error()));
  }
});
