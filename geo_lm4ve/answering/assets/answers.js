"use strict";
/* Filters and shows the answers, a portion at a time; texts enter the page as text, never as markup. */
(() => {
  const { names, rows } = JSON.parse(document.getElementById("answers-data").textContent);
  const PORTION = 120;
  const bar = document.querySelector(".answers-bar"), list = document.getElementById("answers");
  const find = document.getElementById("answers-find"), type = document.getElementById("answers-type");
  const more = document.getElementById("answers-more"), count = document.getElementById("answers-count");
  const items = rows.map(([id, scene, kind, question, situation, said, right, references, values]) => ({
    id, scene, kind, question, situation, said, right, references, values,
    text: [id, scene, question, situation, said ?? "", ...references].join("\n").toLowerCase(),
  }));
  let shown = [], drawn = 0, wanted = "";

  function element(name, text, style) {
    const made = document.createElement(name);
    made.textContent = text;
    if (style) made.className = style;
    return made;
  }
  function card(item) {
    const made = element("article", "", "answer " + (item.right ? "right" : "wrong"));
    made.append(element("p", `${item.scene} · ${item.id} · ${item.kind}`, "where"));
    if (item.situation) made.append(element("p", item.situation, "situation"));
    made.append(element("h3", item.question));
    if (item.said === null) made.append(element("p", "no answer", "said none"));
    else made.append(element("p", item.said === "" ? "(empty)" : item.said, "said"));
    const right = element("ul", "");
    right.append(...item.references.map((one) => element("li", one)));
    const values = names.map((name, i) => `${name} ${item.values[i]}`).join(" · ");
    made.append(right, element("p", values, "where"));
    return made;
  }
  function draw() {
    list.append(...shown.slice(drawn, drawn + PORTION).map(card));
    drawn = Math.min(drawn + PORTION, shown.length);
    more.hidden = drawn >= shown.length;
    more.textContent = `more (${(shown.length - drawn).toLocaleString("en")} left)`;
  }
  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = items.filter((item) => (!wanted || item.right === (wanted === "right")) && (!type.value || item.kind === type.value)
      && words.every((word) => item.text.includes(word)));
    list.replaceChildren();
    drawn = 0;
    count.textContent = `${shown.length.toLocaleString("en")} shown`;
    draw();
  }
  for (const button of bar.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      wanted = button.dataset.kind;
      for (const one of bar.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
      filter();
    });
  }
  find.addEventListener("input", filter);
  type.addEventListener("change", filter);
  more.addEventListener("click", draw);
  bar.hidden = false;
  filter();
})();
