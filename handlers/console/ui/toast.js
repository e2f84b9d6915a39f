// Short messages about what has just happened, which screen readers announce. The page has a region for them, and so
// has each dialog: what is behind a modal dialog is neither seen nor announced. The innermost region shows the message,
// and the one below it when the dialog closes.
import {t} from '../lib/i18n.js';
import {describe} from './problem.js';
import {html, useEffect, useRef, useState} from './html.js';

/** @typedef {{id: number, text: string, tone: 'good' | 'bad'}} Message */

/** @type {Message | null} */
let current = null;
/** What draws the regions again, the innermost last. @type {(() => void)[]} */
let regions = [];
let next = 1;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Message | null} message */
function show(message) {
    clearTimeout(timer);
    current = message;
    // An error stays until it is closed: it may be what a person has to act on.
    if (message?.tone === 'good')
        timer = setTimeout(() => show(null), 5000);
    drawAll();
}

const drawAll = () => regions.forEach(draw => draw());

/** Show a message: a good one for some seconds. @param {string} text @param {'good' | 'bad'} [tone] */
export const toast = (text, tone = 'good') => show({id: next++, text, tone});

/** Show what an action failed with. @param {unknown} error */
toast.problem = error => toast(describe(error), 'bad');

/** A region for messages. */
export function Toasts() {
    const [draw] = useState(() => () => setRound(round => round + 1));
    const [, setRound] = useState(0);
    useEffect(() => {
        regions = [...regions, draw];
        drawAll();
        return () => {
            regions = regions.filter(one => one !== draw);
            drawAll();
        };
    }, []);
    const from = useRef(/** @type {EventTarget | null} */ (null));
    const close = () => {
        show(null);
        if (from.current instanceof HTMLElement)
            from.current.focus();
    };
    const message = regions.at(-1) === draw ? current : null;
    return html`<div class="toasts" role="status" aria-live="polite" aria-atomic="true">
        ${message && html`<div key=${message.id} class=${`toast ${message.tone}`}><p>${message.text}</p>
            ${message.tone === 'bad' && html`<button type="button" class="button small" onClick=${close}
                onFocus=${(/** @type {FocusEvent} */ event) => {
                    from.current = event.relatedTarget;
                }}>${t('common.close')}</button>`}</div>`}
    </div>`;
}
