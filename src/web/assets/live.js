// Follows what changes on the server: results and the open article are always what is in force.
import { openArticle } from "./reader.js";

export function followChanges({ search, reader }) {
  const events = new EventSource("/api/v1/live");
  let seen = null;
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
    const { generation } = JSON.parse(event.data);
    // After a lost connection anything may have changed.
    if (seen !== null && seen !== generation) refresh();
    seen = generation;
  });
  events.addEventListener("change", (event) => {
    const { generation, total } = JSON.parse(event.data);
    seen = generation;
    if (total > 0) refresh();
  });
  events.addEventListener("lost", refresh);
}
