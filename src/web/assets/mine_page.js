// The page of one's own things.
import "./parts/account.js";
import "./page.js";
import * as mine from "./parts/mine.js";
import { copy } from "./parts/clipboard.js";
import { measure } from "./parts/sms.js";
import { t } from "./parts/words.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

function showList(card) {
  const name = card.dataset.list;
  const items = mine.get(name).map((item) => {
    const remove = element("button", { type: "button", className: "icon", textContent: "×", ariaLabel: `${t("remove")}: ${item.title}` });
    remove.addEventListener("click", () => mine.remove(name, item));
    return element("li", {}, element("a", { href: mine.hrefOf(item), textContent: item.title }), remove);
  });
  card.querySelector("ul").replaceChildren(...(items.length ? items : [element("li", { className: "quiet", textContent: t("nothing-yet") })]));
}

document.querySelectorAll("[data-list]").forEach((card) => {
  showList(card);
  mine.watch(card.dataset.list, () => showList(card));
});

const form = document.querySelector(".snippet-form");
const snippets = document.querySelector(".snippets ul");

function showSnippets() {
  snippets.replaceChildren(...mine.get("snippets").map((snippet) => {
    const take = element("button", { type: "button", className: "copy-snippet", textContent: t("copy") });
    take.addEventListener("click", () => copy(snippet.text));
    const edit = element("button", { type: "button", textContent: t("edit") });
    edit.addEventListener("click", () => {
      form.elements.title.value = snippet.title;
      form.elements.text.value = snippet.text;
      form.elements.text.focus();
      showSize();
    });
    const remove = element("button", { type: "button", className: "icon", textContent: "×", ariaLabel: `${t("remove")}: ${snippet.title}` });
    remove.addEventListener("click", () => mine.remove("snippets", snippet));
    return element("li", {}, element("strong", { textContent: snippet.title }), element("p", { className: "snippet-text", textContent: snippet.text }), element("div", { className: "actions" }, take, edit, remove));
  }));
}

function showSize() {
  const { encoding, characters, segments } = measure(form.elements.text.value);
  form.querySelector(".measure").textContent = characters ? `${encoding} · ${characters} ${t("characters")} · ${segments} SMS` : "";
}

form.addEventListener("input", showSize);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { title, text } = form.elements;
  // The same title means the same snippet, written anew.
  mine.add("snippets", { kind: "snippet", id: title.value.trim(), title: title.value.trim(), text: text.value });
  form.reset();
  showSize();
});
mine.watch("snippets", showSnippets);
showSnippets();

const layout = document.querySelector(".layout-form");
for (const field of layout.elements) field.value = mine.get("layout")[field.name] ?? (field.name === "channel" ? "chat" : "");
layout.addEventListener("change", (event) => {
  mine.set("layout", { ...mine.get("layout"), [event.target.name]: event.target.value });
});
