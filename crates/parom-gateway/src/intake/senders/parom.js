/* Sends <form data-parom method="post" action="https://GATEWAY/in/CHANNEL">: each order is kept in localStorage until
 the gateway has it. What cannot be kept, the browser posts. */
(() => {
if (!AbortSignal.timeout) return; // older than 2022
const PRE = 'parom:', TIME = 'parom_time', doc = document, store = localStorage, tasks = {}; // key: {form, tries, busy, timer}
const TEXTS = {
 uk: ['Замовлення збережено, буде надіслано.', 'Прийнято, дякуємо!', 'Не прийнято.'],
 ru: ['Заказ сохранён, будет отправлен.', 'Принято, спасибо!', 'Не принято.'],
 en: ['Order kept, will be sent.', 'Accepted, thank you!', 'Not accepted.']
};
const orders = () => Object.keys(store).map(name => {
 try { return name.startsWith(PRE) && JSON.parse(store[name]); } catch (e) {}
}).filter(o => o && o.body && !o.refused && Date.now() - o.at < 6048e5); // 7 days
const drain = () => orders().forEach(o => send(o));
const web = url => /^https?:/.test(url = new URL(url, doc.baseURI).href) && url;
const lock = (form, on) => form.querySelectorAll('[type=submit],button:not([type])').forEach(b => b.disabled = on);

// When the form was opened, for channels that ask (docs/stop-spam.md).
const stamp = async field => {
 try {
  const url = new URL(field.closest('form').getAttribute('action'), doc.baseURI);
  url.pathname = url.pathname.replace(/\/in\/([^/]+).*/, '/form-time/$1');
  const got = await fetch(url);
  field.value = got.ok ? await got.text() : '';
 } catch (e) { setTimeout(stamp, 1e4, field); }
};
const stampAll = () => doc.querySelectorAll(`form[action] [name=${TIME}]`).forEach(stamp);

const language = () => doc.documentElement.lang || navigator.language;

function say(form, text, more = []) {
 const texts = TEXTS[language().slice(0, 2)] || TEXTS.uk;
 const place = form.querySelector((form.dataset.paromMessage || '_') + ',p[role=status]')
  || form.appendChild(doc.createElement('p'));
 place.setAttribute('role', 'status');
 place.textContent = [texts[text], ...more].join(' ');
}

function send(order, asker) {
 const { key, body, time } = order, data = new URLSearchParams(body), name = PRE + key, task = tasks[key] = tasks[key] || { tries: 0 };
 task.form = asker || task.form;
 time && data.set(TIME, time);
 if (task.busy) return;
 task.busy = true;
 clearTimeout(task.timer);
 const attempt = async mine => {
  if (!task.form && !store[name]) return; // another tab has sent it
  let status, wait, told = {};
  if (mine || task.form) try { // a form hears the answer; the key makes it safe
   const got = await fetch(order.action, {
    method: 'POST', body: data, signal: AbortSignal.timeout(15e3),
    keepalive: body.length < 6e4, // browsers take no more
    headers: { Accept: 'application/json', 'Accept-Language': language(), 'Idempotency-Key': key }
   });
   status = got.status;
   wait = Math.min(got.headers.get('Retry-After'), 3600);
   told = await got.json() || {};
  } catch (e) {}
  const refused = /^4(?!08|25|29)/.test(status) && told.message;
  if (!refused && !(status < 300 && told.id)) { // without either it was not the gateway
   task.busy = wait > 0; // no event goes before it
   wait = Math.max(wait || 0, Math.min(2 ** task.tries++, 60)) * (1e3 + 250 * Math.random());
   task.timer = setTimeout(() => { task.busy = false; send(order); }, wait);
   return;
  }
  const form = doc.contains(task.form) && task.form;
  delete tasks[key];
  Object.assign(told, { key, status });
  if (refused && !form) {
   store[name] = JSON.stringify(Object.assign(order, { refused: told }));
   console.error('parom: refused', told);
  } else delete store[name];
  (form || doc).dispatchEvent(new CustomEvent(PRE + (refused ? 'refused' : 'accepted'), { bubbles: true, detail: told }));
  if (!form) return;
  const thanks = !refused && form.dataset.paromThanks;
  thanks && web(thanks) ? location.assign(thanks) : lock(form);
  say(form, refused ? 2 : 1, Object.values(told.errors || [told.message]));
  if (refused) return;
  stampAll(); // it is good for one order
  form.reset(); // last: a field may have this name
 };
 const { locks } = navigator;
 locks ? locks.request(name, { ifAvailable: true }, attempt) : attempt(true);
}

// On window: after the site's own handlers.
addEventListener('submit', event => {
 const form = event.target, button = event.submitter;
 if (event.defaultPrevented || !form.matches('[data-parom][action][method=post i]')) return;
 try {
  const action = web(form.getAttribute('action')), fields = new URLSearchParams();
  if (!action || button && button.matches('[formaction]')) return;
  for (const [name, value] of new FormData(form)) {
   if (value.name) return; // a file
   fields.append(name, value.trim ? value : '');
  }
  if (button && button.name) fields.append(button.name, button.value);
  // Another origin sees only the site in Referer.
  new URLSearchParams(location.search).forEach((v, k) => /^utm_/.test(k) && !fields.get(k) && fields.set(k, v));
  if (!fields.has('page')) fields.set('page', doc.URL.split('#')[0]);
  const time = fields.get(TIME);
  fields.delete(TIME); // else a reload would make it another order
  const body = `${fields}`, key = crypto.getRandomValues(new Uint32Array(4)).join('-');
  // The same content while it waits: a double click, a reload.
  let order = orders().find(o => o.action === action && o.body === body);
  if (!order) store[PRE + key] = JSON.stringify(order = { action, body, key, time, at: Date.now() });
  event.preventDefault();
  send(order, form);
  lock(form, true);
  say(form, 0);
 } catch (e) {}
});
addEventListener('pagehide', () => doc.querySelectorAll('[data-parom]').forEach(f => lock(f)));
['online', 'pageshow', 'visibilitychange'].forEach(name => addEventListener(name, drain));
addEventListener('pageshow', event => event.persisted && stampAll());
window.Parom = { drain, pending: () => orders().length };
drain();
stampAll();
})();
