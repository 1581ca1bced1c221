// Says when newer messages have arrived; the page itself never moves under its reader.
const shown = Number(document.body.dataset.latest);
const news = document.getElementById("news");

setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch("/api/summary").catch(() => null);
  if (!answer?.ok) return;
  const count = (await answer.json()).latest - shown;
  if (count <= 0) return;
  news.textContent = count === 1 ? "1 new message, show it" : `${count} new messages, show them`;
  news.hidden = false;
}, 3000);
