// The first key: mint it, call the server with it, and see that it was used.
import {base} from '../lib/client.js';
import {curl} from '../lib/curl.js';
import {t} from '../lib/i18n.js';
import {site} from '../lib/site.js';
import {Copyable, LinkButton, Notice} from '../ui/controls.js';
import {Field, Form} from '../ui/form.js';
import {html, useEffect, useRef, useState} from '../ui/html.js';
import {Screen} from '../ui/screen.js';
import {Secret} from '../ui/secret.js';
import {useAddress, useCan, useSession} from '../ui/session.js';

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

export function FirstKey() {
    const {client} = useSession();
    const can = useCan();
    const of = useAddress();
    const [minted, setMinted] = useState(/** @type {any} */ (null));
    const [isStored, setStored] = useState(false);
    const used = useFirstUse(minted?.prefix ?? null);
    const step = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        if (minted)
            step.current?.focus();
    }, [Boolean(minted)]);
    const scopes = ['profile:read'].filter(can);
    const mint = async (/** @type {Record<string, any>} */ values) =>
        setMinted(await client.post('/api-keys', {name: values.name, scopes}));
    const check = (/** @type {string} */ token) =>
        curl({url: `${location.origin}${base}/auth?permission=profile:read`, token, headers: true});
    const stored = () => {
        // The screen needs the prefix alone from here on.
        setMinted({prefix: minted.prefix, name: minted.name});
        setStored(true);
    };
    return html`<${Screen} title=${t('first.title')} back=${{href: of('overview'), text: t('nav.overview')}}
            intro=${t('first.intro')} calls=${[{method: 'POST', path: '/api-keys', body: {name: 'first', scopes}},
                                               {path: '/auth', query: {permission: 'profile:read'}},
                                               {path: `/api-keys/${minted?.prefix ?? '<prefix>'}`}]}>
        <ol class="steps-done">
            <li class=${minted ? 'done' : 'now'}><h2>${t('first.mint')}</h2>
                ${minted ? html`<p>${t('first.minted', {name: minted.name})} <code>${minted.prefix}</code></p>` : html`
                <p class="hint">${t('first.mint_hint')}</p>
                <${Form} submit=${t('keys.mint')} onSubmit=${mint}>
                    <${Field} name="name" label=${t('keys.name')} value="first key" required maxlength=${100} /><//>`}
            </li>
            <li class=${used ? 'done' : minted ? 'now' : ''} ><h2 tabindex="-1" ref=${step}>${t('first.call')}</h2>
                ${minted?.secret && html`<p class="hint">${t('first.call_hint')}</p>
                    <${Copyable} text=${check(minted.secret)} label=${t('first.command')} secret />
                    <${Secret} secret=${minted.secret} onStored=${stored} />`}
                ${isStored && html`<${Copyable} text=${check('$LATCHKEY_KEY')} label=${t('first.command')} />`}
            </li>
            <li class=${used ? 'done' : ''}><h2>${t('first.see')}</h2>
                ${minted && html`<div role="status">${used ?
                    html`<${Notice} tone="good" title=${t('first.used')}><p>${t('first.used_hint')}</p><//>` :
                    html`<p class="waiting">${t('first.waiting')}</p>`}</div>`}
                ${used && html`<p class="row"><${LinkButton} kind="primary"
                    href=${of('overview')}>${t('nav.overview')}<//>
                    <${LinkButton} href=${of('keys', [minted.prefix])}>${t('overview.open_key')}<//>
                    <${LinkButton} href=${`${site}/docs`}>${t('nav.docs')}<//></p>`}
            </li>
        </ol>
    <//>`;
}
