// 19/20, 12k, >1.5M, 0.44-0.97, 83.3%: the first number counts; texts go by their natural order.
const number = text => {
  const [, digits, unit, of] = text.match(/^>?([-+]?[\d.]+(?:e[-+]?\d+)?)([kM%]?)(?:\/(\d+))?/) || [];
  if (digits === undefined) return text === ">budget" ? Infinity : NaN;
  return digits * ({k: 1e3, M: 1e6}[unit] || 1) / (of || 1);
};
const compare = (a, b) => {
  const [x, y] = [number(a), number(b)];
  if (x === y) return 0;
  return isNaN(x) || isNaN(y) ? a.localeCompare(b, "en", {numeric: true}) : x - y;
};
for (const button of document.querySelectorAll(".sortable button")) {
  button.title = "sort by this column";
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = button.closest("table").tBodies[0];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = row => row.cells[head.cellIndex].textContent;
    const rows = [...body.rows].sort((a, b) => compare(text(a), text(b)));
    body.append(...(down ? rows.reverse() : rows));
  });
}
// A long table gets a box: rows stay that have every word in it.
for (const table of document.querySelectorAll(".sortable")) {
  const rows = [...table.tBodies[0].rows], box = table.parentNode;
  if (rows.length < 12) continue;
  const input = document.createElement("input");
  Object.assign(input, {type: "search", className: "filter", placeholder: "only rows with these words"});
  input.setAttribute("aria-label", `Filter ${box.getAttribute("aria-label")}`);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
    }
  });
  box.before(input);
}
const hint = () => {
  for (const box of document.querySelectorAll(".box")) {
    box.parentNode.classList.toggle("scrolls", box.scrollWidth > box.clientWidth);
  }
};
hint();
addEventListener("resize", hint);
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
