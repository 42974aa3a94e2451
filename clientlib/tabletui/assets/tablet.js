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
