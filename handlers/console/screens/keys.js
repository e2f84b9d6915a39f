// API keys: the list, and the way to one key, to a new one, and to the first one.
import {t} from '../lib/i18n.js';
import {stateOf} from '../lib/keys.js';
import {Badge, Empty, LinkButton, Time} from '../ui/controls.js';
import {html} from '../ui/html.js';
import {Screen} from '../ui/screen.js';
import {useAddress, useCan, useList} from '../ui/session.js';
import {ListTable} from '../ui/table.js';
import {FirstKey} from './first_key.js';
import {Key} from './key.js';
import {MintKey} from './mint_key.js';

/** @typedef {import('../lib/client.js').Row<'/api-keys' | '/team/api-keys'>} Row */
/** @typedef {import('../lib/client.js').Schemas} Schemas */

/** @typedef {import('../lib/router.js').Route} Route */

/** @type {Record<string, 'good' | 'warning' | 'bad' | 'neutral'>} */
const tones = {active: 'good', expiring: 'warning', expired: 'neutral', revoked: 'neutral'};

/** @param {{of: Schemas['api_key_row'] | Schemas['team_api_key']}} props */
export const KeyState = ({of: key}) => html`<${Badge}
    tone=${tones[stateOf(key)]}>${t(`key_state.${stateOf(key)}`)}<//>`;

/** @param {{of: string[]}} props */
export const Scopes = ({of: scopes}) => scopes.includes('*') ? html`<${Badge}
    tone="warning">${t('keys.all_scopes')}<//>` :
    html`<span class="scopes">${scopes.slice(0, 3).map(one => html`<code key=${one}>${one}</code> `)}
        ${scopes.length > 3 && html`<span class="muted" title=${scopes.slice(3).join(' ')}>
            ${t('keys.more_scopes', {count: scopes.length - 3})}</span>`}</span>`;

/** @param {{route: Route}} props */
export default function Keys({route}) {
    const [name] = route.rest;
    if (name === 'first')
        return html`<${FirstKey} />`;
    if (name === 'new')
        return html`<${MintKey} />`;
    if (name && name !== 'team')
        return html`<${Key} key=${name} prefix=${name} />`;
    return html`<${KeyList} route=${route} ofTeam=${name === 'team'} key=${String(name)} />`;
}

/** @param {{route: Route, ofTeam: boolean}} props */
function KeyList({route, ofTeam}) {
    const can = useCan();
    const of = useAddress();
    const status = route.query.get('status') ?? '';
    const path = ofTeam ? '/team/api-keys' : '/api-keys';
    const query = {status: status || null};
    const list = useList(path, query);
    const where = ofTeam ? ['team'] : [];
    const mint = can('api_keys:write') && html`<${LinkButton} kind="primary" href=${of('keys', ['new'])}>
        ${t('keys.new')}<//>`;
    const columns = [
        {title: t('keys.name'), kind: 'main', cell: (/** @type {Row} */ key) => html`
            <a href=${of('keys', [key.prefix])}>${key.name}</a> <code class="muted">tnx_${key.prefix}_…</code>`},
        {title: t('keys.state'), cell: (/** @type {Row} */ key) => html`<${KeyState} of=${key} />`},
        {title: t('keys.scopes'), cell: (/** @type {Row} */ key) => html`<${Scopes} of=${key.scopes} />`},
        {title: t('keys.owner'), cell: (/** @type {Row} */ key) => t(`key_owner.${key.owner}`)},
        {title: t('keys.last_used'), cell: (/** @type {Row} */ key) => html`<${Time} at=${key.last_used_at} />`},
        {title: t('keys.expires'), cell: (/** @type {Row} */ key) => html`<${Time} at=${key.expires_at} />`},
    ];
    const tabs = can('api_keys:admin') ? [
        {href: of('keys'), text: t('keys.mine'), current: !ofTeam},
        {href: of('keys', ['team']), text: t('keys.of_team'), current: ofTeam}] : undefined;
    return html`<${Screen} title=${t('keys.title')} intro=${t('keys.intro')} tabs=${tabs} actions=${mint}
            calls=${[{path, query}]}>
        <nav class="filters" aria-label=${t('common.filter')}>
            ${['', 'active', 'expired', 'revoked'].map(one => html`<${LinkButton} small key=${one}
                current=${one === status} href=${of('keys', where, {status: one})}>
                ${one ? t(`key_state.${one}`) : t('keys.any_state')}<//>`)}
        </nav>
        <${ListTable} list=${list} caption=${t('keys.title')} columns=${columns} id=${(/** @type {Row} */ key) =>
            key.prefix}
            empty=${html`<${Empty} title=${status ? t('keys.none_of_state') : t('keys.none')}
                action=${!status && mint}>${!status && t('keys.none_hint')}<//>`} />
    <//>`;
}
