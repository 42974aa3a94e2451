// Keeps an open page up to date: when the server says that something has changed, htmx asks for the page again, and of the answer
// each part that is marked data-live takes the place of its like. Without this file the page stays as it was until it is loaded again.
const reload = document.getElementById("reload");
const notLive = document.getElementById("not-live");
reload.setAttribute("hx-select-oob", Array.from(document.querySelectorAll("[data-live]"), (part) => "#" + part.id + ":outerMorph").join());

let events;
let address = reload.dataset.events;

// Nobody looks at a page in the background: it listens again once it is in front, and is told then if it missed something.
function listen() {
  if (events || document.hidden) return;
  events = new EventSource(address);
  events.addEventListener("open", () => { notLive.hidden = true; });
  events.addEventListener("changed", (event) => {
    address = address.replace(/since=\d+/, "since=" + event.lastEventId);
    document.body.dispatchEvent(new CustomEvent("levee:changed"));
  });
  events.addEventListener("error", () => { notLive.hidden = false; }); // it tries again by itself, unless it was refused
  events.addEventListener("over", () => { stop(); notLive.hidden = false; });
}
function stop() {
  events?.close();
  events = undefined;
}

// What somebody presses must stay where it is until they let go: else the press is lost, or meets something else. What comes meanwhile is
// not shown, but asked for again after the click, which comes a moment after a finger was lifted.
const clickComes = 300;
let pressed = false;
let missed = false;
let lettingGo;
addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return; // it opens a menu, which may keep for itself that the button was let go
  clearTimeout(lettingGo);
  pressed = true;
});
function letGo() {
  clearTimeout(lettingGo);
  lettingGo = setTimeout(() => {
    pressed = false;
    if (missed) document.body.dispatchEvent(new CustomEvent("levee:changed"));
    missed = false;
  }, clickComes);
}
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, letGo);
document.addEventListener("htmx:before:swap", (event) => {
  if (!pressed) return;
  event.preventDefault();
  missed = true;
});

document.addEventListener("visibilitychange", () => { document.hidden ? stop() : listen(); });
addEventListener("pagehide", stop);
addEventListener("pageshow", listen);
document.addEventListener("htmx:error", () => { notLive.hidden = false; });
listen();
