// Small parts: links, buttons, badges, times, pictures, copying.
import {dateTime, initials, relative} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {html, useEffect, useRef, useState} from './html.js';
import {useSession} from './session.js';
import {toast} from './messages.js';

/**
 * A button that is busy while its action runs: it stays focusable, so that the focus is not lost.
 *
 * @param {{onClick?: (event: Event) => unknown, kind?: 'primary' | 'danger' | 'plain' | 'quiet', type?: string,
 *     busy?: boolean, disabled?: boolean, label?: string, small?: boolean, children?: any, id?: string}} props
 */
export function Button({onClick, kind = 'plain', type = 'button', busy = false, disabled, label, small, children, id}) {
    const [isRunning, setRunning] = useState(false);
    const isBusy = busy || isRunning;
    const mounted = useRef(true);
    useEffect(() => () => {
        mounted.current = false;
    }, []);
    const click = async (/** @type {Event} */ event) => {
        if (isBusy) {
            event.preventDefault();
            return;
        }
        const result = onClick?.(event);
        if (!(result instanceof Promise))
            return;
        setRunning(true);
        try {
            await result;
        } catch (error) {
            toast.problem(error);
        } finally {
            if (mounted.current)
                setRunning(false);
        }
    };
    return html`<button id=${id} type=${type} class=${`button ${kind}${small ? ' small' : ''}`} onClick=${click}
        aria-disabled=${isBusy ? 'true' : undefined} aria-busy=${isBusy ? 'true' : undefined} disabled=${disabled}
        aria-label=${label}>${children}</button>`;
}

/**
 * A link that looks like a button.
 *
 * @param {{href: string, kind?: string, small?: boolean, current?: boolean, children?: any}} props
 *     current: it leads to what is shown
 */
export const LinkButton = ({href, kind = 'plain', small, current, children}) =>
    html`<a class=${`button ${kind}${small ? ' small' : ''}`} href=${href}
        aria-current=${current ? 'true' : undefined}>${children}</a>`;

/** @param {{tone?: 'neutral' | 'good' | 'warning' | 'bad' | 'accent', children?: any}} props */
export const Badge = ({tone = 'neutral', children}) => html`<span class=${`badge ${tone}`}>${children}</span>`;

/** The current time, again every half minute. @return {number} milliseconds */
function useNow() {
    const [now, setNow] = useState(Date.now);
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), 30_000);
        return () => clearInterval(timer);
    }, []);
    return now;
}

/**
 * A time as its distance from now; the exact time is its title.
 *
 * @param {{at: string | null | undefined, absent?: string}} props
 */
export function Time({at, absent}) {
    const now = useNow();
    if (!at)
        return html`<span class="muted">${absent ?? t('common.never')}</span>`;
    return html`<time datetime=${at} title=${dateTime(at)}>${relative(Date.parse(at), now)}</time>`;
}

/**
 * The picture of a user, or the initials.
 *
 * @param {{name: string, url?: string | null, large?: boolean}} props
 */
export function Avatar({name, url, large}) {
    const {client} = useSession();
    const [source, setSource] = useState(/** @type {string | null} */ (null));
    useEffect(() => {
        let isCurrent = true;
        setSource(null);
        if (url)
            client.picture(url).then(found => isCurrent && setSource(found));
        return () => {
            isCurrent = false;
        };
    }, [url, client]);
    const kind = `avatar${large ? ' large' : ''}`;
    return source ? html`<img class=${kind} src=${source} alt="" />` :
                    html`<span class=${kind} aria-hidden="true">${initials(name)}</span>`;
}

/** Copies a text. Without the clipboard (plain http) it selects the text, for the keyboard. */
async function copy(/** @type {string} */ text, /** @type {Element | null} */ shown) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        if (shown)
            getSelection()?.selectAllChildren(shown);
        return false;
    }
}

/**
 * @param {{text: string, of?: {current: any}, label?: string, kind?: any, onCopy?: () => void}} props
 *     of: the element that shows the text
 */
export function CopyButton({text, of, label, kind = 'plain', onCopy}) {
    const [isDone, setDone] = useState(false);
    useEffect(() => {
        if (!isDone)
            return undefined;
        const timer = setTimeout(() => setDone(false), 2000);
        return () => clearTimeout(timer);
    }, [isDone]);
    const click = async () => {
        const copied = await copy(text, of?.current ?? null);
        setDone(copied);
        toast(copied ? t('common.copied') : t('common.selected'));
        onCopy?.();
    };
    return html`<${Button} small kind=${kind} onClick=${click}>
        ${isDone ? t('common.copied_short') : label ?? t('common.copy')}<//>`;
}

/**
 * A text to copy, such as a command.
 * @param {{text: string, label: string, secret?: boolean, onCopy?: () => void}} p
 */
export function Copyable({text, label, secret, onCopy}) {
    const shown = useRef(null);
    return html`<div class=${`copyable${secret ? ' secret' : ''}`}>
        <pre tabindex="0" aria-label=${label}><code ref=${shown}>${text}</code></pre>
        <${CopyButton} text=${text} of=${shown} onCopy=${onCopy} />
    </div>`;
}

/**
 * What a screen shows instead of an empty list: what would be here, and what to do.
 *
 * @param {{title: string, children?: any, action?: any}} props
 */
export const Empty = ({title, children, action}) => html`<div class="empty">
    <p class="empty-title">${title}</p>
    ${children && html`<p class="muted">${children}</p>`}
    ${action}
</div>`;

/** Shown while data is on its way, after a moment (in the style sheet). */
export const Loading = () => html`<p class="loading" role="status">${t('common.loading')}</p>`;

/** @param {{tone?: 'info' | 'good' | 'warning' | 'bad', title?: any, children?: any, action?: any}} props */
export const Notice = ({tone = 'info', title, children, action}) => html`<div class=${`notice ${tone}`}>
    <div>${title && html`<p class="notice-title">${title}</p>`}${children}</div>
    ${action && html`<div class="notice-action">${action}</div>`}
</div>`;
