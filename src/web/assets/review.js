// The page of a review: a line is remarked on where it stands.
const template = document.querySelector("#say");

for (const button of document.querySelectorAll("button.say")) {
  button.addEventListener("click", () => {
    const row = button.closest("tr");
    if (row.nextElementSibling?.querySelector("textarea")) return row.nextElementSibling.querySelector("textarea").focus();
    const said = template.content.cloneNode(true);
    said.querySelector("[name=path]").value = button.closest("[data-path]").dataset.path;
    said.querySelector("[name=line]").value = button.dataset.line;
    row.after(said);
    row.nextElementSibling.querySelector("textarea").focus();
  });
}
