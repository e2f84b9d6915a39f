// Messages for people: what went wrong and what to do, and short ones about what has just happened.
import {has, t} from '../lib/i18n.js';
import {Problem} from '../lib/problem.js';
import {Button, Notice} from './controls.js';
import {html, useEffect, useRef, useState} from './html.js';

/** @param {unknown} error @return {string} */
export function describe(error) {
    if (!(error instanceof Problem))
        return t('error.unknown', {detail: String(error)});
    if (error.status === 429)
        return error.retryAfter ? t('error.rate_limited_for', {count: error.retryAfter}) : t('error.rate_limited');
    if (error.required)
        return t('error.forbidden_scope', {permission: error.required});
    const name = `error.${error.code}`;
    const text = has(name) ? t(name) : error.detail || t('error.unknown', {detail: `HTTP ${error.status}`});
    return error.status >= 500 && error.requestId ? `${text} (${error.requestId})` : text;
}

/** The message of a field. The server's own says it best where the type has no text here.
 *  @param {{msg: string, type: string}} one */
export function describeField(one) {
    const name = `field_error.${one.type}`;
    const numbers = /(-?\d+)/.exec(one.msg)?.[1];
    return has(name) ? t(name, {count: Number(numbers ?? 0)}) : t('field_error.other', {message: one.msg});
}

/** Seconds that are left. @param {number | null} from */
function useCountdown(from) {
    const [left, setLeft] = useState(from ?? 0);
    useEffect(() => {
        setLeft(from ?? 0);
        if (!from)
            return undefined;
        const end = Date.now() + from * 1000;
        const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000))), 500);
        return () => clearInterval(timer);
    }, [from]);
    return left;
}

/**
 * What a screen or a list failed with, with a way to try again: at once, or when the limit has passed.
 *
 * @param {{problem: Problem, retry?: () => void}} props
 */
export function ProblemNotice({problem, retry}) {
    const left = useCountdown(problem.status === 429 ? problem.retryAfter : null);
    const text = left > 0 ? t('error.rate_limited_for', {count: left}) :
        problem.status === 429 ? t('error.rate_limited') : describe(problem);
    return html`<div role="alert"><${Notice} tone="bad" title=${text} action=${retry && html`
        <${Button} small disabled=${left > 0} onClick=${retry}>${t('common.try_again')}<//>`} /></div>`;
}

// Short messages, which screen readers announce. The page has a region for them, and so has each dialog: what is behind
// a modal dialog is neither seen nor announced. The innermost region shows the message, and the one below it when the
// dialog closes.

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
