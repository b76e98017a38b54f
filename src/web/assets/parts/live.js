// Follows what changes on the server: whatever is shown is what is in force.
export function follow(refresh) {
  let events = null;
  let seen = null;
  let day = null;
  const connect = () => {
    events = new EventSource("/api/v1/live");
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
  };
  // Browsers allow six connections to a server without HTTP/2: a page that is not looked at holds none, and catches up when it is.
  const attend = () => {
    events?.close();
    if (!document.hidden) connect();
  };
  attend();
  document.addEventListener("visibilitychange", attend);
  addEventListener("pagehide", () => events?.close());
  addEventListener("pageshow", (event) => event.persisted && attend());
}
