// Short messages about what has just happened: one region, which screen readers announce.
import {describe} from './problem.js';
import {html, useEffect, useState} from './html.js';

/** @typedef {{id: number, text: string, tone: 'good' | 'bad'}} Message */

/** @type {(message: Message) => void} */
let show = () => {};
let next = 1;

/** Show a message for some seconds. @param {string} text @param {'good' | 'bad'} [tone] */
export const toast = (text, tone = 'good') => show({id: next++, text, tone});

/** Show what an action failed with. @param {unknown} error */
toast.problem = error => toast(describe(error), 'bad');

/** The region; there is one. */
export function Toasts() {
    const [message, setMessage] = useState(/** @type {Message | null} */ (null));
    useEffect(() => {
        show = setMessage;
        return () => {
            show = () => {};
        };
    }, []);
    useEffect(() => {
        if (!message)
            return undefined;
        const timer = setTimeout(() => setMessage(null), message.tone === 'bad' ? 10_000 : 5000);
        return () => clearTimeout(timer);
    }, [message]);
    return html`<div class="toasts" role="status" aria-live="polite" aria-atomic="true">
        ${message && html`<p key=${message.id} class=${`toast ${message.tone}`}>${message.text}</p>`}
    </div>`;
}
