// The cues as a list of buttons: an overview, and the way to a cue for those who don't use a pointer.

import { clock } from "./draw.js";

export class CueList {
  constructor(box, tell, seek) {
    Object.assign(this, { box, tell, seek });
    box.addEventListener("click", (e) => {
      const row = e.target.closest("button");
      if (row) { tell({ do: "select", number: Number(row.dataset.number) }); }
    });
    box.addEventListener("dblclick", (e) => {
      const row = e.target.closest("button");
      if (row) seek(Number(row.dataset.start));
    });
  }

  show(film, now, chosen) {
    while (this.box.children.length > now.cues.length) this.box.lastChild.remove();
    now.cues.forEach((cue, k) => {
      const row = this.box.children[k] ?? this.box.appendChild(made());
      const [dot, name, marks, when] = row.children;
      const words = [cue.locked && "locked", cue.edited && "edited", now.take !== null && cue.stale && "changed"];
      set(row, { number: k, start: cue.start });
      row.setAttribute("aria-pressed", String(k === chosen));
      dot.style.background = film.colours[cue.mood];
      name.textContent = cue.name;
      marks.textContent = words.filter(Boolean).join(" · ");
      when.textContent = `${clock(cue.start, 1)}`;
      row.title = `${cue.mood}, ${clock(cue.start)} to ${clock(cue.end)}; double-click: go there`;
    });
    const row = this.box.children[chosen];
    if (row && this.last !== chosen) row.scrollIntoView({ block: "nearest" });
    this.last = chosen;
  }
}

function made() {
  const row = document.createElement("button");
  row.type = "button";
  for (const name of ["dot", "name", "marks", "when"]) {
    const part = document.createElement("span");
    part.className = name;
    row.append(part);
  }
  return row;
}

function set(row, values) {
  for (const [name, value] of Object.entries(values)) row.dataset[name] = value;
}
