// Sends a file in pieces, so that no proxy finds it too large and a broken line costs one piece; follows what is read and written.
import { t } from "./parts/words.js";

const PIECE = 2 * 1024 * 1024;
const TRIES = 5;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(method, path, body, kind = "application/json") {
  const reply = await fetch(path, { method, body, headers: body ? { "content-type": kind } : {} });
  const text = await reply.text();
  const data = text ? JSON.parse(text) : {};
  if (!reply.ok) throw Object.assign(new Error(data.errors?.[0] ? `${data.errors[0].name}: ${data.errors[0].message}` : data.detail), { data });
  return data;
}

async function send(file, begun, progress) {
  let { received } = begun;
  for (let tries = 0; received < file.size;) {
    const piece = file.slice(received, received + PIECE);
    try {
      const view = await ask("PUT", `/api/v1/imports/${begun.id}/content?at=${received}`, piece, "application/octet-stream");
      received = view.received;
      tries = 0;
    } catch (error) {
      tries += 1;
      if (tries === TRIES || (error.data && error.data.code !== "conflict")) throw error;
      await pause(500 * 2 ** tries);
      // Perhaps the piece came through, and only the answer was lost.
      try {
        received = (await ask("GET", `/api/v1/imports/${begun.id}`)).received;
      } catch {}
    }
    progress.value = (100 * received) / file.size;
  }
}

const form = document.querySelector("#import");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const alert = form.querySelector("[role=alert]");
  const progress = form.querySelector("progress");
  const button = form.querySelector("button");
  const { file, into, format, draft } = form.elements;
  const [chosen] = file.files;
  alert.hidden = true;
  button.disabled = true;
  progress.hidden = false;
  try {
    const wish = { name: chosen.name, size: chosen.size, into: into.value, format: format.value, draft: draft.checked };
    const begun = await ask("POST", "/api/v1/imports", JSON.stringify(wish));
    await send(chosen, begun, progress);
    location.href = `/import/${begun.id}`;
  } catch (error) {
    alert.textContent = error.data ? error.message : t("no-connection");
    alert.hidden = false;
    button.disabled = false;
    progress.hidden = true;
  }
});

const shown = document.querySelector("[data-import]");
if (shown) {
  const progress = shown.querySelector("progress");
  for (;;) {
    await pause(500);
    const view = await ask("GET", `/api/v1/imports/${shown.dataset.import}`).catch(() => undefined);
    if (!view) continue;
    if (view.state !== shown.dataset.state) break;
    if (view.total) {
      progress.max = view.total;
      progress.value = view.done;
    }
  }
  location.reload();
}
