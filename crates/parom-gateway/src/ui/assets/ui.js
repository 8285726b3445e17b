// What a page does more with a script than without: questions before what cannot be undone, all rows at once, and a page
// that is always as the store is. Every page works without it.
'use strict';

document.addEventListener('click', (event) => {
  const asked = event.target.closest('[data-ask]');
  if (asked && !confirm(asked.dataset.ask)) event.preventDefault();
});

document.addEventListener('change', (event) => {
  const name = event.target.dataset && event.target.dataset.all;
  if (!name) return;
  for (const box of event.target.form.elements) if (box.name === name) box.checked = event.target.checked;
});

// The page is asked for again when something changed, unless somebody is at work in it.
const live = document.body.dataset.live;
if (live && window.EventSource) {
  let touched = false;
  let waiting = null;
  const main = document.getElementById('main');
  document.addEventListener('input', () => { touched = true; });
  const busy = () => touched || document.querySelector('details[open], main :focus, main :checked:not(option)');
  const again = async () => {
    waiting = null;
    if (busy() || document.hidden) return;
    const answer = await fetch(location.href, { headers: { 'Accept': 'text/html' } });
    if (!answer.ok || answer.redirected) return;
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('main');
    if (next && !busy() && next.innerHTML !== main.innerHTML) main.innerHTML = next.innerHTML;
  };
  // A browser has few connections to one address: a page that nobody sees lets go of its own.
  let source = null;
  const listen = () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source) {
      source = new EventSource(live);
      source.addEventListener('changed', () => { waiting = waiting || setTimeout(again, 300); });
    }
  };
  document.addEventListener('visibilitychange', listen);
  listen();
}

// What a sample would become, while the mapping is typed.
for (const form of document.querySelectorAll('form[data-preview]')) {
  let timer = null;
  let asked = 0;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const turn = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set('act', 'preview');
      const answer = await fetch(location.href, { method: 'POST', body });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById(form.dataset.preview);
      if (next && turn === asked) document.getElementById(form.dataset.preview).innerHTML = next.innerHTML;
    }, 300);
  });
}
