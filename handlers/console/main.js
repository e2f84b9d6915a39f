// The entry of the console.
import {use} from './lib/i18n.js';
import {App} from './app.js';
import {html, render} from './ui/html.js';

const root = document.getElementById('app');
if (!root)
    throw new Error('the page has no element for the console');
await use(navigator.languages);
render(html`<${App} />`, root);
