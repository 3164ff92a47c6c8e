// Sorts the table by the column whose heading is pressed; pressed again, the other way round.

const body = document.querySelector("tbody");
const headings = [...document.querySelectorAll("thead th")];

/** Numbers by value, texts as the reader's language orders them, empty cells last in both directions. */
function compare(a, b, direction) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const [x, y] = [Number(a), Number(b)];
  const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  return direction * order;
}

headings.forEach((heading, column) => {
  heading.querySelector("button")?.addEventListener("click", () => {
    const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const rows = [...body.rows].sort((a, b) => compare(value(a), value(b), direction));
    body.append(...rows);
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  });
});
