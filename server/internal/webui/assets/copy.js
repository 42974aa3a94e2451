// Copies the text of a report. Without this file it is selected and copied by hand.
const text = document.getElementById("text");
const copy = document.getElementById("copy");
if (text && copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    text.select();
    await navigator.clipboard.writeText(text.value);
    copy.textContent = copy.dataset.copied;
  });
}
