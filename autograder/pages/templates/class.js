// Sorting and filtering of the class's page. Without this script all of it is there, unsorted.
(() => {
  "use strict";
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fields = $("[data-filter]");
  const rows = $("#students tbody tr").map((row) => ({
    row,
    values: row.dataset.v.split(",").map((one) => (one === "" ? null : Number(one))),
    section: row.dataset.section,
    statuses: row.dataset.status.split("|"),
    words: row.dataset.words,
    href: row.querySelector("a").getAttribute("href"),
  }));
  const state = { sort: {} };
  const pages = new Map(rows.map((one) => [one.row.querySelector("a").textContent, one.href]));
  for (const name of $(".who a:not([href])")) name.setAttribute("href", pages.get(name.textContent));

  // What is in the address: the filters, and by which column each table is sorted.
  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) {
      const value = asked.get(field.dataset.filter) || "";
      field.value = value;
      if (field.value !== value) field.value = "";
    }
    state.sort = {};
    for (const text of asked.getAll("sort")) {
      const [table, column, way] = text.split(":");
      state.sort[table] = [Number(column), way === "down" ? -1 : 1];
    }
    return asked.get("at");
  };
  const write = (at) => {
    const kept = new URLSearchParams();
    for (const field of fields) if (field.value) kept.set(field.dataset.filter, field.value);
    for (const [table, [column, way]] of Object.entries(state.sort))
      kept.append("sort", `${table}:${column}:${way < 0 ? "down" : "up"}`);
    if (at) kept.set("at", at);
    history.replaceState(null, "", `#${kept}`);
  };

  const key = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return null;
    const value = cell.dataset.v ?? cell.textContent.trim();
    if (value === "") return null;
    return Number.isNaN(Number(value)) ? value.toLowerCase() : Number(value);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  const sort = (table) => {
    const [column, way] = state.sort[table.id] || [];
    $("thead th", table).forEach((head, n) => {
      if (!head.querySelector("button")) return;
      const mine = n === column;
      head.setAttribute("aria-sort", mine ? (way < 0 ? "descending" : "ascending") : "none");
    });
    if (column === undefined) return;
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [key(row, column), row]);
    // What has no value stands last, whichever way it is sorted.
    keyed.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : way * compare(a, b)));
    body.append(...keyed.map(([, row]) => row));
  };

  const quantile = (sorted, share) => {
    const at = share * (sorted.length - 1), below = Math.floor(at);
    const next = sorted[Math.min(below + 1, sorted.length - 1)];
    return sorted[below] + (next - sorted[below]) * (at - below);
  };
  const draw = (card, shown) => {
    const column = Number(card.dataset.column), most = Number(card.dataset.most) || 1;
    const values = shown.map((one) => one.values[column]).filter((one) => one !== null);
    values.sort((a, b) => a - b);
    const bars = $(".bars rect", card), bins = bars.map(() => 0);
    for (const one of values)
      bins[Math.min(bins.length - 1, Math.max(0, Math.floor((one * bins.length) / most)))] += 1;
    const highest = Math.max(1, ...bins);
    bars.forEach((bar, n) => {
      bar.setAttribute("y", 64 * (1 - bins[n] / highest));
      bar.setAttribute("height", (64 * bins[n]) / highest);
    });
    const none = !values.length;
    const quarters = [0, 0.25, 0.5, 0.75, 1].map((one) => (none ? 0 : quantile(values, one)));
    const x = quarters.map((one) => 240 * Math.min(1, Math.max(0, one / most)));
    const set = (kind, from, width) => {
      const part = card.querySelector(`.${kind}`);
      part.setAttribute("x", from);
      part.setAttribute("width", none ? 0 : width);
    };
    set("whisker", x[0], x[4] - x[0]);
    set("quarters", x[1], Math.max(1, x[3] - x[1]));
    set("median", Math.min(238, Math.max(0, x[2] - 1)), 2);
    const mean = values.reduce((sum, one) => sum + one, 0) / (values.length || 1);
    const said = [values.length, mean, quarters[2], quarters[1], quarters[3]];
    $("dd", card).forEach((place, n) => {
      const text = n ? String(Math.round(said[n]) / 100) : String(said[0]);
      place.textContent = none && n ? "\u2013" : text;
    });
  };

  const filter = () => {
    const [section, component, status, words] = ["section", "component", "status", "q"].map(
      (name) => (fields.find((one) => one.dataset.filter === name) || { value: "" }).value,
    );
    const asked = words.toLowerCase().trim();
    const shown = rows.filter(
      (one) =>
        (!section || one.section === section) &&
        (!status || one.statuses.includes(status)) &&
        (!asked || one.words.includes(asked)),
    );
    const inside = new Set(shown);
    for (const one of rows) one.row.hidden = !inside.has(one);
    document.getElementById("shown").textContent =
      shown.length === rows.length
        ? `all ${rows.length} students`
        : `${shown.length} of ${rows.length} students`;
    const links = new Set(shown.map((one) => one.href));
    const everybody = shown.length === rows.length;
    // Each row about students keeps those who are asked for, and counts them.
    for (const row of $("tr[data-who], li[data-who]")) {
      const all = $(".who a", row);
      const left = all.filter((one) => everybody || links.has(one.getAttribute("href")));
      for (const one of all) one.hidden = !everybody;
      for (const one of left) one.hidden = false;
      const count = row.querySelector("[data-count]");
      if (count) count.textContent = everybody ? count.dataset.count : String(left.length);
      row.hidden = !(everybody || left.length);
    }
    for (const one of $("[data-component]")) {
      const away = component && !one.dataset.component.split(" ").includes(component);
      if (one.dataset.who === undefined || away) one.hidden = Boolean(away);
    }
    for (const card of $("[data-column]")) draw(card, shown);
  };

  const update = (at) => {
    filter();
    $("table[id]").forEach(sort);
    write(at);
  };
  const go = (id) => {
    const place = document.getElementById(id);
    if (!place) return;
    place.scrollIntoView();
    place.focus({ preventScroll: true });
  };
  for (const field of fields) field.addEventListener("input", () => update());
  document.getElementById("all").addEventListener("click", () => {
    for (const field of fields) field.value = "";
    state.sort = {};
    update();
  });
  for (const button of $("th button"))
    button.addEventListener("click", () => {
      const head = button.closest("th"), table = head.closest("table");
      const [column, way] = state.sort[table.id] || [];
      const first = head.classList.contains("number") ? -1 : 1;
      state.sort[table.id] = [head.cellIndex, column === head.cellIndex ? -way : first];
      sort(table);
      write();
    });
  for (const link of $("a[data-at]"))
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const wanted = link.dataset.status;
      if (wanted) fields.find((one) => one.dataset.filter === "status").value = wanted;
      update(link.dataset.at);
      go(link.dataset.at);
    });
  const begin = () => {
    const plain = location.hash.slice(1);
    if (plain && !plain.includes("=")) return filter(); // a link to a section, as without a script
    const at = read();
    update(at);
    return at && go(at);
  };
  addEventListener("hashchange", begin);
  for (const one of $(".scripted")) one.hidden = false;
  begin();
})();
