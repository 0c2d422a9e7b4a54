// What makes the pages quicker. Everything works without it, but for keys; what it copies is shown then.
const root = document.documentElement, $ = (q, of = document) => of.querySelector(q), $$ = (q, of = document) => [...of.querySelectorAll(q)];

// Light, dark, or as the system has it: from there first to what is another one to see.
// The server sets data-theme from the cookie.
function turn(button) {
  const order = matchMedia("(prefers-color-scheme: dark)").matches ? ["", "light", "dark"] : ["", "dark", "light"];
  const next = order[(order.indexOf(root.dataset.theme ?? "") + 1) % 3];
  if (next) root.dataset.theme = next; else delete root.dataset.theme;
  keep("theme", next);
  say(button.dataset[next || "system"]);
}

// Kept for the pages of this browser, for a year.
const keep = (name, value) => { document.cookie = `${name}=${value};path=/ui/;max-age=${value ? 31536000 : 0};samesite=lax`; };

document.addEventListener("click", e => {
  const on = q => e.target.closest(q);
  const theme = on("[data-theme-toggle]");
  if (theme) turn(theme);
  const copy = on("[data-copy]");
  if (copy) toClipboard(copy.dataset.copy).then(() => say(copy.dataset.done), () => {});
  if (on("[data-open]")) $("#keys").showModal();
  if (on("[data-close]")) on("dialog")?.close();
  const more = $("details.more[open]");
  if (more && !on("details.more")) more.open = false;
});

// A search that goes on by itself stops where it is, with all that it has found, and
// goes on from there. A request that it was about to make is not made, either.
document.addEventListener("click", e => {
  const link = e.target.closest("[data-stop]");
  if (!link || !window.htmx || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  const more = link.closest("[hx-get]"), text = $("[data-other]", link);
  [text.textContent, text.dataset.other] = [text.dataset.other, text.textContent];
  htmx.trigger(more, more.toggleAttribute("data-stopped") ? "htmx:abort" : "go");
});
document.addEventListener("htmx:beforeRequest", e => { if (e.target.matches("[data-stopped]")) e.preventDefault(); });

// A page that came by plain http has no clipboard, but for the old way to it.
async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const at = document.activeElement, box = document.body.appendChild(document.createElement("textarea"));
  box.className = "vh";
  box.value = text;
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  at.focus();
  if (!done) throw new Error("not copied");
}

// Said for a moment, and to screen readers by the one live region of the page; to them
// alone what stands on the page already.
const box = document.body.appendChild(document.createElement("div"));
box.id = "say";
box.role = "status";
let quiet;
function say(text, heard = false) {
  box.className = heard ? "vh" : "toast";
  box.textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { box.textContent = ""; }, 5000);
}

// Keys; never while somebody writes, nor where somebody has switched them off.
let waiting = "";
const places = { o: "", e: "events", d: "deliveries", f: "forms", r: "rules", w: "routes", p: "playground", c: "connections", k: "config", s: "scheduled", i: "digests", t: "tables" };
document.addEventListener("keydown", e => {
  if (!$("#single")?.checked || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog[open]")) return;
  if (waiting === "g" && e.key in places) { location.href = "/ui/" + places[e.key]; waiting = ""; return; }
  waiting = e.key === "g" ? "g" : "";
  const rows = $$("[data-rows] a[data-row]"), at = rows.indexOf(document.activeElement);
  const go = n => rows[Math.max(0, Math.min(rows.length - 1, n))]?.focus();
  const press = k => { const b = $(`[data-key="${k}"]`); if (b) { e.preventDefault(); b.click(); } };
  if (e.key === "/") { const q = $("[name=q]"); if (q) { e.preventDefault(); q.focus(); } else location.href = "/ui/events"; }
  else if (e.key === "j") go(at + 1);
  else if (e.key === "k") go(at - 1);
  else if (e.key === "?") $("#keys").showModal();
  else press(e.key);
});

// A page that waits for something is asked for again: its parts change where they say
// something else, but for one in which somebody is at work. What somebody has opened or
// closed in one stays so.
const shown = part => part.outerHTML.replace(/name="csrf" value="[^"]*"/g, ""); // a token is another one each time
async function renew(address, signal) {
  const answer = await fetch(address, { signal }).catch(() => null);
  if (!answer || answer.redirected || answer.status >= 500) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  $$("[data-part]").forEach(part => {
    const other = fresh.getElementById(part.id);
    if (!other || part.contains(document.activeElement)) return;
    local(other);
    const summary = d => $("summary", d).textContent, open = new Map($$("details", part).map(d => [summary(d), d.open]));
    $$("details", other).forEach(d => { d.open = open.get(summary(d)) ?? d.open; });
    if (shown(other) === shown(part)) return;
    const said = other.textContent !== part.textContent;
    part.replaceWith(other);
    if (said && other.dataset.say) say(other.dataset.say, true);
  });
  return true;
}
(function poll() {
  const seconds = $("[data-poll]")?.dataset.poll;
  if (seconds) setTimeout(async () => { if (!document.hidden) await renew(location.href); poll(); }, seconds * 1000);
})();

// What comes in is announced, and what one looks at stays where it is. A page that
// nobody sees lets go of its connection; it is told later of what came meanwhile. One
// that has lost it says so, once a second try has failed, too, for the server ends a
// stream now and then; and tries again ever more rarely where the browser does not.
const live = $("[data-live]");
if (live) {
  const fresh = new Set(), { single, many, lost } = live.dataset;
  let stream, again, failed, refused;
  const mark = () => {
    const gone = failed > 1;
    live.ariaLive = gone ? "polite" : "off"; // counters are not read out
    live.hidden = !gone && !fresh.size;
    live.textContent = gone ? lost.replace("%s", write(performance.timeOrigin, "minute")) : fresh.size === 1 ? single : many.replace("%d", new Intl.NumberFormat(root.lang).format(fresh.size));
  };
  const listen = () => {
    stream?.close();
    clearTimeout(again);
    if (document.hidden) return;
    stream = new EventSource(live.dataset.live);
    stream.onopen = () => { failed = refused = 0; mark(); };
    stream.onerror = () => {
      failed++;
      mark();
      if (stream.readyState === EventSource.CLOSED) again = setTimeout(listen, Math.min(60, 1.5 * 2 ** ++refused) * 1000);
    };
    stream.addEventListener("new", e => { fresh.add(e.data); mark(); });
  };
  const begin = () => { failed = refused = 0; listen(); };
  document.addEventListener("visibilitychange", begin);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", e => e.persisted && begin());
  begin();
}

// What is typed into the playground is tried after a moment, and stands in the
// address; another try takes the place of one that is under way.
let trial, trying;
document.addEventListener("input", e => {
  const form = e.target.closest("form[data-try]");
  if (!form || e.target.matches("select")) return;
  clearTimeout(trial);
  trial = setTimeout(() => {
    trying?.abort();
    trying = new AbortController();
    const address = form.action + "?" + new URLSearchParams(new FormData(form));
    history.replaceState(null, "", address); // also where there is no answer, as without a session
    renew(address, trying.signal);
  }, 300);
});

// What is typed into a form with data-draft stays in this tab until what the form asks
// for is done: a reload, a login or a refusal in between loses nothing. It is put back for
// an hour, for the same visitor, and forgotten at a sign-out. Of a form with data-typed
// all that it holds was typed, and refused: before says in which forms it was first.
let drafts = {};
try { drafts = sessionStorage; } catch { /* switched off */ }
const nameOf = form => `draft of ${form.dataset.draft}: ${form.action}${location.search}`;
const typed = form => [...form.elements].filter(f => f.name && f.type !== "hidden" && (f.matches("select") ? f.selectedIndex > 0 : f.value !== ("typed" in form.dataset ? "" : f.defaultValue))).map(f => [f.name, f.value]);
const draftOf = form => JSON.parse(drafts[nameOf(form)] ?? "{}");
function keepTyped(form, refused) {
  const values = typed(form), before = refused ?? draftOf(form).before ?? "";
  if (values.length) drafts[nameOf(form)] = JSON.stringify({ at: Date.now(), values, before });
  else delete drafts[nameOf(form)];
}
document.addEventListener("input", e => {
  const form = e.target.closest("form[data-draft]");
  if (form) keepTyped(form);
});
document.addEventListener("submit", e => {
  if (e.target.matches("[data-draft]")) {
    drafts.sent = (drafts.sent ?? "") + nameOf(e.target) + "\n" + (draftOf(e.target).before ?? "");
    e.target.elements.draft.disabled = drafts instanceof Storage; // else the server has the next page hold it
  }
  if (e.target.matches('[action^="/ui/logout"]')) Object.keys(drafts).forEach(name => delete drafts[name]);
});
if ($("#main > .note.ok")) drafts.sent?.split("\n").forEach(name => delete drafts[name]);
if (!$("form[data-typed]")) delete drafts.sent;
Object.keys(drafts).filter(name => name.startsWith("draft of ") && !(Date.now() - JSON.parse(drafts[name]).at < 3600000)).forEach(name => delete drafts[name]);
$$("form[data-typed]").forEach(form => keepTyped(form, drafts.sent));
$$("form[data-draft]:not([data-typed])").forEach(form => {
  const { values } = draftOf(form);
  if (!values) return;
  values.forEach(([name, value]) => { const field = form.elements[name]; if (field) field.value = value; });
  const closed = form.closest("details");
  if (closed) closed.open = true;
  say(form.dataset.again);
});

// A view of a list is in the URL: a changed choice is a new page.
document.addEventListener("change", e => {
  if (e.target.matches("select[data-submit]")) e.target.form.requestSubmit();
  if (e.target.id === "single") keep("keys", e.target.checked ? "" : "off");
});

// Times as the browser's zone has them; the server writes its own. English ones are
// written as the server writes them, the day before the month.
const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions(), locale = root.lang === "en" ? "en-GB" : root.lang;
const clock = { time: { hour: "2-digit", minute: "2-digit", second: "2-digit" }, minute: { hour: "2-digit", minute: "2-digit" }, day: { day: "numeric", month: "short" }, full: { dateStyle: "medium", timeStyle: "medium" }, date: { dateStyle: "full" }, title: { dateStyle: "full", timeStyle: "long" } };
const write = (at, kind) => new Intl.DateTimeFormat(locale, { ...clock[kind], hourCycle: "h23" }).format(at);
const isToday = at => write(at, "date") === write(new Date(), "date");

// A list by days is parted anew, for what is one day there may be two here.
function parted(table) {
  const heads = $$(".day", table), old = $$("tbody", table);
  let day, body;
  $$("tbody tr:not(.day)", table).forEach(row => {
    const at = write(new Date($("time", row).dateTime), "date");
    if (at !== day) {
      const head = heads[0].cloneNode(true);
      head.firstElementChild.textContent = day = at;
      body = table.appendChild(document.createElement("tbody"));
      body.append(head);
    }
    body.append(row);
  });
  old.forEach(b => b.remove());
}

function local(of) {
  $$("time[datetime]", of).forEach(t => {
    const at = new Date(t.dateTime), as = t.dataset.as;
    t.textContent = write(at, as === "when" ? isToday(at) ? "minute" : "day" : as);
    t.title = write(at, "title") + ` (${zone})`;
  });
  $$("table:has(.day)", of).forEach(parted);
}
local(document);

// What htmx puts on the page has its times, too; why a form's wish was refused is shown
// as any other answer is.
document.addEventListener("htmx:load", e => e.detail.elt === document.body || local(e.detail.elt));
document.addEventListener("htmx:beforeSwap", e => { if (e.detail.xhr.status === 400 && e.detail.elt.matches("form")) e.detail.shouldSwap = true; });
