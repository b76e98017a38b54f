// The editor of a content file: the draft keeps itself, preview and problems follow what is typed. What is typed stands in this browser
// at once and on the server a moment later, so that neither a closed tab nor a dead server loses it.
import {
  EditorState, EditorView, HighlightStyle, TurndownService, autocompletion, completionKeymap, defaultKeymap, deleteMarkupBackward,
  drawSelection, dropCursor, gfm, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, history, historyKeymap,
  insertNewlineContinueMarkup, keymap, lineNumbers, lintGutter, lintKeymap, markdown, markdownLanguage, search, searchKeymap,
  setDiagnostics, startCompletion, syntaxHighlighting, tags, yaml, yamlFrontmatter,
} from "./vendor/editor.js";

const main = document.querySelector("main.edit");
const words = JSON.parse(document.querySelector("#edit-words").textContent);
const word = (key) => words[key] ?? key;
const $ = (selector) => document.querySelector(selector);

const path = main.dataset.path;
const inAddress = (name) => name.split("/").map(encodeURIComponent).join("/");
const SOURCE = `/api/v1/sources/${inAddress(path)}`;
const LOCAL = `pharos.edit.${path}`;

// What is typed goes to the browser's storage, to the server, and through the preview when the hand rests so long.
const LOCAL_MS = 150;
const SAVE_MS = 800;
const PREVIEW_MS = 300;
// How soon a server that did not answer is asked again.
const AGAIN_MS = 3_000;
// How soon advice is asked for again that was not ready.
const ADVICE_MS = 2_000;

// What a new file begins with.
const SKELETONS = { article: "---\ntitle: \nkind: procedure\n---\n", template: "---\ntitle: \n---\n# chat\n", yaml: "" };

// What the head of an article may say.
const HEAD_KEYS = [
  "title", "kind", "lang", "products", "regions", "audience", "tags", "aliases", "status", "valid", "owner", "verified", "verify_every",
  "replaced_by", "related", "flow",
];

let draft = main.dataset.draft || null;
let version = 0;
let base = null;
// What the server's draft holds, and what is published.
let sent = null;
let published = null;
let isSaving = false;
let isReady = false;
// When the draft goes live by itself.
let scheduled = null;
// Nothing is saved while the draft is on its way to readers: it would begin another one.
let isPublishing = false;
// Why it did not.
let fault = "";
// This browser keeps a text of which nobody has said yet whether it counts.
let isUndecided = false;

async function call(method, url, body) {
  try {
    const reply = await fetch(url, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    const text = await reply.text();
    const isJson = reply.headers.get("content-type")?.includes("json");
    return { ok: reply.ok, status: reply.status, data: isJson ? JSON.parse(text) : {} };
  } catch {
    return { ok: false, status: 0, data: {} };
  }
}

// ---- What is told

function tell(text) {
  $("#saved").textContent = text;
}

// A notice that stays, with what can be done about it.
function alertWith(text, ...actions) {
  const place = $("#alert");
  place.classList.toggle("soft", ["ed-scheduled", "ed-merged", "ed-recovered", "ed-local"].some((key) => text.startsWith(word(key))));
  place.replaceChildren(text);
  for (const [label, act] of actions) {
    const button = document.createElement(typeof act === "string" ? "a" : "button");
    button.textContent = label;
    button.className = "button";
    if (typeof act === "string") Object.assign(button, { href: act, target: "_blank" });
    else {
      button.type = "button";
      button.addEventListener("click", act);
    }
    place.append(button);
  }
  place.hidden = !text;
}

const now = () => new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

function showState() {
  const isDifferent = draft !== null || view.state.doc.toString() !== (published ?? "");
  $("#publish").disabled = !isDifferent;
  $("#review").disabled = !isDifferent;
  $("#discard").hidden = draft === null;
}

// ---- The editor

const style = HighlightStyle.define([
  { tag: tags.heading, fontWeight: "700", color: "var(--accent)" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--accent)" },
  { tag: [tags.monospace, tags.string], color: "var(--good)" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.keyword], color: "var(--accent)" },
  { tag: [tags.processingInstruction, tags.meta, tags.comment, tags.contentSeparator, tags.quote], color: "var(--soft)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "var(--t-m)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "var(--s3) 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--edge)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "inherit", background: "var(--page)", border: "1px solid var(--edge)" },
});

// The value, link, tag or key that is being typed.
const products = new Map();
let allTags;

async function complete(context) {
  const value = context.matchBefore(/\{\{\s*[\p{L}\d._-]*$/u);
  if (value) return values(value);
  const link = context.matchBefore(/\]\([^)\s]*$/u);
  if (link) return links(link);
  const line = context.state.doc.lineAt(context.pos);
  const tag = /^\s*tags:\s*\[(?:[^\],]*,)*\s*([^\],]*)$/u.exec(line.text.slice(0, context.pos - line.from));
  if (tag) {
    allTags ??= call("GET", "/api/v1/articles?limit=1000").then(({ data }) => [...new Set((data.articles ?? []).flatMap((a) => a.tags))].sort());
    return { from: context.pos - tag[1].length, options: (await allTags).map((label) => ({ label, type: "keyword" })) };
  }
  const key = context.matchBefore(/^[a-z_]*$/);
  const head = context.state.doc.sliceString(0, context.pos);
  const isHead = path.endsWith(".md") && head.startsWith("---\n") && !head.slice(4).includes("\n---");
  if (key && isHead && (context.explicit || key.from < key.to)) {
    return { from: key.from, options: HEAD_KEYS.map((label) => ({ label, type: "property", apply: `${label}: ` })) };
  }
  return null;
}

async function values(found) {
  const typed = found.text.replace(/^\{\{\s*/, "");
  const from = found.to - typed.length;
  const [product, attribute] = typed.split(".");
  const close = (name) => (target, _, start, end) => {
    const isClosed = /^\s*\}\}/.test(target.state.doc.sliceString(end, end + 4));
    target.dispatch({ changes: { from: start, to: end, insert: isClosed ? name : `${name} }}` }, selection: { anchor: start + name.length + (isClosed ? 0 : 3) } });
  };
  if (attribute !== undefined) {
    const { data } = await call("GET", `/api/v1/products/${encodeURIComponent(product)}`);
    const options = (data.values ?? []).map((v) => ({ label: `${product}.${v.attribute}`, detail: `${v.label}: ${v.text}`, type: "constant", apply: close(`${product}.${v.attribute}`) }));
    return { from, options, filter: true };
  }
  if (!products.has(typed)) {
    products.set(typed, call("GET", `/api/v1/products?q=${encodeURIComponent(typed)}`).then(({ data }) => (data.products ?? []).slice(0, 50)));
  }
  const again = (id) => (target, _, start, end) => {
    target.dispatch({ changes: { from: start, to: end, insert: `${id}.` }, selection: { anchor: start + id.length + 1 } });
    startCompletion(target);
  };
  const options = (await products.get(typed)).map((p) => ({ label: p.id, detail: p.title, type: "class", apply: again(p.id) }));
  return { from, options, filter: false };
}

// The path from this file to another one.
function relative(to) {
  const own = path.split("/").slice(0, -1);
  const other = to.split("/");
  let same = 0;
  while (same < own.length && same < other.length - 1 && own[same] === other[same]) same += 1;
  return [...own.slice(same).map(() => ".."), ...other.slice(same)].join("/");
}

async function links(found) {
  const typed = found.text.slice(2);
  const part = typed.replace(/^(\.\.?\/)+/, "");
  const { data } = await call("GET", `/api/v1/sources?limit=50&q=${encodeURIComponent(part)}`);
  const options = (data.paths ?? []).filter((p) => p.startsWith("articles/") && p.endsWith(".md") && p !== path);
  return { from: found.from + 2, options: options.map((p) => ({ label: relative(p), detail: p, type: "text" })), filter: false };
}

// Puts marks around what is selected, or in front of its lines.
function around(mark) {
  return (target) => {
    const { from, to } = target.state.selection.main;
    const text = target.state.sliceDoc(from, to);
    target.dispatch({ changes: { from, to, insert: `${mark}${text}${mark}` }, selection: { anchor: from + mark.length, head: from + mark.length + text.length } });
    target.focus();
    return true;
  };
}

function before(mark) {
  return (target) => {
    const { from, to } = target.state.selection.main;
    const changes = [];
    for (let at = target.state.doc.lineAt(from).number, n = 1; at <= target.state.doc.lineAt(to).number; at += 1, n += 1) {
      changes.push({ from: target.state.doc.line(at).from, insert: mark(n) });
    }
    target.dispatch({ changes });
    target.focus();
    return true;
  };
}

function insert(text, at) {
  return (target) => {
    const { from, to } = target.state.selection.main;
    const put = text(target.state.sliceDoc(from, to));
    target.dispatch({ changes: { from, to, insert: put }, selection: { anchor: from + at(put) } });
    target.focus();
    startCompletion(target);
    return true;
  };
}

const TOOLS = {
  heading: before(() => "## "),
  bold: around("**"),
  italic: around("*"),
  list: before(() => "- "),
  steps: before((n) => `${n}. `),
  link: insert((text) => `[${text || "…"}]()`, (put) => put.length - 1),
  value: insert(() => "{{  }}", () => 3),
};

// What is copied from Word and web pages becomes Markdown: structure stays, looks go.
const turndown = new TurndownService({ headingStyle: "atx", bulletListMarker: "-", codeBlockStyle: "fenced", emDelimiter: "*" });
turndown.use(gfm);
turndown.remove(["style", "script", "title", "meta", "link", "xml", "o:p"]);
turndown.addRule("images-of-elsewhere", {
  // A picture in the clipboard or on another's disk is not there for readers.
  filter: (node) => node.nodeName === "IMG" && !/^https?:/.test(node.getAttribute("src") ?? ""),
  replacement: (_, node) => node.getAttribute("alt") ?? "",
});

// Pictures and documents are kept beside the article, and stand in the text where they were dropped.
async function attach(target, files, at) {
  for (const file of files) {
    tell(word("ed-attaching"));
    const name = file.name === "image.png" ? "" : file.name;
    const reply = await fetch(`/api/v1/files?beside=${encodeURIComponent(path)}&name=${encodeURIComponent(name)}`, {
      method: "POST", headers: { "content-type": "application/octet-stream" }, body: file,
    }).catch(() => null);
    const data = (await reply?.json().catch(() => null)) ?? {};
    tell("");
    if (!reply?.ok) {
      alertWith(`${file.name}: ${data.detail ?? word("ed-offline")}`);
      continue;
    }
    const label = name.replace(/\.[^.]*$/, "").replace(/[[\]]/g, "");
    const from = at ?? target.state.selection.main.from;
    const line = target.state.doc.lineAt(from);
    // Behind other text it is a paragraph of its own: in a row of a table it would be lost.
    const gap = line.text.slice(0, from - line.from).trim() ? "\n\n" : "";
    const put = `${gap}${/\.pdf$/.test(data.link) ? "" : "!"}[${label}](${data.link})`;
    target.dispatch({ changes: { from, to: at ?? target.state.selection.main.to, insert: put }, selection: { anchor: from + put.length } });
  }
}

const canAttach = path.startsWith("articles/") && path.endsWith(".md");

function drop(event, target) {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (!files.length || !canAttach) return false;
  event.preventDefault();
  attach(target, files, target.posAtCoords({ x: event.clientX, y: event.clientY }) ?? target.state.doc.length);
  return true;
}

function paste(event, target) {
  const files = [...(event.clipboardData?.files ?? [])];
  // A table copied from a spreadsheet brings a picture of itself along.
  if (files.length && canAttach && !event.clipboardData.getData("text/plain")) {
    event.preventDefault();
    attach(target, files);
    return true;
  }
  const html = event.clipboardData?.getData("text/html");
  const plain = event.clipboardData?.getData("text/plain") ?? "";
  if (!html || !path.endsWith(".md") || !/<(h[1-6]|p|ul|ol|table|a|b|strong|em|i|blockquote|pre)\b/i.test(html)) return false;
  // What an editor of code put there as colours is text.
  if (/data-vscode|class="?cm-/.test(html)) return false;
  const text = turndown.turndown(html.replace(/<!--[\s\S]*?-->/g, "")).replace(/\u00a0/g, " ").replace(/^(\s*)([-*]|\d+\.) {2,}/gm, "$1$2 ").replace(/\n{3,}/g, "\n\n").trim();
  if (!text && !plain) return false;
  event.preventDefault();
  const { from } = target.state.selection.main;
  const line = target.state.doc.lineAt(from);
  // A heading, a list or a table begins a line of its own.
  const gap = /^(#|- |\d+\. |\||>|```)|\n/.test(text) && line.text.slice(0, from - line.from).trim() ? "\n\n" : "";
  target.dispatch(target.state.replaceSelection(gap + (text || plain)), { userEvent: "input.paste", scrollIntoView: true });
  return true;
}

const language = path.endsWith(".md") ? yamlFrontmatter({ content: markdown({ base: markdownLanguage }) }) : yaml();

// In a shadow root its styles are sheets and no elements, which the policy of this site would not let in.
const root = $("#editor").attachShadow({ mode: "open" });
const view = new EditorView({
  root,
  parent: root,
  state: EditorState.create({
    doc: "",
    extensions: [
      lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), history(), drawSelection(), dropCursor(), search({ top: true }),
      lintGutter(), language, syntaxHighlighting(style), look, EditorView.lineWrapping, autocompletion({ override: [complete] }),
      EditorView.contentAttributes.of({ "aria-label": path, lang: "", spellcheck: "true", tabindex: "0" }),
      EditorView.domEventHandlers({ paste, drop }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && isReady) changed();
        else if (update.selectionSet && isReady) later("follow", PREVIEW_MS, follow);
      }),
      keymap.of([
        { key: "Mod-s", run: () => (save(), true) },
        { key: "Mod-Enter", run: () => ($("#reason").focus(), true) },
        { key: "Mod-b", run: TOOLS.bold },
        { key: "Mod-i", run: TOOLS.italic },
        { key: "Enter", run: insertNewlineContinueMarkup },
        { key: "Backspace", run: deleteMarkupBackward },
        ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap,
      ]),
    ],
  }),
});
const text = () => view.state.doc.toString();

// The editor knows one line end; the server gives a file back those it has.
const lines = (source) => source?.replace(/\r\n?/g, "\n") ?? source;

function replaceText(next) {
  if (next === text()) return;
  const selection = { anchor: Math.min(view.state.selection.main.anchor, next.length) };
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection });
}

// ---- Keeping what is typed

const timers = {};
function later(name, ms, act) {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(act, ms);
}

function keepHere() {
  if (!isReady || isUndecided) return;
  try {
    if (text() === (sent ?? skeleton())) localStorage.removeItem(LOCAL);
    else localStorage.setItem(LOCAL, JSON.stringify({ text: text(), base, draft, version }));
  } catch {
    // Storage that is full or forbidden: the server has it in a moment.
  }
}

function changed() {
  isUndecided = false;
  later("local", LOCAL_MS, keepHere);
  later("save", SAVE_MS, save);
  later("preview", PREVIEW_MS, preview);
  $("#measure").textContent = `${text().length} ${word("ed-letters")}`;
  showState();
}

// Whether the server's draft holds what is typed.
async function save() {
  clearTimeout(timers.save);
  if (!isReady || isPublishing) return false;
  if (isSaving || text() === sent) return text() === sent;
  isSaving = true;
  const saved = text();
  tell(word("ed-saving"));
  const files = [{ path, base, text: saved, version }];
  const { ok, status, data } = draft ? await call("PATCH", `/api/v1/drafts/${draft}`, { files }) : await call("POST", "/api/v1/drafts", { title: path, files });
  isSaving = false;
  if (ok) {
    draft = data.id;
    version = data.files.find((file) => file.path === path).version;
    sent = saved;
    keepHere();
    tell(`${word("ed-saved")} ${now()}`);
    if (isWaiting) alertWith("");
    if (scheduled && !data.publish_at) alertWith(word("ed-unscheduled"));
    scheduled = data.publish_at;
    isWaiting = false;
    showTogether(data.files);
    showState();
    if (text() !== saved) later("save", SAVE_MS, save);
    return text() === saved;
  }
  await unsaved(status, data);
  return false;
}

let isWaiting = false;

async function unsaved(status, data) {
  if (status === 404) {
    // It was published or thrown away in another window: this is a new one.
    draft = null;
    version = 0;
    later("save", 0, save);
  } else if (status === 409) {
    alertWith(word("ed-newer"), [word("ed-theirs"), () => takeNewer(false)], [word("ed-mine"), () => takeNewer(true)]);
  } else if (status === 401 || (status === 403 && data.code !== "forbidden")) {
    isWaiting = true;
    alertWith(word("ed-session"), [word("ed-sign-in"), `/sign-in?next=${encodeURIComponent(location.pathname)}`]);
    later("save", AGAIN_MS, save);
  } else if (status === 0 || (status >= 500 && data.code !== "internal") || status === 429) {
    isWaiting = true;
    tell("");
    alertWith(word("ed-offline"));
    later("save", AGAIN_MS, save);
  } else {
    alertWith(data.detail ?? String(status));
  }
}

async function takeNewer(isMine) {
  const { ok, data } = await call("GET", `/api/v1/drafts/${draft}`);
  const file = ok && data.files.find((known) => known.path === path);
  if (!file) return;
  // One's own text stays what it was made of, so that what came in between is merged and not taken back.
  version = file.version;
  if (!isMine) base = file.base;
  sent = lines(file.text ?? "");
  alertWith("");
  if (!isMine) replaceText(sent);
  await save();
}

addEventListener("pagehide", keepHere);
document.addEventListener("visibilitychange", () => document.hidden && isReady && keepHere());
addEventListener("online", () => save());

function showTogether(files) {
  const others = files.filter((file) => file.path !== path);
  const place = $("#together");
  place.hidden = !others.length;
  place.replaceChildren(`${word("ed-together")}: `);
  for (const file of others) {
    const link = document.createElement("a");
    link.href = `/edit/${inAddress(file.path)}?draft=${draft}`;
    link.textContent = file.path;
    place.append(link, " ");
  }
}

// ---- Preview and problems

let asked = 0;

async function preview() {
  const own = (asked += 1);
  const form = $("#as");
  const as = form.elements.as.value;
  form.elements.audience.closest("label").hidden = as !== "audience";
  const audience = as === "" ? null : as === "everybody" ? [] : form.elements.audience.value.split(",").map((name) => name.trim()).filter(Boolean);
  const body = { path, text: text(), as_of: form.elements.as_of.value || null, region: form.elements.region.value || null, audience };
  const { ok, data } = await call("POST", "/api/v1/preview", body);
  if (!ok || own !== asked) return;
  showProblems(data.problems, data.advice ?? []);
  // The rest of the base is still being looked through.
  if (data.advice === null) later("preview", ADVICE_MS, preview);
  const place = $("#preview");
  const parts = [];
  const note = (words) => {
    const line = document.createElement("p");
    line.className = "banner";
    line.textContent = words;
    parts.push(line);
  };
  if (!data.is_served) note(word("ed-not-served"));
  else if (!main.dataset.page) note(word("ed-no-preview"));
  else if (!data.in_force) note(word("ed-not-in-force"));
  if (data.article) {
    const title = document.createElement("h1");
    title.textContent = data.article.title;
    const shown = document.createElement("div");
    shown.lang = data.article.lang;
    // Clean HTML of the server: the same that readers get.
    shown.innerHTML = data.article.html;
    shown.querySelectorAll("a").forEach((link) => (link.target = "_blank"));
    parts.push(title, shown);
  } else if (!data.is_served && place.querySelector("h1")) {
    // What was shown last stays in sight while something is half typed.
    parts.push(...[...place.children].filter((part) => !part.classList.contains("banner")));
  }
  place.replaceChildren(...parts);
  follow();
}

// The preview shows the section one is in.
function follow() {
  const above = view.state.doc.sliceString(0, view.state.selection.main.head).match(/^#{1,6} .*$/gm);
  const heading = above?.at(-1);
  if (!heading) return;
  const anchor = /\{[^}]*#([^\s}]+)/.exec(heading)?.[1];
  const title = heading.replace(/^#+ /, "").replace(/\s*\{[^{}]*\}\s*$/, "").trim();
  const shown = [...$("#preview").querySelectorAll("h2, h3, h4, h5, h6")];
  const found = shown.find((one) => (anchor && one.id === anchor) || one.textContent.trim() === title);
  // Not `scrollIntoView`, which moves the page as well.
  if (found) $("#preview").scrollTop += found.getBoundingClientRect().top - $("#preview").getBoundingClientRect().top - 16;
}

// Problems keep readers from getting what was written; advice hinders nothing.
function showProblems(problems, advice) {
  const lines = view.state.doc.lines;
  const place = ({ line, column }) => {
    const found = view.state.doc.line(Math.min(Math.max(line, 1), lines));
    return { from: Math.min(found.from + Math.max(column - 1, 0), found.to), to: found.to };
  };
  const diagnostics = problems.map((problem) => ({ ...place(problem), severity: problem.severity, message: `${problem.message}. ${problem.hint}`, source: problem.code }));
  const hints = advice.filter(({ line }) => line > 0).map((one) => ({ ...place(one), severity: "hint", message: `${one.message}. ${one.hint}`, source: one.code }));
  view.dispatch(setDiagnostics(view.state, [...diagnostics, ...hints].sort((a, b) => a.from - b.from)));
  const list = $("#problems");
  list.hidden = !problems.length;
  list.replaceChildren(...problems.map((problem) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = problem.severity;
    button.textContent = `${word("ed-in")} ${problem.line}: ${problem.message}. ${problem.hint}`;
    button.addEventListener("click", () => {
      view.dispatch({ selection: { anchor: place(problem).from }, scrollIntoView: true });
      view.focus();
    });
    item.append(button);
    return item;
  }));
  const advised = $("#advice");
  advised.hidden = !advice.length;
  advised.replaceChildren(...advice.map((one) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${one.line > 0 ? `${word("ed-in")} ${one.line}` : word("ed-advice")}: ${one.message}. ${one.hint}`;
    button.addEventListener("click", () => {
      view.dispatch({ selection: { anchor: place(one).from }, scrollIntoView: true });
      view.focus();
    });
    item.append(button);
    if (one.other) {
      const link = document.createElement("a");
      link.href = `/edit/${inAddress(one.other.file)}${one.other.line > 0 ? `#L${one.other.line}` : ""}`;
      link.target = "_blank";
      link.textContent = one.other.file;
      item.append(" ", link);
    }
    return item;
  }));
}

// `#L12` in the address: the place that is meant.
function goToLine() {
  const line = /^#L(\d+)$/.exec(location.hash)?.[1];
  if (!line) return;
  const at = view.state.doc.line(Math.min(Math.max(Number(line), 1), view.state.doc.lines)).from;
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
}

// ---- Publishing

async function publish(force = false) {
  alertWith("");
  $("#publish").disabled = true;
  for (let tries = 0; (isSaving || !(await save())) && tries < 50; tries += 1) await new Promise((done) => setTimeout(done, 100));
  if (text() !== sent || !draft || isSaving) return showState();
  isPublishing = true;
  tell(word("ed-publishing"));
  const at = $("#at").value ? new Date($("#at").value).toISOString() : undefined;
  const mine = text();
  const body = { reason: $("#reason").value.trim(), force, at, versions: { [path]: version } };
  const { ok, status, data } = await call("POST", `/api/v1/drafts/${draft}/publish`, body);
  tell("");
  if (ok && data.publish_at) {
    isPublishing = false;
    showScheduled(data.publish_at);
    return showState();
  }
  if (ok) return done(data, mine).finally(() => (isPublishing = false));
  isPublishing = false;
  if (status === 409 && !data.errors?.length) await unsaved(409, data);
  else if (status === 409) await meet(data.errors);
  else if (status === 422) {
    const faults = (data.errors ?? []).map((error) => `${error.name}:${error.message}`).join("\n");
    alertWith(`${word("ed-fault")}:\n${faults || data.detail}`, [word("ed-anyway"), () => publish(true)]);
  } else if (data.code === "approval-needed") {
    const missing = (data.errors ?? []).map((error) => `${error.name}: ${error.message}`).join("\n");
    alertWith(`${word("ed-approval")}:\n${missing}`, [word("ed-ask-review"), askReview]);
  } else {
    // Without a draft there is one to begin.
    if (status === 404) sent = null;
    await unsaved(status, data);
  }
  showState();
}

// Others are asked to look at the draft: from then on it has a page of its own.
async function askReview() {
  for (let tries = 0; (isSaving || !(await save())) && tries < 50; tries += 1) await new Promise((done) => setTimeout(done, 100));
  if (text() !== sent || !draft) {
    alertWith(word("ed-offline"));
    return;
  }
  const { ok, data } = await call("POST", `/api/v1/drafts/${draft}/review`, { note: $("#reason").value.trim() });
  if (ok) location.href = `/reviews/${draft}`;
  else alertWith(data.detail ?? word("ed-offline"));
}

function showScheduled(at) {
  scheduled = at;
  const when = new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  alertWith(`${word("ed-scheduled")}: ${when}`, [word("ed-cancel"), async () => {
    const { ok } = await call("DELETE", `/api/v1/drafts/${draft}/publish`);
    if (!ok) return;
    scheduled = null;
    alertWith("");
  }]);
}

async function done({ files }, mine) {
  const own = files.find((file) => file.path === path);
  draft = null;
  version = 0;
  scheduled = null;
  $("#reason").value = "";
  $("#at").value = "";
  showTogether([]);
  const source = await call("GET", SOURCE);
  if (source.ok && text() === mine) {
    published = lines(source.data.text);
    base = source.data.digest;
    sent = published;
    replaceText(published);
    keepHere();
  } else {
    // What was typed meanwhile goes on as a draft; where others' changes came in, it stays what it was made of.
    published = mine;
    if (own && !own.merged) base = own.digest;
    sent = text() === mine ? mine : null;
  }
  isPublishing = false;
  if (text() !== sent) later("save", 0, save);
  tell(`${word("ed-published")} ${now()}`);
  if (own?.merged) alertWith(word("ed-merged"));
  showState();
}

// Somebody changed the same places meanwhile: both versions come into the text.
async function meet(errors) {
  const mine = text();
  if (errors.length && !errors.some((error) => error.name === path)) {
    return alertWith(`${word("ed-elsewhere")}: `, ...errors.map((error) => [error.name, `/edit/${inAddress(error.name)}?draft=${draft}`]));
  }
  const { ok, data } = await call("POST", "/api/v1/merge", { path, base, text: mine });
  if (!ok) return alertWith(data.detail ?? "");
  // What was typed meanwhile is part of it.
  if (text() !== mine) return meet(errors);
  base = data.digest;
  // The base is new: what is saved must say so, though the text may be the same.
  sent = null;
  replaceText(lines(data.text).replaceAll("<<<<<<< ours", `<<<<<<< ${word("ed-mark-ours")}`).replaceAll(">>>>>>> theirs", `>>>>>>> ${word("ed-mark-theirs")}`));
  await save();
  alertWith(word(data.conflict ? "ed-conflict" : "ed-merged"));
  const at = text().indexOf("<<<<<<<");
  if (at >= 0) view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
  view.focus();
}

async function discard() {
  if (!confirm(word("ed-discard-sure"))) return;
  clearTimeout(timers.save);
  const { ok } = await call("DELETE", `/api/v1/drafts/${draft}`);
  if (!ok) return;
  // From here on nothing is kept any more.
  isReady = false;
  localStorage.removeItem(LOCAL);
  location.href = `/edit/${inAddress(path)}`;
}

// ---- Beginning

function local() {
  try {
    return JSON.parse(localStorage.getItem(LOCAL));
  } catch {
    return null;
  }
}

const isTemplate = path.startsWith("templates/");
const skeleton = () => (path.endsWith(".md") ? SKELETONS[isTemplate ? "template" : "article"] : SKELETONS.yaml);

async function ownDraft() {
  if (!draft) {
    const { ok, data } = await call("GET", "/api/v1/drafts");
    if (!ok) return undefined;
    draft = data.drafts.find((known) => known.files.some((file) => file.path === path))?.id ?? null;
  }
  if (!draft) return null;
  const { ok, status, data } = await call("GET", `/api/v1/drafts/${draft}`);
  if (!ok && status !== 404) return undefined;
  if (!ok) {
    draft = null;
    return null;
  }
  showTogether(data.files);
  scheduled = data.publish_at;
  fault = data.fault;
  // None: the file comes into the draft with its first change.
  return data.files.find((file) => file.path === path) ?? null;
}

async function begin() {
  const [source, file] = await Promise.all([call("GET", SOURCE), ownDraft()]);
  if (source.status === 422) return alertWith(source.data.detail);
  if (file === undefined || !(source.ok || source.status === 404)) {
    alertWith(word("ed-offline"));
    return later("begin", AGAIN_MS, begin);
  }
  alertWith("");
  published = source.ok ? lines(source.data.text) : null;
  base = file ? file.base : (source.data.digest ?? null);
  version = file?.version ?? 0;
  const shown = file ? lines(file.text ?? "") : (published ?? skeleton());
  sent = file ? shown : published;
  const kept = local();
  const isOther = kept && kept.text !== shown;
  const isNewer = isOther && (!file || (kept.draft === draft && kept.version >= version));
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: isNewer ? kept.text : shown } });
  if (isNewer) base = kept.base;
  if (scheduled) showScheduled(scheduled);
  if (fault) alertWith(`${word("ed-failed")}: ${fault}`);
  if (isNewer) alertWith(word("ed-recovered"));
  else if (isOther) {
    isUndecided = true;
    alertWith(word("ed-local"), [word("ed-use-local"), () => {
      base = kept.base;
      replaceText(kept.text);
      alertWith("");
    }]);
  }
  isReady = true;
  $("#editor").inert = false;
  tell(file ? word("ed-saved") : word(published === null ? "ed-new" : "ed-unchanged"));
  if (isNewer) changed();
  $("#measure").textContent = `${text().length} ${word("ed-letters")}`;
  showState();
  preview();
  goToLine();
  view.focus();
}

$("#publish").addEventListener("click", () => publish());
$("#review").addEventListener("click", askReview);
$("#discard").addEventListener("click", discard);
$("#as").addEventListener("input", () => later("preview", PREVIEW_MS, preview));
$("#as").addEventListener("submit", (event) => event.preventDefault());
$("#reason").addEventListener("keydown", (event) => event.key === "Enter" && publish());
for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => isReady && TOOLS[button.dataset.tool](view));
// Until it is known what the file holds, nothing is typed that could be taken for it.
$("#editor").inert = true;
begin();
