// Errors for people: what happened, and what to do.
import {has, t} from '../lib/i18n.js';
import {Problem} from '../lib/problem.js';
import {Button, Notice} from './controls.js';
import {html, useEffect, useState} from './html.js';

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
