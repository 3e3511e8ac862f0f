// The keyboard. Where a field or a slider has the focus, keys are the field's.

const FIELDS = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=slider], "
  + "[role=listbox], [role=option], [role=combobox]";

export function listen(actions) {
  document.addEventListener("keydown", (e) => {
    const focus = e.target instanceof Element ? e.target : document.body;
    const control = e.ctrlKey || e.metaKey;
    if (e.altKey || focus.closest(FIELDS) || document.querySelector(".q-dialog")) return;
    if (e.code === "Space" && focus.closest("button, a, [role=button], [role=checkbox], summary")) return;
    const action = control ? ({ z: e.shiftKey ? "redo" : "undo", y: "redo" })[e.key.toLowerCase()] : plain(e);
    if (!action) return;
    e.preventDefault();
    actions[action](e.shiftKey);
  });
  // a click leaves the focus on a button, where the next Space would press it again
  document.addEventListener("click", (e) => {
    const button = e.detail > 0 && e.target instanceof Element ? e.target.closest("button") : null;
    // Quasar moves it to a part of the button just afterwards
    const leave = () => { if (button.contains(document.activeElement)) document.activeElement.blur(); };
    if (button && !button.closest(".q-dialog")) setTimeout(leave, 50);
  });
}

function plain(e) {
  const named = { ArrowLeft: "back", ArrowRight: "forward", ArrowUp: "before", ArrowDown: "after", Home: "home",
    End: "end", " ": "toggle", "+": "nearer", "=": "nearer", "-": "farther", 0: "whole", "?": "help" };
  if (named[e.key]) return named[e.key];
  return e.shiftKey ? "" : ({ j: "reverse", k: "pause", l: "fast", s: "split", r: "again", a: "other", m: "listen" })[
    e.key.toLowerCase()];
}
