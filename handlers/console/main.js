// The entry of the console.
import {App, load} from './app.js';
import {parse} from './lib/router.js';
import {first} from './start.js';
import {html, render} from './ui/html.js';

const root = document.getElementById('app');
if (!root)
    throw new Error('the page has no element for the console');

/** How long nothing is shown, in milliseconds: a page that fills itself piece by piece is restless. */
const moment = 300;

const {screen} = parse(location.pathname);
const opened = first.then(async session => {
    await load(screen);
    return session;
});
const session = await Promise.race([opened, new Promise(resolve => setTimeout(resolve, moment, null))])
    .catch(() => null);
render(html`<${App} first=${first} opened=${session} />`, root);
