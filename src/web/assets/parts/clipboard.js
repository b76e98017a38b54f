// Copying, and telling that it was done.
import { t } from "./words.js";

let fading = 0;

// Says something politely, to the eye and to screen readers.
export function say(text) {
  const status = document.querySelector("#status");
  // The same words twice are told twice.
  status.textContent = "";
  requestAnimationFrame(() => { status.textContent = text; });
}

export function toast(text) {
  let shown = document.querySelector(".toast");
  if (!shown) {
    shown = document.createElement("div");
    shown.className = "toast";
    shown.ariaHidden = "true";
    document.body.append(shown);
  }
  shown.textContent = text;
  shown.classList.add("is-shown");
  clearTimeout(fading);
  fading = setTimeout(() => shown.classList.remove("is-shown"), 2500);
  say(text);
}

// Copies a text, and its formatted form where there is one. Tells what was copied.
export async function copy(text, { html = null, told = t("copied") } = {}) {
  try {
    if (html && globalThis.ClipboardItem) {
      const forms = { "text/plain": text, "text/html": html };
      const blobs = Object.entries(forms).map(([type, form]) => [type, new Blob([form], { type })]);
      await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
    } else {
      await navigator.clipboard.writeText(text);
    }
  } catch {
    if (!copyOldWay(text, html)) {
      toast(t("copy-failed"));
      return false;
    }
  }
  toast(told);
  return true;
}

// For pages without a secure address and frames without the permission.
function copyOldWay(text, html) {
  const back = document.activeElement;
  // Browsers copy only where something is selected.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const fill = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
    if (html) event.clipboardData.setData("text/html", html);
  };
  document.addEventListener("copy", fill, true);
  const done = document.execCommand("copy");
  document.removeEventListener("copy", fill, true);
  area.remove();
  back?.focus({ preventScroll: true });
  return done;
}
