// The dashboard's keys and small helps. Everything works without them: what they press are links, boxes and buttons of the page.
"use strict";

(() => {
  const rows = () => Array.from(document.querySelectorAll(".pile .alerts li:not(.budget)"));
  const search = document.querySelector(".top input[type=search]");
  const keys = document.querySelector("details.keys");
  const strip = document.querySelector("[data-strip]");
  let at = -1;

  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    at = Math.min(Math.max(at + step, 0), all.length - 1);
    all[at].querySelector(".what a").focus();
    all[at].scrollIntoView({ block: "nearest" });
  };
  const press = (selector) => {
    const found = document.querySelector(selector);
    if (found) found.click();
  };
  const doing = {
    j: () => go(1),
    k: () => go(-1),
    x: () => {
      const all = rows();
      if (at >= 0 && all[at]) all[at].querySelector(".pick input").click();
    },
    e: () => {
      const cause = document.getElementById("cause");
      if (cause && cause.offsetParent) cause.focus();
    },
    a: () => press("button[name=act][value=assigned]"),
    "/": () => search && search.focus(),
    "?": () => {
      if (!keys) return;
      keys.open = !keys.open;
      keys.scrollIntoView({ block: "nearest" });
    },
  };

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest(".pile .alerts li:not(.budget)");
    if (row) at = rows().indexOf(row);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in doing)) return;
    event.preventDefault();
    doing[event.key]();
  });

  // The search box takes a picture too: one that is pasted, or dropped on it, is sent as the page "Codes" sends it.
  const box = document.querySelector("form.search");
  if (box) {
    const send = (event, files) => {
      const picture = Array.from(files || []).find((file) => file.type.startsWith("image/"));
      if (!picture) return;
      event.preventDefault();
      const held = new DataTransfer();
      held.items.add(picture);
      const file = document.createElement("input");
      Object.assign(file, { type: "file", name: "photo", hidden: true, files: held.files });
      // A form of its own, and gone at once: the box stays what it is for whatever is typed into it next.
      const form = document.createElement("form");
      Object.assign(form, { method: "post", enctype: "multipart/form-data", action: box.dataset.photo, hidden: true });
      form.append(box.querySelector("[name=csrf_token]").cloneNode(), file);
      document.body.append(form);
      form.submit();
      form.remove();
    };
    box.addEventListener("paste", (event) => send(event, event.clipboardData.files));
    box.addEventListener("dragover", (event) => event.preventDefault());
    box.addEventListener("drop", (event) => send(event, event.dataTransfer.files));
  }

  // The list of alerts: what became news since it was drawn is told by a link that loads the list again. Nothing moves
  // by itself, and nothing is asked for while nobody sees the page.
  const pill = document.querySelector("[data-news]");
  if (pill) {
    const every = 30000;
    let asked = Date.now();
    let over = false;
    const ask = async () => {
      if (over || document.hidden || Date.now() - asked < every - 1000) return;
      asked = Date.now();
      try {
        const answer = await fetch(pill.dataset.news, { redirect: "manual" });
        over = answer.type === "opaqueredirect"; // the session has ended
        if (!answer.ok) return;
        const found = (await answer.json()).new;
        const most = Number(pill.dataset.most);
        if (found) pill.textContent = found < most ? `${found} new` : `${most} new or more`;
        pill.hidden = !found;
      } catch {
        // The server is out of reach; it is asked again.
      }
    };
    setInterval(ask, every);
    document.addEventListener("visibilitychange", ask);
  }

  // The settings: the zone of this device is one press away; it is kept only when the form is sent.
  const zone = document.getElementById("zone");
  const proposal = document.getElementById("this-zone");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && proposal && here && here !== zone.value) {
    proposal.textContent = `Take this device's: ${here}`;
    proposal.hidden = false;
    proposal.addEventListener("click", () => {
      zone.value = here;
      zone.focus();
    });
  }

  // A batch's strip: drawing over it with the mouse selects a range and fills the two fields beside it.
  if (strip) {
    const count = Number(strip.dataset.strip);
    const [first, last] = ["first", "last"].map((name) => document.getElementById(name));
    const index = (event) => {
      const box = strip.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      return Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    };
    let begun = null;
    let moved = false;
    strip.addEventListener("pointerdown", (event) => {
      begun = index(event);
      moved = false;
    });
    strip.addEventListener("pointermove", (event) => {
      if (begun === null || !event.buttons) return;
      moved = true;
      const now = index(event);
      first.value = Math.min(begun, now);
      last.value = Math.max(begun, now);
    });
    strip.addEventListener("dragstart", (event) => event.preventDefault());
    strip.addEventListener("click", (event) => {
      if (moved) event.preventDefault();
      if (moved) first.form.requestSubmit();
    }, true);
  }
})();
