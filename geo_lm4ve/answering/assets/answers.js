/* Answers as cards, in the list of listing.js. */
(() => {
  const { names, rows } = JSON.parse(document.getElementById("answers-data").textContent);
  const items = rows.map(([id, scene, kind, question, situation, said, right, references, values]) => ({
    id, scene, kind, question, situation, said, right, references, values,
    text: [id, scene, question, situation, said ?? "", ...references].join("\n").toLowerCase(),
  }));

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
  listing(items, card).filter();
})();
