// The frame of a screen: heading, tabs, and the same as curl.
import {base, withQuery} from '../lib/client.js';
import {curl} from '../lib/curl.js';
import {t} from '../lib/i18n.js';
import {brand} from '../lib/site.js';
import {Copyable, LinkButton, Notice} from './controls.js';
import {html, useEffect, useRef} from './html.js';
import {useAddress, useSession} from './session.js';

/** @typedef {{method?: string, path: string, query?: Record<string, any>, body?: unknown, file?: string,
 *     type?: string}} ApiCall */

/** @param {ApiCall} call */
export const commandOf = ({path, query, ...rest}) =>
    curl({...rest, url: location.origin + withQuery(base + path, query)});

/**
 * The calls that a screen makes, as commands.
 *
 * @param {{calls: ApiCall[]}} props
 */
export const Curl = ({calls}) => html`<details class="curl">
    <summary>${t('curl.title')}</summary>
    <p class="hint">${t('curl.hint', {variable: '$LATCHKEY_TOKEN'})}</p>
    <${Copyable} text=${calls.map(commandOf).join('\n\n')} label=${t('curl.title')} />
</details>`;

/**
 * A screen. At a change of the address the focus goes to its heading, as it would to a new page.
 *
 * @param {{title: string, intro?: any, actions?: any, back?: {href: string, text: string}, children?: any,
 *     tabs?: {href: string, text: any, current: boolean}[], calls?: ApiCall[]}} props
 */
export function Screen({title, intro, actions, back, tabs, calls, children}) {
    const heading = useRef(/** @type {HTMLElement | null} */ (null));
    const {me, route} = useSession();
    useEffect(() => {
        document.title = [title, me.workspace?.name, brand].filter(Boolean).join(' · ');
    }, [title, me.workspace?.name]);
    useEffect(() => {
        // The first screen of a page keeps the focus of the page.
        if (document.documentElement.dataset.navigated) {
            heading.current?.focus();
        } else {
            performance.mark('latchkey:interactive');
            document.documentElement.dataset.navigated = 'yes';
        }
    }, []);
    const before = useRef(route);
    useEffect(() => {
        if (before.current === route)
            return;
        before.current = route;
        // What led to another address of the same screen may be gone with what it showed, and the focus with it.
        const active = document.activeElement;
        if (!active || active === document.body)
            heading.current?.focus();
    }, [route]);
    return html`<div class="screen">
        <header class="screen-head">
            <div>
                ${back && html`<a class="back" href=${back.href}>${back.text}</a>`}
                <h1 ref=${heading} tabindex="-1">${title}</h1>
                ${intro && html`<p class="intro">${intro}</p>`}
            </div>
            ${actions && html`<div class="screen-actions">${actions}</div>`}
        </header>
        ${tabs && html`<nav class="tabs" aria-label=${title}><ul>${tabs.map(tab => html`<li>
            <a href=${tab.href} aria-current=${tab.current ? 'page' : undefined}>${tab.text}</a></li>`)}</ul></nav>`}
        ${children}
        ${calls && html`<${Curl} calls=${calls} />`}
    </div>`;
}

/** A part of a screen. @param {{title?: string, intro?: any, tone?: string, children?: any, actions?: any}} props */
export const Section = ({title, intro, tone = '', actions, children}) => html`<section class=${`section ${tone}`}>
    ${title && html`<div class="section-head"><div><h2>${title}</h2>${intro && html`<p class="hint">${intro}</p>`}</div>
        ${actions}</div>`}
    ${children}
</section>`;

/** Instead of a screen that the role does not open. @param {{title: string, permission: string}} props */
export const Forbidden = ({title, permission}) => html`<${Screen} title=${title}>
    <${Notice} tone="warning" title=${t('error.forbidden_scope', {permission})}>
        <p>${t('error.ask_admin')}</p><//>
<//>`;

/** Instead of a screen, where the address names none. */
export function Missing() {
    const of = useAddress();
    const {route} = useSession();
    return html`<${Screen} title=${t('missing.title')} intro=${t('missing.intro')}>
        <p><${LinkButton} kind="primary" href=${of(route.workspace
            ? 'overview' : 'account')}>${t('missing.home')}<//></p>
    <//>`;
}
