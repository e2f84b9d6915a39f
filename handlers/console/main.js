// The entry of the console.
import {use} from './lib/i18n.js';
import {App, open} from './app.js';
import {parse} from './lib/router.js';
import {html, render} from './ui/html.js';

const root = document.getElementById('app');
if (!root)
    throw new Error('the page has no element for the console');
// Both at once: the texts do not wait for the session, nor the session for the texts.
const first = open(parse(location.pathname).workspace);
first.catch(() => {});
await use(navigator.languages);
render(html`<${App} first=${first} />`, root);
