'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const letter = $('letter');
  const framed = window.parent !== window;
  const radios = [...document.querySelectorAll('#views input')];
  if (framed) document.body.classList.add('framed');

  // How the letter before was looked at, this one is looked at too.
  for (const id of location.hash.slice(1).split(',')) {
    const radio = radios.find((each) => each.id === id);
    if (radio) radio.checked = true;
  }
  for (const radio of radios) {
    radio.addEventListener('change', () => {
      const look = radios.filter((each) => each.checked).map((each) => each.id).join(',');
      if (framed) parent.postMessage({ demarche: 'look', look }, '*');
      else for (const link of document.querySelectorAll('#ways a[rel]')) link.hash = look;
    });
  }
  if (!framed && location.hash) for (const link of document.querySelectorAll('#ways a[rel]')) link.hash = location.hash;

  // On paper the letter goes over as many sheets as it takes, which no frame can: it is read once more, by a parser that runs and
  // loads nothing, and stands out of reach of our styles.
  const frame = document.querySelector('#stage iframe'), paper = $('paper');
  addEventListener('beforeprint', () => {
    if (paper.shadowRoot) return;
    const copy = document.importNode(new DOMParser().parseFromString(frame.srcdoc, 'text/html').documentElement, true);
    for (const it of copy.querySelectorAll('script, meta, base, link, title')) it.remove();
    paper.attachShadow({ mode: 'open' }).append(copy);
    document.body.classList.add('on-paper');
  });

  const ways = { j: 'a[rel=next]', k: 'a[rel=prev]', c: '#compare', Escape: '#all' };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (framed) {
      if (['j', 'k', '/', 'c', '?', 'Escape'].includes(event.key)) {
        parent.postMessage({ demarche: 'key', key: event.key }, '*');
        event.preventDefault();
      }
    } else if (ways[event.key]) {
      document.querySelector(`#ways ${ways[event.key]}`)?.click();
    }
  });

  // From a frame no file of the disk may be opened: the page around it does.
  if (framed) {
    document.addEventListener('click', (event) => {
      const link = event.target.closest?.('#letter a[href^="../"]');
      if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      parent.postMessage({ demarche: 'open', file: link.getAttribute('href').slice(3) }, '*');
    });
  }

  // The page that compares asks for the text. From a disk every page has the origin "null"; from a server it must be ours.
  addEventListener('message', (event) => {
    if (!framed || event.source !== parent || event.data?.demarche !== 'read') return;
    if (location.protocol !== 'file:' && event.origin !== new URL(location.href).origin) return;
    const labels = [...document.querySelectorAll('#fields dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]);
    event.source.postMessage({
      demarche: 'letter',
      id: letter.dataset.id,
      name: letter.querySelector('h1').textContent,
      lang: letter.dataset.lang,
      dir: letter.dataset.dir,
      fields: labels.filter(([label]) => !['Digest', 'Size', 'As a file'].includes(label)),
      text: $('plain').textContent,
    }, '*');
  });
})();
