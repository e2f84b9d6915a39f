// The first key: mint it, call the server with it, and see that it was used.
import {base} from '../lib/client.js';
import {curl} from '../lib/curl.js';
import {t} from '../lib/i18n.js';
import {navigate} from '../lib/router.js';
import {site} from '../lib/site.js';
import {Copyable, LinkButton, Loading, Notice} from '../ui/controls.js';
import {Field, Form} from '../ui/form.js';
import {html, useEffect, useRef, useState} from '../ui/html.js';
import {ProblemNotice} from '../ui/messages.js';
import {Forbidden, Screen} from '../ui/screen.js';
import {Secret} from '../ui/secret.js';
import {useAddress, useCan, useLoad, useSession} from '../ui/session.js';

/**
 * Whether the key has been used: asks again, ever more slowly, while the screen is open.
 * @param {string | null} prefix
 */
function useFirstUse(prefix) {
    const {client} = useSession();
    const [used, setUsed] = useState(false);
    useEffect(() => {
        if (!prefix)
            return undefined;
        let timer = 0;
        let pause = 1000;
        const ask = async () => {
            try {
                if (document.visibilityState === 'visible' && (await client.get(`/api-keys/${prefix}`)).last_used_at) {
                    setUsed(true);
                    return;
                }
            } catch {
                // The next attempt may succeed.
            }
            pause = Math.min(10_000, pause * 1.2);
            timer = window.setTimeout(ask, pause);
        };
        timer = window.setTimeout(ask, pause);
        return () => clearTimeout(timer);
    }, [prefix]);
    return used;
}

/** The steps. The address names the key once it exists, so that a person can leave, and go on later. */
export function FirstKey() {
    const {client, route} = useSession();
    const can = useCan();
    const of = useAddress();
    // With the secret, until it is stored.
    const [minted, setMinted] = useState(
        /** @type {{prefix: string, name: string, secret?: string} | null} */ (null));
    const prefix = route.query.get('key');
    const path = /** @type {const} */ (`/api-keys/${encodeURIComponent(prefix ?? '')}`);
    const loaded = useLoad(prefix && minted?.prefix !== prefix ? path : null, signal => client.get(path, {}, signal));
    const key = minted ?? loaded.data ?? null;
    const used = useFirstUse(key?.prefix ?? null);
    const step = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        if (minted)
            step.current?.focus();
    }, [Boolean(minted)]);
    if (!can('api_keys:write'))
        return html`<${Forbidden} title=${t('first.title')} permission="api_keys:write" />`;
    const scopes = ['profile:read'].filter(can);
    const mint = async (/** @type {Record<string, any>} */ values) => {
        const made = await client.post('/api-keys', {name: values.name, scopes});
        navigate(of('keys', ['first'], {key: made.prefix}), {replace: true});
        setMinted(made);
    };
    const check = (/** @type {string} */ token) =>
        curl({url: `${location.origin}${base}/auth?permission=profile:read`, token, headers: true});
    // The screen needs the prefix and the name alone from here on.
    const stored = () => minted && setMinted({prefix: minted.prefix, name: minted.name});
    const begin = loaded.problem ? html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />` :
        prefix ? html`<${Loading} />` : html`<p class="hint">${t('first.mint_hint')}</p>
            <${Form} submit=${t('keys.mint')} onSubmit=${mint}>
                <${Field} name="name" label=${t('keys.name')} value="first key" required maxlength=${100} /><//>`;
    return html`<${Screen} title=${t('first.title')} back=${{href: of('overview'), text: t('nav.overview')}}
            intro=${t('first.intro')} calls=${[{method: 'POST', path: '/api-keys', body: {name: 'first', scopes}},
                                               {path: '/auth', query: {permission: 'profile:read'}},
                                               {path: `/api-keys/${key?.prefix ?? '<prefix>'}`}]}>
        <ol class="steps-done">
            <li class=${key ? 'done' : 'now'}><h2>${t('first.mint')}</h2>
                ${key ? html`<p>${t('first.minted', {name: key.name})} <code>${key.prefix}</code></p>` : begin}
            </li>
            <li class=${used ? 'done' : key ? 'now' : ''} ><h2 tabindex="-1" ref=${step}>${t('first.call')}</h2>
                ${minted?.secret && html`<p class="hint">${t('first.call_hint')}</p>
                    <${Copyable} text=${check(minted.secret)} label=${t('first.command')} secret />
                    <${Secret} secret=${minted.secret} onStored=${stored} />`}
                ${key && !minted?.secret && html`<${Copyable} text=${check('$LATCHKEY_KEY')}
                    label=${t('first.command')} />`}
            </li>
            <li class=${used ? 'done' : ''}><h2>${t('first.see')}</h2>
                ${key && html`<div role="status">${used ?
                    html`<${Notice} tone="good" title=${t('first.used')}><p>${t('first.used_hint')}</p><//>` :
                    html`<p class="waiting">${t('first.waiting')}</p>`}</div>`}
                ${used && key && html`<p class="row"><${LinkButton} kind="primary"
                    href=${of('overview')}>${t('nav.overview')}<//>
                    <${LinkButton} href=${of('keys', [key.prefix])}>${t('overview.open_key')}<//>
                    <${LinkButton} href=${`${site}/docs`}>${t('nav.docs')}<//></p>`}
            </li>
        </ol>
    <//>`;
}
