// The code of a link stands behind its "#", which no browser sends and no log keeps. It is put into the field, and taken
// out of the address, so that it is not kept among the pages visited either.
const field = document.getElementById("field-code");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
}
