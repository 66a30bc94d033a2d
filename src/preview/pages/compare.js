'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const sides = [$('a'), $('b')], told = $('told'), pairs = $('pairs'), only = $('only');
  const offered = [...$('missions').options];
  const without = JSON.parse($('without').textContent);
  const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').trim().toLowerCase();
  // A name that Windows takes for a device names no file.
  const pageOf = (id) => `letters/${encodeURIComponent(id.replace(/^(con|prn|aux|nul|(?:com|lpt)\d)(?=\.|$)/i, '$1~'))}.html`;
  // Milliseconds until a letter that does not answer is given up: one that is offered is there, and a busy machine takes its time.
  const PATIENCE = { offered: 60000, other: 8000 };
  const CELLS = 4e6; // The largest table of a comparison.

  // The pairs [i, j] of equal members in a longest common subsequence.
  function common(a, b, same) {
    let start = 0, endA = a.length, endB = b.length;
    const found = [], tail = [];
    while (start < endA && start < endB && same(a[start], b[start])) found.push([start, start++]);
    while (endA > start && endB > start && same(a[endA - 1], b[endB - 1])) tail.unshift([--endA, --endB]);
    const n = endA - start, m = endB - start;
    if (n && m && n * m <= CELLS) {
      const width = m + 1, table = new Uint16Array((n + 1) * width);
      for (let i = n - 1; i >= 0; i--) {
        for (let j = m - 1; j >= 0; j--) {
          table[i * width + j] = same(a[start + i], b[start + j])
            ? table[(i + 1) * width + j + 1] + 1
            : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
        }
      }
      for (let i = 0, j = 0; i < n && j < m;) {
        if (same(a[start + i], b[start + j])) found.push([start + i++, start + j++]);
        else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i++;
        else j++;
      }
    }
    return [...found, ...tail];
  }

  // Rows of two: what is common stands together, what is between stands side by side in its order.
  function align(a, b, same) {
    const rows = [];
    let i = 0, j = 0;
    for (const [x, y] of [...common(a, b, same), [a.length, b.length]]) {
      while (i < x || j < y) rows.push([i < x ? a[i++] : '', j < y ? b[j++] : '']);
      if (x < a.length) rows.push([a[i++], b[j++]]);
    }
    return rows;
  }

  const words = (text, lang) => [...new Intl.Segmenter(lang, { granularity: 'word' }).segment(text)].map((part) => part.segment);
  // A rule of signs is there for the eye, and says nothing.
  const paragraphs = (text) => text.replace(/^[ \t]*[=\-_*~–—]{3,}[ \t]*$/gm, '').split(/\n\s*\n/)
    .map((part) => part.replace(/\s+/g, ' ').trim()).filter(Boolean);

  // The text with what is not common marked. A blank between two marked words is marked with them.
  function marked(tokens, kept) {
    const made = document.createDocumentFragment();
    let mark = null;
    tokens.forEach((token, at) => {
      const quiet = kept.has(at) && !(mark && token === ' ' && at + 1 < tokens.length && !kept.has(at + 1));
      if (quiet) {
        mark = null;
        made.append(token);
        return;
      }
      if (!mark) {
        mark = document.createElement('mark');
        made.append(mark);
      }
      mark.append(token);
    });
    return made;
  }

  function cell(letter, content) {
    const made = document.createElement('div');
    made.lang = letter.lang;
    made.dir = letter.dir;
    made.append(content);
    return made;
  }

  function pair(kind, label, [one, other], [a, b]) {
    const row = document.createElement('div');
    row.className = `pair ${kind}`;
    if (label) {
      const name = document.createElement('h3');
      name.textContent = label;
      row.append(name);
    }
    if (a === b) {
      row.classList.add('same');
      row.append(cell(one, a), cell(other, b));
      return [row, 0];
    }
    if (one.lang !== other.lang) {
      row.append(cell(one, a), cell(other, b));
      return [row, 1];
    }
    const [left, right] = [words(a, one.lang), words(b, other.lang)];
    const kept = common(left, right, (x, y) => x === y);
    row.append(cell(one, marked(left, new Set(kept.map(([i]) => i)))), cell(other, marked(right, new Set(kept.map(([, j]) => j)))));
    return [row, 1];
  }

  function draw(letters) {
    const [one, other] = letters;
    const head = document.createElement('div');
    head.className = 'pair names';
    for (const letter of letters) {
      const title = document.createElement('h2'), link = document.createElement('a');
      link.href = pageOf(letter.id);
      link.textContent = letter.name;
      title.append(link);
      head.append(title);
    }
    pairs.replaceChildren(head);
    let count = 0;
    const add = ([row, differences]) => { pairs.append(row); count += differences; };
    const labels = [...new Set([...one.fields, ...other.fields].map(([label]) => label))];
    const value = (letter, label) => letter.fields.find(([known]) => known === label)?.[1] ?? '';
    for (const label of labels) add(pair('field', label, letters, [value(one, label), value(other, label)]));
    for (const row of align(paragraphs(one.text), paragraphs(other.text), (x, y) => x === y)) add(pair('text', '', letters, row));
    const places = count === 1 ? '1 row differs.' : `${count} rows differ.`;
    told.textContent = one.lang !== other.lang ? 'Two languages: nothing is marked.'
      : count === 0 ? 'The two do not differ in anything that is shown.' : places;
  }

  // A letter's own page answers with its text; to read another file is not allowed from a disk.
  function read(id) {
    return new Promise((resolve, reject) => {
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', 'allow-scripts');
      frame.title = `The letter ${id}, read for the comparison`;
      const done = (settle, result) => {
        removeEventListener('message', answer);
        clearTimeout(timer);
        frame.remove();
        settle(result);
      };
      const answer = (event) => {
        if (event.source === frame.contentWindow && event.data?.demarche === 'letter') done(resolve, event.data);
      };
      const is = isOffered(id);
      const failed = () => new Error(is ? `The letter to ${named(id)} did not open: load this page again.` : whyNot(id));
      const timer = setTimeout(() => done(reject, failed()), is ? PATIENCE.offered : PATIENCE.other);
      addEventListener('message', answer);
      frame.addEventListener('load', () => frame.contentWindow.postMessage({ demarche: 'read' }, '*'));
      frame.src = pageOf(id);
      $('frames').append(frame);
    });
  }

  const isOffered = (id) => offered.some((each) => each.dataset.id === id);
  const named = (id) => offered.find((each) => each.dataset.id === id)?.value ?? id;

  function idOf(text) {
    const asked = fold(text);
    if (!asked) return '';
    const option = offered.find((each) => fold(each.dataset.id) === asked) ?? offered.find((each) => fold(each.value) === asked)
      ?? offered.find((each) => fold(each.value).startsWith(asked));
    return option ? option.dataset.id : text.trim();
  }

  // Why the two cannot be compared, as far as this page knows; a large batch is not offered by name.
  function trouble(ids) {
    const missing = ids.filter((id) => offered.length && !isOffered(id));
    if (missing.length) return missing.map(whyNot).join(' ');
    return ids[0] === ids[1] ? `Both are ${named(ids[0])}: name another mission.` : '';
  }

  function whyNot(id) {
    const silent = without.find(([name, , state]) => [name, state].some((each) => each && fold(each) === fold(id)));
    return silent ? `${silent[0]} gets no letter: ${silent[1]}.` : `There is no letter called "${id}" in this preview.`;
  }

  let turn = 0;
  async function compare(ids) {
    const mine = ++turn;
    sides.forEach((side, at) => { side.value = named(ids[at] ?? ''); });
    pairs.replaceChildren();
    if (!ids[0] || !ids[1]) {
      told.textContent = 'Name two missions.';
      return;
    }
    told.textContent = trouble(ids);
    if (told.textContent) return;
    told.textContent = 'The letters are being read …';
    try {
      const letters = await Promise.all(ids.map(read));
      if (mine === turn) draw(letters);
    } catch (error) {
      if (mine !== turn) return;
      told.textContent = error.message;
    }
  }

  const fromAddress = () => compare(location.hash.slice(1).split(',').slice(0, 2).map(decodeURIComponent));
  const choose = () => {
    const ids = sides.map((side) => idOf(side.value));
    const hash = ids.map(encodeURIComponent).join(',');
    if (location.hash === `#${hash}`) compare(ids);
    else location.hash = hash;
  };
  for (const side of sides) side.addEventListener('change', choose);
  only.addEventListener('change', () => pairs.classList.toggle('only', only.checked));
  $('swap').addEventListener('click', () => {
    const at = offered.findIndex((option) => option.value === sides[1].value);
    const next = offered[(at + 1) % offered.length];
    if (next) { sides[1].value = next.value; choose(); }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && event.target.tagName !== 'INPUT') location.href = `index.html#row-${idOf(sides[0].value)}`;
  });
  addEventListener('hashchange', fromAddress);
  $('pick').hidden = false;
  fromAddress();
})();
