"use strict";
/* Draws /status, again and again. All that comes from the bridge is put in as text, never as markup. */
(() => {
  const EVERY = 2000, PATIENCE = 5000, LOST = 2, SEARCH = 9, SHOWN = 8;
  const TONES = { live: "good", verifying: "good", relisting: "calm", starting: "calm", waiting: "calm", delayed: "warn", failed: "bad" };
  const $ = (id) => document.getElementById(id);
  const rows = new Map();
  let status = null, arrived = 0, misses = 0, why = "", hours = 0;

  const now = () => status.now + (performance.now() - arrived) / 1000;
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const make = (name, text, kind) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  function span(seconds, fine) {
    const s = Math.max(0, seconds);
    if (fine && s < 10) return `${s.toFixed(1)} s`;
    if (s < 100) return `${Math.round(s)} s`;
    if (s < 5400) return `${Math.round(s / 60)} min`;
    if (s < 129600) return `${(s / 3600).toFixed(1)} h`;
    return `${Math.round(s / 86400)} days`;
  }
  const ago = (time) => (time === null ? "never yet" : now() - time < 1 ? "now" : `${span(now() - time)} ago`);
  function size(bytes) {
    if (bytes < 1024) return `${bytes} B`;
    const units = ["KiB", "MiB", "GiB"];
    let value = bytes / 1024, at = 0;
    while (value >= 1024 && at < 2) { value /= 1024; at += 1; }
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
  }
  const pace = (rate) => (rate >= 100 ? Math.round(rate).toLocaleString("en") : rate >= 10 ? rate.toFixed(0) : rate.toFixed(1));
  function clock(time) {
    const date = new Date(time * 1000), today = new Date(now() * 1000).toDateString() === date.toDateString();
    const hour = date.toLocaleTimeString("en-GB");
    return today ? hour : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${hour}`;
  }
  const latest = (stream) => stream.rates[stream.rates.length - 1] || 0;
  const age = (stream) => (stream.positionTime === null ? null : Math.max(0, now() - stream.positionTime));
  const tone = (stream) => (stream.ready ? TONES[stream.state] || "calm" : stream.positionTime === null && TONES[stream.state] === "calm" ? "calm" : "bad");

  function symbol(node, name) {
    node.querySelector("use").setAttribute("href", `#${name}`);
  }
  function bar(node, share, kind) {
    node.firstElementChild.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
    node.dataset.tone = kind;
  }

  function spark(node, stream) {
    const rates = stream.rates, peak = Math.max(...rates, 1), wide = 120 / (rates.length - 1);
    const points = rates.map((rate, at) => `${(at * wide).toFixed(1)},${(27 - 25 * rate / peak).toFixed(1)}`).join("L");
    node.querySelector(".line").setAttribute("d", `M${points}`);
    node.querySelector(".area").setAttribute("d", `M0,28L${points}L120,28Z`);
    const minutes = Math.round(rates.length * status.rateStep / 60);
    node.setAttribute("aria-label", `Records per second in the last ${minutes} minutes: now ${pace(latest(stream))}, at most ${pace(Math.max(...rates))}`);
  }

  function born(name) {
    const node = $("stream").content.firstElementChild.cloneNode(true), more = node.querySelector(".more"), details = node.querySelector(".details");
    details.id = `details-${rows.size}`;
    more.setAttribute("aria-controls", details.id);
    node.querySelector(".name").append(...name.split(/(?<=[.])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part])));
    put(more.querySelector(".unseen"), `Details of ${name}`);
    more.addEventListener("click", () => {
      details.hidden = !details.hidden;
      more.setAttribute("aria-expanded", String(!details.hidden));
      draw();
    });
    rows.set(name, node);
    return node;
  }

  function drawStream(stream) {
    const node = rows.get(stream.name) || born(stream.name), part = (name) => node.querySelector(name), old = age(stream);
    node.dataset.tone = tone(stream);
    node.dataset.state = stream.state;
    put(part(".route"), [stream.resource === stream.name ? "" : stream.resource, stream.topics.join(", ")].filter(Boolean).join(" → "));
    part(".state").dataset.tone = stream.ready || node.dataset.tone === "calm" ? TONES[stream.state] || "calm" : TONES[stream.state] === "warn" ? "warn" : "bad";
    symbol(part(".state"), stream.state);
    put(part(".state span"), stream.state);
    const stale = old !== null && old > stream.staleAfter;
    put(part(".age"), old === null ? "none yet" : old < 1 ? "now" : `${span(old)} old`);
    put(part(".age-more"), `limit ${span(stream.staleAfter)}`);
    put(part(".position"), stale ? "Position is stale" : "Position");
    if (stale) part(".position").dataset.tone = "bad"; else delete part(".position").dataset.tone;
    const bars = node.querySelectorAll(".bar");
    bar(bars[0], old === null ? 0 : old / stream.staleAfter, stale ? "bad" : old > 0.7 * stream.staleAfter ? "warn" : "good");
    put(part(".now"), `${pace(latest(stream))} /s`);
    put(part(".now-more"), `peak ${pace(Math.max(...stream.rates))}`);
    spark(part(".spark"), stream);
    const waiting = stream.lag, full = stream.bufferLimit ? stream.bufferBytes / stream.bufferLimit : 0;
    put(part(".lag"), waiting < 0.1 ? "none" : waiting < 10 ? `${waiting.toFixed(1)} s` : span(waiting));
    put(part(".lag-more"), `${size(stream.bufferBytes)} wait`);
    bar(bars[1], full, full > 0.8 ? "bad" : full > 0.4 ? "warn" : "good");
    const restart = stream.restarts[stream.restarts.length - 1];
    put(part(".epoch"), restart ? ago(restart.time) : "none yet");
    put(part(".epoch-more"), restart ? restart.reason : "");
    const trouble = stream.trouble || (stream.ready ? "" : stream.why);
    put(part(".trouble"), trouble);
    part(".trouble").dataset.tone = stream.state === "failed" || !stream.ready ? node.dataset.tone : "warn";
    part(".trouble").hidden = !trouble || (node.dataset.tone === "calm" && !stream.trouble);
    if (!part(".details").hidden) drawDetails(part(".details"), stream);
    return node;
  }

  function drawDetails(node, stream) {
    const facts = [
      ["In this state since", ago(stream.since)], ["Epoch", stream.epoch === null ? "none yet" : String(stream.epoch)],
      ["Resource version", stream.resourceVersion === null ? "none yet" : stream.resourceVersion],
      ["Last word of the API server", ago(stream.lastFrameTime)], ["Last verified", stream.verifiedTime === null ? "not needed yet" : ago(stream.verifiedTime)],
      ["Objects", stream.objects === null ? "unknown" : stream.objects.toLocaleString("en")],
      ["Buffer", `${size(stream.bufferBytes)} of ${size(stream.bufferLimit)}`],
      ["Records since here", stream.records.toLocaleString("en")], ["Fresh starts after a failure", String(stream.recoveries)],
    ];
    node.querySelector(".facts").replaceChildren(...facts.flatMap(([name, text]) => [make("dt", name), make("dd", text)]));
    const restarts = stream.restarts.slice().reverse().map((restart) => {
      const item = make("li"), text = make("span");
      item.append(make("span", clock(restart.time), "quiet"), text);
      text.append(make("b", restart.reason), document.createTextNode(restart.gapBegan === null ? "" : restart.synced === null ? " · gap lasts" : ` · gap of ${span(restart.synced - restart.gapBegan, true)}`));
      if (restart.message) item.append(make("span", restart.message, "quiet said"));
      return item;
    });
    node.querySelector(".restarts").replaceChildren(...(restarts.length ? restarts : [make("li", "none that this process knows of", "quiet")]));
  }

  function drawStreams() {
    const wanted = $("filter").value.trim().toLowerCase(), list = $("streams");
    const shown = status.streams.filter((stream) => stream.name.toLowerCase().includes(wanted));
    const rank = (stream) => ["bad", "warn"].indexOf(stream.state === "delayed" && stream.ready ? "warn" : tone(stream)) >>> 0;
    shown.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
    for (const name of rows.keys()) if (!status.streams.some((stream) => stream.name === name)) { rows.get(name).remove(); rows.delete(name); }
    const nodes = shown.map(drawStream);
    if (nodes.length !== list.children.length || nodes.some((node, at) => list.children[at] !== node)) list.replaceChildren(...nodes);
    $("search").hidden = status.streams.length < SEARCH;
    $("empty").hidden = nodes.length > 0;
    put($("empty"), status.streams.length ? "No stream has this in its name." : status.group && status.group.member ? "No stream is given to this replica now. It is ready to take over." : "No stream runs here yet.");
  }

  function drawTiles() {
    const streams = status.streams, total = streams.length + status.elsewhere.length;
    const ages = streams.filter((stream) => stream.positionTime !== null).sort((a, b) => age(b) / b.staleAfter - age(a) / a.staleAfter);
    const lags = streams.slice().sort((a, b) => b.lag - a.lag), rate = streams.reduce((sum, stream) => sum + latest(stream), 0);
    $("tile-streams").replaceChildren(document.createTextNode(String(streams.length)), make("small", ` of ${total}`));
    put($("tile-streams-more"), status.elsewhere.length ? `${plural(status.elsewhere.length, "stream")} not on this replica` : "all that are configured");
    put($("tile-age"), ages.length ? (age(ages[0]) < 1 ? "now" : span(age(ages[0]))) : "none yet");
    put($("tile-age-more"), ages.length ? ages[0].name : "no position is committed");
    $("tile-rate").replaceChildren(document.createTextNode(pace(rate)), make("small", " /s"));
    put($("tile-rate-more"), `${streams.reduce((sum, stream) => sum + stream.records, 0).toLocaleString("en")} since the start`);
    put($("tile-lag"), !lags.length || lags[0].lag < 0.1 ? "none" : lags[0].lag < 10 ? `${lags[0].lag.toFixed(1)} s` : span(lags[0].lag));
    put($("tile-lag-more"), `${size(streams.reduce((sum, stream) => sum + stream.bufferBytes, 0))} wait`);
  }

  function drawGaps() {
    if (!hours) hours = now() - status.started < 3600 ? 1 : 6;
    for (const button of document.querySelectorAll(".spans button")) button.setAttribute("aria-pressed", String(Number(button.dataset.hours) === hours));
    const until = now(), from = until - hours * 3600, wide = until - from, place = (time) => 100 * (Math.max(time, from) - from) / wide;
    const gaps = status.streams.flatMap((stream) => stream.gaps.filter((gap) => gap.ended === null || gap.ended > from).map((gap) => ({ stream, gap })));
    gaps.sort((a, b) => b.gap.began - a.gap.began);
    const names = [...new Set(gaps.map((each) => each.stream.name))].sort(), quiet = status.streams.length - names.length;
    const known = status.started > from ? ` This process has looked since ${clock(status.started)}${gaps.length ? " (hatched: before)" : ""}.` : "";
    put($("gaps-told"), (gaps.length ? `${plural(gaps.length, "gap")} in ${plural(names.length, "stream")} in the last ${hours} h.${quiet ? ` The other ${quiet === 1 ? "stream" : `${quiet} streams`} had none.` : ""}` : `No gap in the last ${hours} h.`) + known);
    const lines = names.map((name) => {
      const line = make("div"), track = make("div", undefined, "track");
      if (status.started > from) { const unknown = make("i", undefined, "unknown"); unknown.style.width = `${place(status.started)}%`; track.append(unknown); }
      for (const each of gaps) if (each.stream.name === name) {
        const gap = make("i", undefined, each.gap.ended === null ? "gap open" : "gap");
        gap.style.left = `min(${place(each.gap.began)}%, 100% - 4px)`;
        gap.style.width = `${place(each.gap.ended === null ? until : each.gap.ended) - place(each.gap.began)}%`;
        track.append(gap);
      }
      line.append(make("span", name), track);
      return line;
    });
    if (lines.length) {
      const axis = make("div"), marks = make("div", undefined, "axis");
      for (const share of [1, 0.75, 0.5, 0.25, 0]) marks.append(make("span", share ? `${hours * share >= 1 ? `${hours * share} h` : `${hours * share * 60} min`} ago` : "now"));
      marks.firstElementChild.dataset.far = "";
      axis.append(make("span"), marks);
      lines.push(axis);
    }
    $("lines").replaceChildren(...lines);
    $("gaps").replaceChildren(...gaps.slice(0, SHOWN).map(({ stream, gap }) => {
      const item = make("li"), length = (gap.ended === null ? until : gap.ended) - gap.began;
      item.append(make("b", stream.name), document.createTextNode(` ${gap.reasons.filter((reason, at) => gap.reasons.indexOf(reason) === at).join(", ")} `));
      const first = clock(gap.began), last = gap.ended === null ? first : clock(gap.ended);
      item.append(make("span", `${gap.ended === null ? `since ${first}, lasts` : first === last ? first : `${first} to ${last}`}, ${span(length, true)}`, "quiet"));
      return item;
    }), ...(gaps.length > SHOWN ? [make("li", `and ${gaps.length - SHOWN} more`, "quiet")] : []));
  }

  function drawNotices() {
    const found = [];
    if (misses >= LOST) found.push(["bad", "This page cannot reach the bridge.", status ? ` It says nothing since ${clock(status.now)}: what you see is from then. (${why})` : ` (${why})`]);
    if (status && misses < LOST) {
      if (status.stopping) found.push(["warn", "The bridge is stopping.", " Its streams end in good order; another replica takes them over."]);
      if (status.rejected) found.push(["warn", "The changed config file is not in force.", ` ${status.rejected}`]);
      if (status.trouble) found.push([status.ready ? "warn" : "bad", status.ready ? "This replica waits." : "No stream can begin.", ` ${status.trouble}`]);
    }
    const key = JSON.stringify(found);
    if ($("notices").dataset.key === key) return;
    $("notices").dataset.key = key;
    $("notices").replaceChildren(...found.map(([kind, head, text]) => {
      const notice = make("p", undefined, "notice");
      notice.dataset.tone = kind;
      notice.append(make("b", head), document.createTextNode(text));
      return notice;
    }));
  }

  function drawVerdict() {
    const node = $("verdict"), lost = misses >= LOST;
    const sick = status ? status.streams.filter((stream) => !stream.ready) : [], began = sick.every((stream) => tone(stream) === "calm");
    const late = status ? status.streams.filter((stream) => stream.state === "delayed").length : 0;
    let said = ["calm", "waiting", "Asking the bridge"];
    if (lost) said = ["bad", "failed", "Not reachable"];
    else if (status && status.stopping) said = ["warn", "delayed", "Stopping"];
    else if (status && status.ready && late) said = ["warn", "delayed", `Ready, ${late} delayed`];
    else if (status && status.ready) said = ["good", "live", status.streams.length ? "Ready" : "Ready to take over"];
    else if (status && began) said = ["calm", "starting", "Starting"];
    else if (status) said = ["bad", "delayed", `${sick.length} of ${status.streams.length} not ready`];
    node.dataset.tone = said[0];
    symbol(node, said[1]);
    put(node.querySelector("span"), said[2]);
    document.title = `${said[2]} · ${status ? status.name : "event-bridge"}`;
    put($("fresh"), status ? `as of ${clock(status.now)}` : "");
  }

  function draw() {
    drawNotices();
    drawVerdict();
    document.body.toggleAttribute("data-lost", misses >= LOST);
    if (!status) return;
    put($("name"), status.name);
    put($("where"), [status.cluster && `cluster ${status.cluster}`, `replica ${status.host}`, status.group ? (status.group.member ? plural(status.group.partitions, "partition") : "not in the group") : "standalone"].filter(Boolean).join(" · "));
    put($("about"), `kube-event-bridge ${status.version}, started ${clock(status.started)}`);
    for (const id of ["tiles", "streams-section", "gaps-section"]) $(id).hidden = false;
    if (misses >= LOST) return;
    drawTiles();
    drawStreams();
    drawGaps();
  }

  async function ask() {
    try {
      const answer = await fetch("status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      status = await answer.json();
      arrived = performance.now();
      misses = 0;
    } catch (error) {
      misses += 1;
      why = error.name === "TimeoutError" ? `no answer within ${PATIENCE / 1000} s` : error.message;
    }
    draw();
  }

  let turn = 0;
  async function go() {
    const mine = ++turn;
    while (mine === turn && !document.hidden) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }
  for (const button of document.querySelectorAll(".spans button")) button.addEventListener("click", () => {
    hours = Number(button.dataset.hours);
    if (status) drawGaps();
  });
  $("filter").addEventListener("input", () => status && drawStreams());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) go(); });
  setInterval(() => { if (status && misses < LOST && !document.hidden) draw(); }, 1000);
  go();
})();
