// The few things that HTML and htmx can't do. Without this file everything works, with the touch of a button more.

// The code of the link stands behind its "#", which is sent nowhere and kept in no log.
const enter = document.getElementById("enter");
if (enter && location.hash.length > 1) {
  enter.elements.code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  enter.submit();
}

// The tablet says when something has changed; what wants to know asks for itself.
if ("live" in document.body.dataset) {
  const events = new EventSource("/events");
  events.addEventListener("changed", () => document.body.dispatchEvent(new CustomEvent("levee:changed")));
  addEventListener("pagehide", () => events.close());

  // Only the browser knows what kind of network this is.
  const network = navigator.connection;
  if (network) {
    const tell = () => fetch("/network", { method: "POST", body: new URLSearchParams({ metered: network.saveData || network.type === "cellular" }) });
    network.addEventListener("change", tell);
    tell();
  }
  addEventListener("online", () => fetch("/network", { method: "POST", body: new URLSearchParams({ online: true }) }));
}

// Each tap of the counter has an id of its own, so that one that is sent again does not count again.
let taps = 0;
document.addEventListener("submit", (event) => {
  const tap = event.target.elements.namedItem("tap");
  if (tap) {
    tap.dataset.page ??= tap.value;
    tap.value = tap.dataset.page + "." + ++taps;
  }
}, true);
document.addEventListener("htmx:error", (event) => {
  const unanswered = document.getElementById("unanswered");
  if (unanswered && event.target.elements?.namedItem("tap")) unanswered.hidden = false;
});
const printing = document.querySelector("[data-print]");
if (printing) {
  printing.hidden = false;
  printing.addEventListener("click", () => print());
}
