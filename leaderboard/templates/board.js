/* What the pages can do where scripts run: sort, filter, search and turn pages of the tables; tell what a point of the
 * plot is. Everything that it shows is on the pages without it, too.
 *
 * The board's state is in its address: ?q=her&division=mlp&class=lightweight&verified=1&sort=-bytes&page=2&me=heron
 */
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const PAGE = 50; // as leaderboard/pages.py has it

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// ---- The tables

const FIELDS = ["rank", "shared", "handle", "score", "accuracy", "half", "bytes", "ratio", "class", "attempts", "when",
                "state", "stem", "flags"];
const FALLING = ["score", "accuracy", "ratio", "attempts", "when"]; // what one wants to see the most of first
const grouped = (number) => number.toLocaleString("en-US");

function readRows() {
  const found = {};
  for (const [key, rows] of Object.entries(FeatherweightRows.groups)) {
    found[key] = rows.map((row) => Object.fromEntries(FIELDS.map((field, place) => [field, row[place]])));
    for (const row of found[key]) {
      // the lightest class is the highest honour
      row.className = FeatherweightRows.classes[row.class] || "";
      row.class = row.class < 0 ? 99 : row.class;
    }
  }
  return found;
}

class Board {
  constructor(tables) {
    this.rows = readRows();
    this.tables = tables;
    this.controls = $(".controls");
    this.controls.hidden = false;
    this.pristine = true;
    for (const table of tables) this.prepare(table);
    this.inputs = $$("input, select", this.controls);
    for (const input of this.inputs) input.addEventListener("input", () => this.change({ [input.name]: this.read(input) }));
    $("[name=clear]", this.controls).addEventListener("click", () => this.clear());
    addEventListener("popstate", () => this.show());
    if (location.search) this.show();
    this.name();
  }

  prepare(table) {
    table.template = $("tbody tr", table).cloneNode(true);
    for (const head of $$("th[data-key]", table)) {
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => this.sort(head.dataset.key));
    }
    table.addEventListener("click", (event) => {
      const link = event.target.closest(".pager a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.change({ page: link.textContent === "1" ? "" : link.textContent }, true);
      $("caption", table).scrollIntoView({ block: "start" });
      $("[aria-current]", table)?.focus();
    });
  }

  get state() {
    return new URLSearchParams(location.search);
  }

  read(input) {
    return input.type === "checkbox" ? (input.checked ? "1" : "") : input.value.trim().toLowerCase();
  }

  change(values, keepsPage = false) {
    const state = this.state;
    if (!keepsPage) state.delete("page");
    for (const [name, value] of Object.entries(values)) {
      if (value) state.set(name, value);
      else state.delete(name);
    }
    const query = state.toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.show();
  }

  clear() {
    for (const input of this.inputs) {
      if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    history.replaceState(null, "", location.pathname);
    this.show();
  }

  sort(key) {
    const now = this.state.get("sort") || "rank";
    const usual = (FALLING.includes(key) ? "-" : "") + key;
    const other = usual.startsWith("-") ? key : `-${key}`;
    const next = now === usual ? other : usual;
    this.change({ sort: next === "rank" ? "" : next });
  }

  /** Make the page what the address says. */
  show() {
    const state = this.state;
    for (const input of this.inputs) {
      if (input === document.activeElement) continue;
      if (input.type === "checkbox") input.checked = state.get(input.name) === "1";
      else input.value = state.get(input.name) || "";
    }
    let shown = 0, all = 0;
    for (const table of this.tables) {
      const rows = this.chosen(table, state);
      const division = state.get("division");
      table.hidden = Boolean(division) && table.dataset.division !== division;
      if (!table.hidden) shown += rows.length;
      all += this.rows[table.dataset.group].length;
      this.fill(table, rows, state);
    }
    const filtered = ["q", "class", "verified", "division"].some((name) => state.get(name));
    $(".found", this.controls).textContent = filtered ? `${grouped(shown)} of ${grouped(all)} rows` : "";
    this.name();
  }

  chosen(table, state) {
    const q = (state.get("q") || "").toLowerCase();
    const rows = this.rows[table.dataset.group].filter((row) =>
      row.handle.includes(q) &&
      (!state.get("class") || row.className === state.get("class")) &&
      (!state.get("verified") || row.state === "verified"));
    const sort = state.get("sort") || "rank", key = sort.replace("-", ""), sign = sort.startsWith("-") ? -1 : 1;
    if (!FIELDS.includes(key)) return rows;
    const order = (a, b) => (a[key] < b[key] ? -sign : a[key] > b[key] ? sign : 0);
    return key === "rank" && sign === 1 ? rows : [...rows].sort(order);
  }

  fill(table, rows, state) {
    const last = Math.max(1, Math.ceil(rows.length / PAGE));
    const page = Math.min(last, Math.max(1, Number(state.get("page")) || 1));
    const first = (page - 1) * PAGE;
    const me = state.get("me");
    const lines = rows.slice(first, first + PAGE).map((row) => this.line(table, row, me));
    const columns = table.template.children.length;
    const none = make("tr", { role: "row", class: "none" }, make("td", { role: "cell", colspan: columns }, "No row fits."));
    $("tbody", table).replaceChildren(...(lines.length ? lines : [none]));
    const to = Math.min(first + PAGE, rows.length);
    $(".count", table).textContent = last > 1 ? `rows ${grouped(first + 1)} to ${grouped(to)} of ${grouped(rows.length)}` : "";
    const sort = state.get("sort") || "rank";
    for (const head of $$("th[data-key]", table)) {
      if (head.dataset.key === sort.replace("-", "")) {
        head.setAttribute("aria-sort", sort.startsWith("-") ? "descending" : "ascending");
      } else head.removeAttribute("aria-sort");
    }
    this.pages(table, page, last);
  }

  pages(table, page, last) {
    let pager = $(".pager", table);
    if (!pager && last > 1) {
      pager = make("nav", { class: "pager", "aria-label": `Pages of the ${table.dataset.division} division` });
      table.append(pager);
    }
    if (!pager) return;
    pager.hidden = last < 2;
    const links = Array.from({ length: last }, (_, place) => {
      const number = String(place + 1), query = this.state;
      query.set("page", number);
      const link = make("a", { href: `?${query}` }, number);
      if (place + 1 === page) link.setAttribute("aria-current", "page");
      return link;
    });
    pager.replaceChildren(...links);
  }

  /** A row like the page's own, with other texts: nothing of it is ever read as HTML. */
  line(table, row, me) {
    const line = table.template.cloneNode(true);
    const cell = (field) => $(`[data-field=${field}]`, line);
    const number = (field, value, text) => {
      const data = $("data", cell(field));
      data.value = value;
      data.textContent = text;
    };
    line.className = [row.rank === 1 ? "first" : "", row.handle === me ? "mine" : ""].join(" ").trim();
    if (row.handle === me) line.setAttribute("aria-current", "true");
    cell("rank").replaceChildren(String(row.rank));
    if (row.shared) cell("rank").append(make("abbr", { title: "shared: same size, and no significant difference" }, "="));
    const link = make("a", { href: `${table.dataset.root}entries/${row.handle}/${row.stem}.html` }, make("bdi", {}, row.handle));
    cell("handle").replaceChildren(link, ...row.flags.map((flag) => make("span", { class: "flag" }, make("bdi", {}, flag))));
    number("score", row.score, row.score.toFixed(3));
    number("accuracy", row.accuracy, row.accuracy.toFixed(2));
    $(".error", cell("accuracy")).textContent = `± ${row.half.toFixed(2)}`;
    number("bytes", row.bytes, grouped(row.bytes));
    number("ratio", row.ratio, row.ratio.toFixed(2));
    cell("class").replaceChildren(...(row.className ? [make("span", { class: `badge ${row.className}` }, row.className)] : []));
    cell("attempts").textContent = String(row.attempts);
    const time = $("time", cell("when"));
    time.dateTime = row.when;
    time.textContent = row.when.slice(0, 10);
    cell("state").replaceChildren(make("span", { class: `state ${row.state}` }, row.state));
    return line;
  }

  /** What there is to say about one's own rows. */
  name() {
    const me = this.state.get("me"), place = $(".me", this.controls);
    place.replaceChildren();
    if (!me) return;
    for (const table of this.tables) {
      const rows = this.rows[table.dataset.group];
      const index = rows.findIndex((row) => row.handle === me);
      if (index < 0) continue;
      const row = rows[index], next = rows.slice(0, index).reverse().find((other) => other.rank < row.rank);
      const division = $("caption span", table).textContent;
      const ahead = next ? ` ${(next.score - row.score).toFixed(3)} to ${next.handle}, who is next.` : " Nobody is ahead.";
      const button = make("button", { type: "button" }, "Go to the row");
      button.addEventListener("click", () => {
        const position = this.chosen(table, this.state).findIndex((other) => other.handle === me);
        const page = Math.floor(Math.max(position, 0) / PAGE) + 1;
        this.change({ page: page > 1 ? String(page) : "" }, true);
        $("tr.mine a", table)?.focus();
      });
      place.append(make("p", {}, make("strong", {}, me), ` has rank ${row.rank} of ${grouped(rows.length)} in the ${division}.${ahead} `, button));
    }
    if (!place.childElementCount) place.append(make("p", {}, `No ranked row is ${me}'s.`));
  }
}

// ---- The plot: what is nearest to the pointer

function watchPlot(figure, rows) {
  const tip = $(".tip", figure), section = figure.closest("section");
  const groups = $$(".table[data-group]", section).map((table) => [table.dataset.division, rows[table.dataset.group]]);
  for (const svg of $$("svg[data-scale]", figure)) {
    const { x, y, frame: [left, top, right, bottom] } = JSON.parse(svg.dataset.scale);
    const points = groups.flatMap(([division, list]) => list.map((row) => ({
      row, division,
      x: left + ((Math.log2(row.bytes) - x[0]) / (x[1] - x[0])) * (right - left),
      y: bottom - ((-Math.log(Math.max(100 - row.accuracy, 0.02)) - y[0]) / (y[1] - y[0])) * (bottom - top),
    })));
    const nearest = (event) => {
      const box = svg.getBoundingClientRect(), unit = svg.viewBox.baseVal.width / box.width;
      const px = (event.clientX - box.left) * unit, py = (event.clientY - box.top) * unit;
      let best = null, least = (22 * unit) ** 2;
      for (const point of points) {
        const distance = (point.x - px) ** 2 + (point.y - py) ** 2;
        if (distance < least) [best, least] = [point, distance];
      }
      return best && { ...best, box, unit };
    };
    svg.addEventListener("pointermove", (event) => {
      const found = nearest(event);
      tip.hidden = !found;
      svg.classList.toggle("aimed", Boolean(found));
      if (!found) return;
      const { row, division } = found, place = figure.getBoundingClientRect();
      tip.replaceChildren(make("strong", {}, row.handle), `rank ${row.rank} ${division}, score ${row.score.toFixed(3)}`,
                          make("br"), `${grouped(row.bytes)} bytes, ${row.accuracy.toFixed(2)} %`);
      const across = found.box.left - place.left + found.x / found.unit;
      tip.style.left = `${Math.min(across + 12, place.width - tip.offsetWidth - 8)}px`;
      tip.style.top = `${found.box.top - place.top + found.y / found.unit + 12}px`;
    });
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
    svg.addEventListener("click", (event) => {
      const found = nearest(event);
      if (found && !event.target.closest("a")) location.href = `entries/${found.row.handle}/${found.row.stem}.html`;
    });
  }
}

const tables = $$(".table[data-group]");
if (tables.length) {
  const board = new Board(tables);
  for (const figure of $$("figure.pareto")) watchPlot(figure, board.rows);
}
