'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const list = $('letters'), tools = $('tools'), find = $('find'), pane = $('pane'), overview = $('overview'), help = $('help');
  const filters = ['language', 'group', 'mark'].map($);
  const wide = matchMedia('(min-width: 62rem)');
  const MOST = 200; // Rows that a search of a large batch draws.
  const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

  // A name that Windows takes for a device names no file.
  const pageOf = (id) => `letters/${encodeURIComponent(id.replace(/^(con|prn|aux|nul|(?:com|lpt)\d)(?=\.|$)/i, '$1~'))}.html`;

  const without = JSON.parse($('without').textContent);
  const stored = $('rows');
  const entries = stored
    ? JSON.parse(stored.textContent).map((row) => ({ row, id: row[0], language: row[2], group: row[3], marks: row[7].split(' ') }))
    : [...list.children].map((li) => ({ li, id: li.dataset.id, language: li.dataset.language, group: li.dataset.group, marks: li.dataset.marks.split(' ') }));
  const textOf = (entry) => (entry.text ??= fold(entry.row ? [...entry.row.slice(0, 7), entry.row[8], entry.row[10]].join(' ') : `${entry.id} ${entry.li.textContent} ${entry.li.dataset.more}`));

  // Values become text, never markup.
  function element(name, kind, text) {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    made.textContent = text;
    return made;
  }

  function draw(entry) {
    const [id, name, language, , size, to, subject, words, texts, tongue] = entry.row;
    const li = document.createElement('li');
    li.id = `row-${id}`;
    li.dataset.id = id;
    const link = element('a', 'name', name);
    link.href = pageOf(id);
    link.dir = 'auto';
    const title = element('span', 'subject', subject);
    title.lang = language;
    title.dir = 'auto';
    const addresses = element('span', 'to', '');
    for (const part of to.split(/(?=[@.])/)) addresses.append(part, document.createElement('wbr'));
    li.append(link, ' ', element('span', 'tag', tongue), ' ', element('span', 'size', size), addresses, title);
    const kinds = words.split(' ');
    texts.split('\n').forEach((text, at) => text && li.append(element('span', `mark ${kinds[at]}`, text)));
    entry.li = li;
    return li;
  }

  let shown = entries;
  function apply() {
    const words = fold(find.value).split(/\s+/).filter(Boolean);
    const [language, group, mark] = filters.map((filter) => filter.value);
    const fits = (entry) => (!language || entry.language === language) && (!group || entry.group === group)
      && (!mark || entry.marks.includes(mark)) && words.every((word) => textOf(entry).includes(word));
    const hits = entries.filter(fits);
    if (stored) {
      shown = hits.slice(0, MOST);
      list.replaceChildren(...shown.map(draw));
    } else {
      const there = new Set(hits);
      for (const entry of entries) entry.li.hidden = !there.has(entry);
      shown = hits;
    }
    $('nothing').hidden = hits.length > 0;
    const silent = hits.length || !words.length ? [] : without.filter((row) => words.every((word) => fold(row.join(' ')).includes(word)));
    $('why').textContent = silent.slice(0, 10).map(([name, reason]) => `${name} gets no letter: ${reason}.`).join(' ') || 'No letter fits.';
    const noun = entries.length === 1 ? 'letter' : 'letters';
    const of = hits.length === entries.length ? `${entries.length} ${noun}` : `${hits.length} of ${entries.length} ${noun}`;
    // On paper the search box is not there, and the list would pass for the whole one.
    const asked = find.value.trim();
    $('found').hidden = hits.length === entries.length;
    $('found').textContent = `Not the whole list: ${of}${asked && `, found by “${asked}”`}.`;
    $('count').textContent = shown.length < hits.length ? `${of}, the first ${shown.length} shown` : of;
  }

  let bar = null, frame = null, coming = null, current = null, earlier = null, look = '';
  const currentIndex = () => shown.findIndex((entry) => entry.id === current);
  const linkOf = (entry) => entry.li.querySelector('a');

  function button(text, action) {
    const made = element('button', '', text);
    made.type = 'button';
    made.addEventListener('click', action);
    return made;
  }

  function openPane() {
    if (!bar) {
      bar = element('div', 'bar', '');
      bar.append(button('The batch', closePane), button('Previous', () => step(-1)), button('Next', () => step(1)),
        button('Compare', compare), button('Open by itself', () => { location.href = pageOf(current); }));
      pane.append(bar);
    }
    pane.hidden = false;
    if (overview) overview.hidden = true;
  }

  // The letter that is shown stays, and hears the keys, until the next one is there: no key falls between the two.
  function load(id) {
    coming?.remove();
    const next = document.createElement('iframe');
    next.title = 'The letter chosen';
    next.className = 'coming';
    next.dataset.id = id;
    // It may run its own script; what the letter holds is in a second frame, where nothing runs.
    next.setAttribute('sandbox', 'allow-scripts allow-downloads');
    next.addEventListener('load', () => {
      if (coming !== next) return;
      frame?.remove();
      [frame, coming] = [next, null];
      next.className = 'shown';
    });
    next.src = `${pageOf(id)}#${look}`;
    coming = next;
    pane.append(next);
  }

  function shut() {
    coming?.remove();
    coming = null;
    pane.hidden = true;
    if (overview) overview.hidden = false;
    mark(null);
  }

  function closePane() {
    shut();
    remember('');
  }

  function mark(id) {
    if (current && current !== id) earlier = current;
    list.querySelector('[aria-current]')?.removeAttribute('aria-current');
    current = id;
    const entry = shown.find((each) => each.id === id);
    if (!entry) return;
    linkOf(entry).setAttribute('aria-current', 'true');
    if (wide.matches) entry.li.scrollIntoView({ block: 'nearest' });
  }

  // The way back from a letter leads to the batch: beneath the letters there is one entry of it, however many were looked at.
  let beneath = Boolean(history.state?.beneath);
  function remember(id) {
    const address = id ? `#row-${encodeURIComponent(id)}` : location.pathname + location.search;
    try {
      if (id && !beneath) history.pushState({ beneath: beneath = true }, '', address);
      else history.replaceState({ beneath }, '', address);
    } catch { /* Not from every disk. */ }
  }

  const chosen = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    return entries.find((entry) => `row-${entry.id}` === hash) ?? entries.find((entry) => entry.id === hash);
  };

  addEventListener('popstate', () => {
    beneath = Boolean(history.state?.beneath);
    const entry = chosen();
    if (entry?.li && wide.matches) {
      if (entry.id !== current) open(entry.id);
    } else if (!pane.hidden) {
      shut();
    }
  });

  function open(id) {
    mark(id);
    openPane();
    load(id);
  }

  function show(id) {
    open(id);
    remember(id);
  }

  function step(by) {
    if (!shown.length) return;
    const focused = shown.findIndex((entry) => entry.li.contains(document.activeElement));
    const from = focused >= 0 ? focused : currentIndex();
    const to = shown[Math.min(Math.max(from + by, 0), shown.length - 1)];
    linkOf(to).focus();
    if (wide.matches) show(to.id);
  }

  function compare() {
    const focused = shown.find((entry) => entry.li.contains(document.activeElement));
    const one = current ?? focused?.id ?? shown[0]?.id;
    const at = shown.findIndex((entry) => entry.id === one);
    const other = earlier && earlier !== one ? earlier : (shown[at + 1] ?? shown[at - 1])?.id;
    if (one && other) location.href = `compare.html#${one},${other}`;
  }

  function press(key) {
    switch (key) {
      case 'j': case 'ArrowDown': step(1); return true;
      case 'k': case 'ArrowUp': step(-1); return true;
      case '/': find.focus(); find.select(); return true;
      case 'c': compare(); return true;
      case '?': help.showModal(); return true;
      case 'Escape':
        if (find.value || filters.some((filter) => filter.value)) {
          find.value = '';
          for (const filter of filters) filter.value = '';
          apply();
        } else if (!pane.hidden) {
          const entry = shown[currentIndex()];
          closePane();
          if (entry) linkOf(entry).focus();
        }
        return true;
      default: return false;
    }
  }

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    const at = event.target;
    if (at === find || at.tagName === 'SELECT') {
      if (event.key === 'Escape') { press('Escape'); at.blur(); event.preventDefault(); }
      if (at === find && event.key === 'Enter' && tools.dataset.elsewhere) elsewhere();
      else if (at === find && (event.key === 'Enter' || event.key === 'ArrowDown') && shown.length) {
        linkOf(shown[0]).focus();
        if (wide.matches) show(shown[0].id);
        event.preventDefault();
      }
      return;
    }
    const arrow = event.key.startsWith('Arrow');
    if (arrow && at !== document.body && !list.contains(at)) return;
    if (press(event.key)) event.preventDefault();
  });

  list.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link || !wide.matches || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.closest('li').dataset.id);
  });

  addEventListener('message', (event) => {
    if (![frame, coming].some((each) => each && event.source === each.contentWindow) || typeof event.data !== 'object') return;
    if (event.data.demarche === 'look') look = String(event.data.look);
    if (event.data.demarche === 'key') press(String(event.data.key));
    if (event.data.demarche === 'open') openFile(String(event.data.file));
  });

  // A frame may open no file of the disk, so this page does: those that a preview makes, and no others.
  function openFile(name) {
    if (!/^(files\/[\w-]+\.[a-z]{2,4}|[\w~-][\w.~-]*\.eml)$/.test(name)) return;
    const link = element('a', '', '');
    link.href = name;
    if (name.endsWith('.eml')) link.download = name;
    else [link.target, link.rel] = ['_blank', 'noopener'];
    document.body.append(link);
    link.click();
    link.remove();
  }

  // A batch of several pages is searched on a page of its own, which holds all of it.
  function elsewhere() {
    const asked = new URLSearchParams({ q: find.value });
    for (const filter of filters) asked.set(filter.id, filter.value);
    location.href = `${tools.dataset.elsewhere}#${asked}`;
  }

  // Tab goes as the eye does: the list stands first where it is beside the batch, and last where it is below.
  const order = () => {
    const list = $('list');
    if (wide.matches) list.parentNode.prepend(list);
    else list.parentNode.append(list);
  };
  order();
  wide.addEventListener('change', order);

  for (const button of document.querySelectorAll('.copy')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      await copyText($(button.dataset.of));
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 3000);
    });
  }

  async function copyText(node) {
    try {
      await navigator.clipboard.writeText(node.textContent);
    } catch { // Not from every disk.
      getSelection().selectAllChildren(node);
      document.execCommand('copy');
    }
  }

  // On paper nothing is folded.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('details:not([open])')];
    for (const group of folded) group.open = true;
  });
  addEventListener('afterprint', () => { for (const group of folded) group.open = false; });

  tools.hidden = false;
  $('help-button').addEventListener('click', () => help.showModal());
  if (tools.dataset.elsewhere) {
    for (const filter of filters) filter.addEventListener('change', elsewhere);
    $('count').textContent = `${entries.length} letters on this page`;
  } else {
    find.addEventListener('input', apply);
    for (const filter of filters) filter.addEventListener('change', apply);
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has('q')) {
      find.value = asked.get('q');
      for (const filter of filters) filter.value = asked.get(filter.id) ?? '';
    }
    apply();
  }
  const asked = chosen();
  if (asked?.li) {
    if (wide.matches) {
      // Whoever comes straight to a letter goes back to where they came from.
      open(asked.id);
      beneath = true;
      remember(asked.id);
    }
    const settle = () => {
      asked.li.scrollIntoView({ block: 'center' });
      linkOf(asked).focus({ preventScroll: true });
    };
    settle();
    // To follow the fragment takes the focus away once more, and rows that were not drawn yet have their height now.
    addEventListener('load', settle);
  }
})();
