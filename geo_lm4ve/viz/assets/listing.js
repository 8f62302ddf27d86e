"use strict";
/* A list with filters, drawn a portion at a time; texts enter the page as text, never as markup. */
function element(name, text, style) {
  const made = document.createElement(name);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/* rows: {right, kind, text}, text in lower case; card(row): its element; also(row): one more condition. */
function listing(rows, card, also = () => true) {
  const PORTION = 120;
  const bar = document.querySelector(".listing-bar"), list = document.getElementById("listing");
  const find = document.getElementById("listing-find"), type = document.getElementById("listing-type");
  const more = document.getElementById("listing-more"), count = document.getElementById("listing-count");
  const buttons = [...bar.querySelectorAll("button")];
  const made = { shown: [], drawn: 0, wanted: "", filter, draw };

  function draw() {
    list.append(...made.shown.slice(made.drawn, made.drawn + PORTION).map(card));
    made.drawn = Math.min(made.drawn + PORTION, made.shown.length);
    more.hidden = made.drawn >= made.shown.length;
    more.textContent = `more (${(made.shown.length - made.drawn).toLocaleString("en")} left)`;
  }
  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    made.shown = rows.filter((row) => (!made.wanted || row.right === (made.wanted === "right"))
      && (!type.value || row.kind === type.value) && words.every((word) => row.text.includes(word)) && also(row));
    list.replaceChildren();
    made.drawn = 0;
    count.textContent = `${made.shown.length.toLocaleString("en")} shown`;
    draw();
  }
  for (const button of buttons) {
    button.addEventListener("click", () => {
      made.wanted = button.dataset.kind;
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      filter();
    });
  }
  find.addEventListener("input", filter);
  type.addEventListener("change", filter);
  more.addEventListener("click", draw);
  bar.hidden = false;
  return made;
}
