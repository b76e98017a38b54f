// Follows what changes on the server: results and the open article are always what is in force.
import { openArticle } from "./reader.js";

export function followChanges({ search, reader }) {
  const events = new EventSource("/api/v1/live");
  let seen = null;
  let day = null;
  const refresh = () => {
    search();
    const shown = reader.querySelector("[data-article]");
    // A form that is being filled in is not pulled away.
    if (shown && !reader.querySelector("details[open]")) {
      const path = shown.dataset.article.split("/").map(encodeURIComponent).join("/");
      openArticle(`/articles/${path}`, reader);
    }
  };
  events.addEventListener("hello", (event) => {
    const told = JSON.parse(event.data);
    const now = `${told.boot}-${told.generation}`;
    // After a lost connection anything may have changed.
    if (seen !== null && seen !== now) refresh();
    seen = now;
    day = told.day;
  });
  events.addEventListener("change", (event) => {
    const told = JSON.parse(event.data);
    seen = `${told.boot}-${told.generation}`;
    // A new day has prices of its own.
    if (told.total > 0 || told.day !== day) refresh();
    day = told.day;
  });
  events.addEventListener("lost", refresh);
}
