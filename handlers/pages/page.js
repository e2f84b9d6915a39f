// What the pages can do better with a script. All of them work without it.

// The token of an emailed link is in the fragment of the URL, which browsers send to no server: it reaches no log and
// no Referer header. It moves into the form, and out of the address bar and the history. A second link that is opened
// in the same tab changes the fragment alone, so the page loads again.
const tokenField = document.querySelector('[data-token]');
const token = new URLSearchParams(location.hash.slice(1)).get('token');
if (tokenField) {
  const input = tokenField.querySelector('input');
  if (token)
    input.value = token;
  tokenField.hidden = input.value !== '' && input.getAttribute('aria-invalid') !== 'true';
  if (location.hash !== '' || location.search !== '')
    history.replaceState(null, '', location.pathname);
  addEventListener('hashchange', () => {
    if (location.hash.includes('token='))
      location.reload();
  });
}

// A form that only asks for the token sends it by itself: it shows something, and uses up nothing.
const shown = document.querySelector('form[data-send]');
if (shown && token)
  shown.requestSubmit();

// A button that shows the password.
const eye = crossed => {
  const namespace = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(namespace, 'svg');
  for (const [name, value] of Object.entries({
    viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.8', 'stroke-linecap': 'round',
    'stroke-linejoin': 'round', 'aria-hidden': 'true',
  }))
    picture.setAttribute(name, value);
  const line = 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z'
    + 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z';
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', crossed ? line + 'M4 4l16 16' : line);
  picture.append(path);
  return picture;
};
for (const around of document.querySelectorAll('.reveal')) {
  const input = around.querySelector('input');
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-controls', input.id);
  const show = visible => {
    input.type = visible ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(visible));
    button.setAttribute('aria-label', visible ? around.dataset.hide : around.dataset.show);
    button.replaceChildren(eye(visible));
  };
  button.addEventListener('click', () => show(input.type === 'password'));
  input.form?.addEventListener('submit', () => show(false));
  show(false);
  around.append(button);
}

// One press sends a form once. The pressed button's own value is sent, so it is not disabled.
for (const form of document.forms) {
  form.addEventListener('submit', event => {
    if (form.ariaBusy === 'true')
      return event.preventDefault();
    form.ariaBusy = 'true';
    event.submitter?.setAttribute('aria-busy', 'true');
  });
}
// A page that the browser has kept is shown again as it was: with the form to be sent.
addEventListener('pageshow', () => {
  for (const busy of document.querySelectorAll('[aria-busy]'))
    busy.removeAttribute('aria-busy');
});

// A page that is left keeps no secret: the way back shows neither a password nor a key.
addEventListener('pagehide', () => {
  for (const input of document.querySelectorAll('input[type=password], .reveal input'))
    input.value = '';
  for (const secret of document.querySelectorAll('.secret code'))
    secret.textContent = '';
});

// A secret that is shown once can be copied.
for (const secret of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard)
    continue;
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = secret.dataset.copy;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(secret.textContent);
    button.textContent = secret.dataset.copied;
  });
  secret.after(button);
}

// The console in other tabs leaves as well. It asks the server first: an address that anybody can open proves nothing.
if (new URLSearchParams(location.search).get('what') === 'signed-out')
  new BroadcastChannel('latchkey:session').postMessage('ended');

document.getElementById('errors')?.focus();
