"use strict";
const viewer = document.getElementById("viewer"), picture = viewer.querySelector("img");
document.addEventListener("click", event => {
  const link = event.target.closest("a.zoom");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  picture.src = link.getAttribute("href");
  picture.alt = link.firstElementChild.alt;
  viewer.classList.remove("whole");
  viewer.showModal();
});
picture.addEventListener("click", () => viewer.classList.toggle("whole"));
viewer.querySelector("button").addEventListener("click", () => viewer.close());
for (const heading of document.querySelectorAll("#table th")) heading.addEventListener("click", () => {
  const at = heading.cellIndex, body = heading.closest("table").tBodies[0];
  const order = heading.dataset.order === "1" ? -1 : 1;
  for (const other of heading.parentNode.children) delete other.dataset.order;
  heading.dataset.order = order;
  const key = row => {
    const cell = row.cells[at];
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number"
    ? a - b : typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b, undefined, { numeric: true });
  [...body.rows].sort((a, b) => order * compare(key(a), key(b))).forEach(row => body.append(row));
});
