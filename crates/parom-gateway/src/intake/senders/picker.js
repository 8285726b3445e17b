/* Turns <input data-np-city> and <input data-np-branch> of a form into a search for a town and a branch of Nova Poshta. The
 ref goes into a hidden field, the text stays in the inputs; when anything fails they are the plain inputs that they were. */
(() => {
const doc = document, tag = doc.currentScript, own = tag && (tag.dataset.gateway || tag.src);
if (!own || !window.AbortController || doc.paromPicker) return;
doc.paromPicker = true;
const TEXTS = {
 uk: { none: 'Немає збігів. Можна залишити так, як написано.', first: 'Спершу оберіть місто зі списку.', found: n => `Знайдено: ${n}. Оберіть стрілками та Enter.`, area: 'обл.', region: 'р-н', kg: 'кг', towns: 'Міста', branches: 'Відділення та поштомати' },
 ru: { none: 'Совпадений нет. Можно оставить так, как написано.', first: 'Сначала выберите город из списка.', found: n => `Найдено: ${n}. Выберите стрелками и Enter.`, area: 'обл.', region: 'р-н', kg: 'кг', towns: 'Города', branches: 'Отделения и почтоматы' },
 en: { none: 'Nothing found. You may leave what you typed.', first: 'Choose the town from the list first.', found: n => `Found: ${n}. Choose with the arrows and Enter.`, area: 'oblast', region: 'district', kg: 'kg', towns: 'Towns', branches: 'Branches and lockers' }
};
const asked = (doc.documentElement.lang || navigator.language || 'uk').slice(0, 2), lang = TEXTS[asked] ? asked : 'uk', T = TEXTS[lang];
let ids = 0, off = 0;

const STYLE = `.parom-np{position:absolute;z-index:2147483000;margin:2px 0 0;padding:0;list-style:none;background:#fff;color:#111;
border:1px solid #767676;border-radius:6px;box-shadow:0 6px 20px #0003;max-height:min(22rem,50vh);overflow-y:auto;font:inherit;text-align:left;box-sizing:border-box}
.parom-np[hidden]{display:none}
.parom-np li{min-height:44px;padding:6px 12px;display:flex;flex-direction:column;justify-content:center;cursor:pointer;line-height:1.3;overflow-wrap:anywhere}
.parom-np li[aria-selected=true]{background:#0b57d0;color:#fff}
.parom-np small{opacity:.85;font-size:.85em}
.parom-np-say{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}`;
try {
 const sheet = new CSSStyleSheet(); // a site's policy may forbid style elements
 sheet.replaceSync(STYLE);
 doc.adoptedStyleSheets = [...doc.adoptedStyleSheets, sheet];
} catch (e) {
 doc.head.appendChild(Object.assign(doc.createElement('style'), { textContent: STYLE }));
}

/* Rows of the gateway; nothing after a failure, and for a while no further question. */
async function ask(form, path, params, signal) {
 if (Date.now() < off) return null;
 const url = new URL(`/np/${path}`, own), channel = /\/in\/([^/?]+)/.exec(form.getAttribute('action') || '');
 if (channel) params.channel = decodeURIComponent(channel[1]);
 for (const [name, value] of Object.entries({ ...params, lang })) url.searchParams.set(name, value);
 try {
  const got = await fetch(url, { signal, credentials: 'omit' });
  if (!got.ok) throw got.status;
  return (await got.json())[path];
 } catch (e) {
  if (!signal.aborted) off = Date.now() + (e === 429 ? 2e3 : 15e3);
  return null;
 }
}

/* The form's own field for a ref, or a hidden one. */
function field(form, input, name) {
 name = input.dataset.npRef || name;
 const known = form.elements[name];
 return known && known !== input && 'value' in known ? known
  : form.appendChild(Object.assign(doc.createElement('input'), { type: 'hidden', name }));
}

/* A combobox with a list (WAI-ARIA APG): the focus stays in the input. */
function combobox(input, label, { search, show, pick, forget, chosen }) {
 const list = doc.createElement('ul'), say = doc.createElement('div'), id = `parom-np-${++ids}`;
 let rows = [], active = -1, timer, asking;
 Object.assign(list, { id, className: 'parom-np', hidden: true });
 list.setAttribute('role', 'listbox');
 list.setAttribute('aria-label', label);
 say.className = 'parom-np-say';
 say.setAttribute('role', 'status');
 (input.closest('dialog') || doc.body).append(list, say);
 for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', id], ['autocomplete', 'off'], ['spellcheck', 'false']]) input.setAttribute(name, value);

 function put() {
  const box = input.getBoundingClientRect(), base = list.offsetParent && list.offsetParent !== doc.body ? list.offsetParent.getBoundingClientRect() : { left: -scrollX, top: -scrollY };
  const below = innerHeight - box.bottom, height = Math.min(list.scrollHeight + 2, 352, innerHeight / 2);
  Object.assign(list.style, { left: `${box.left - base.left}px`, minWidth: `${box.width}px`, maxWidth: `${Math.max(box.width, Math.min(innerWidth - box.left - 8, 560))}px`,
   top: `${(below < height && box.top > below ? box.top - height - 4 : box.bottom) - base.top}px` });
 }
 function close() {
  clearTimeout(timer);
  asking && asking.abort();
  list.hidden = true;
  rows = [];
  active = -1;
  input.setAttribute('aria-expanded', 'false');
  input.removeAttribute('aria-activedescendant');
 }
 function mark(at) {
  const items = list.children;
  if (items[active]) items[active].setAttribute('aria-selected', 'false');
  active = at;
  if (!items[at]) return input.removeAttribute('aria-activedescendant');
  items[at].setAttribute('aria-selected', 'true');
  items[at].scrollIntoView({ block: 'nearest' });
  input.setAttribute('aria-activedescendant', items[at].id);
 }
 function choose(at) {
  const row = rows[at];
  close();
  say.textContent = '';
  input.value = pick(row);
  input.dispatchEvent(new Event('change', { bubbles: true }));
 }
 function open(found) {
  rows = found;
  active = -1;
  list.replaceChildren(...found.map((row, at) => {
   const item = doc.createElement('li'), [main, more] = show(row);
   item.id = `${id}-${at}`;
   item.setAttribute('role', 'option');
   item.setAttribute('aria-selected', 'false');
   item.append(main);
   if (more) item.append(Object.assign(doc.createElement('small'), { textContent: more }));
   item.addEventListener('mousedown', e => e.preventDefault()); // the focus stays
   item.addEventListener('click', () => choose(at));
   return item;
  }));
  list.hidden = false;
  input.setAttribute('aria-expanded', 'true');
  say.textContent = T.found(found.length);
  put();
 }
 async function look() {
  asking && asking.abort();
  const mine = asking = new AbortController(), found = await search(input.value.trim(), mine.signal);
  if (mine.signal.aborted || doc.activeElement !== input) return;
  if (Array.isArray(found) && found.length) return open(found);
  close();
  say.textContent = Array.isArray(found) ? T.none : found || '';
 }
 const later = wait => { clearTimeout(timer); timer = setTimeout(look, wait); };
 input.addEventListener('input', () => { forget(); later(180); });
 input.addEventListener('focus', () => chosen() || later(0));
 input.addEventListener('blur', close);
 input.addEventListener('keydown', e => {
  const { key } = e, last = rows.length - 1;
  if (e.isComposing || e.altKey || e.ctrlKey || e.metaKey) return;
  if (key === 'ArrowDown' || key === 'ArrowUp') {
   if (list.hidden) later(0);
   else mark(key === 'ArrowDown' ? (active < last ? active + 1 : 0) : (active > 0 ? active - 1 : last));
  } else if (list.hidden) return;
  else if (key === 'Enter' && active >= 0) choose(active);
  else if (key === 'Escape') close();
  else if (key === 'Tab' && active >= 0) return choose(active);
  else if (key === 'PageDown' || key === 'PageUp') mark(Math.max(0, Math.min(last, active + (key === 'PageDown' ? 6 : -6))));
  else return;
  e.preventDefault();
 });
 addEventListener('resize', () => list.hidden || put());
 addEventListener('scroll', () => list.hidden || put(), true);
}

const where = town => [town.region && `${town.region} ${T.region}`, town.area && `${town.area} ${T.area}`].filter(Boolean).join(', ').replace(/ р-н р-н/, ' р-н');

function attach(form, city, branch) {
 const refs = { settlement: field(form, city, 'np_settlement_ref'), branch: branch && field(form, branch, 'np_warehouse_ref') };
 let towns = [];
 const noBranch = () => { if (branch && refs.branch.value) { refs.branch.value = ''; branch.value = ''; } };
 const take = town => { refs.settlement.value = town.ref; };
 combobox(city, T.towns, {
  search: async (q, signal) => q.length < 2 ? '' : towns = await ask(form, 'settlements', { q }, signal),
  show: town => [town.name, where(town)],
  pick: town => {
   noBranch();
   take(town);
   // Where a name is not the only one, its place goes along.
   return towns.filter(other => other.name === town.name).length > 1 && where(town) ? `${town.name} (${where(town)})` : town.name;
  },
  forget: () => { refs.settlement.value = ''; noBranch(); },
  chosen: () => refs.settlement.value
 });
 if (!branch) return;
 combobox(branch, T.branches, {
  search: async (q, signal) => {
   const name = city.value.trim().toLowerCase();
   if (!refs.settlement.value && name.length > 1) {
    const found = (await ask(form, 'settlements', { q: name }, signal) || []).filter(town => town.name.toLowerCase() === name);
    if (found.length === 1) take(found[0]); // typed, and there is no other
   }
   if (!refs.settlement.value) return Date.now() < off ? '' : T.first;
   return ask(form, 'warehouses', { settlement_ref: refs.settlement.value, q, limit: 50 }, signal);
  },
  show: row => [row.text, row.max_weight_kg && !/кг/.test(row.text) ? `≤ ${row.max_weight_kg} ${T.kg}` : ''],
  pick: row => { refs.branch.value = row.ref; return row.text; },
  forget: () => { refs.branch.value = ''; },
  chosen: () => refs.branch.value
 });
 form.addEventListener('reset', () => { refs.settlement.value = refs.branch.value = ''; });
}

function start() {
 doc.querySelectorAll('form [data-np-city]').forEach(city => {
  const form = city.closest('form');
  if (city.getAttribute('role') === 'combobox') return;
  try { attach(form, city, form.querySelector('[data-np-branch]')); } catch (e) { console.error('parom: picker', e); }
 });
}
window.ParomPicker = { start }; // for forms that come later
doc.readyState === 'loading' ? doc.addEventListener('DOMContentLoaded', start) : start();
})();
