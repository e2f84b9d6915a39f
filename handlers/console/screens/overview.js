// Overview: what needs attention, and how the workspace's credentials are used.
import {number, percent, shortDay} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {byDay, counts, lastDays, overviewCalls, periodOf, periods, stateOf, total} from '../lib/keys.js';
import {navigate} from '../lib/router.js';
import {BarChart, Share} from '../ui/chart.js';
import {Button, Empty, LinkButton, Loading, Time} from '../ui/controls.js';
import {html} from '../ui/html.js';
import {ProblemNotice, toast} from '../ui/messages.js';
import {Screen, Section} from '../ui/screen.js';
import {useAddress, useCan, useLoad, useSession} from '../ui/session.js';
import {Table} from '../ui/table.js';

/** @typedef {import('../lib/client.js').Row<'/usage'>} UsageRow */

/**
 * @template T
 * @typedef {{data: T | undefined, problem: import('../lib/problem.js').Problem | null, reload: () => void}} Loaded
 */
/**
 * @template {'get'} M
 * @template {string} P
 * @typedef {import('../lib/client.js').Answer<M, P>} Answer
 */
/** @typedef {ReturnType<typeof overviewCalls>} Calls */

/**
 * @template {string} P
 * @param {{path: P, query: Record<string, string | number | undefined>} | null} call
 */
function useCall(call) {
    const {client} = useSession();
    return useLoad(call && JSON.stringify(call),
        signal => client.get(/** @type {P} */ (call?.path), call?.query, signal));
}

const tones = {allowed: 'allowed', refused: 'refused', rate_limited: 'limited'};

export default function Overview() {
    const {client, me, user, route} = useSession();
    const can = useCan();
    const of = useAddress();
    const days = periodOf(route.query);
    const calls = overviewCalls(days, me.permissions);
    const keys = useCall(calls.keys);
    // Where no key is active, there may have been one.
    const ended = useLoad(keys.data?.items.length === 0 ? 'any-key' : null,
        signal => client.get('/api-keys', {limit: 1}, signal));
    const isNew = ended.data?.items.length === 0 && can('api_keys:write');
    // The only key, never used: the first steps were left in between.
    const one = keys.data?.items.length === 1 ? keys.data.items[0] : null;
    const isLeft = one && !one.last_used_at && one.scopes.includes('profile:read') && can('api_keys:write');
    const unused = isLeft ? /** @type {string} */ (one.prefix) : null;
    const hello = user.name ? t('overview.hello_name', {name: user.name.split(' ')[0]}) : t('overview.hello');
    return html`<${Screen} title=${t('overview.title')} calls=${Object.values(calls).filter(Boolean)}
            intro=${isNew ? `${hello} ${t('overview.intro_new')}` : t('overview.intro', {name: me.workspace?.name})}
            actions=${isNew || !can('api_keys:write') ? null :
                html`<${LinkButton} kind="primary" href=${of('keys', ['new'])}>${t('keys.new')}<//>`}>
        <${Attention} keys=${keys} calls=${calls} />
        ${(isNew || unused) && html`<${FirstSteps} begun=${unused} />`}
        <${Usage} days=${days} calls=${calls} isNew=${isNew} />
    <//>`;
}

/** What a new workspace starts with. @param {{begun: string | null}} props  begun: the key that was minted already */
function FirstSteps({begun}) {
    const of = useAddress();
    return html`<${Section} tone="lead" title=${t('overview.first_title')} intro=${t('overview.first_intro')}>
        <ol class="steps">
            ${['mint', 'curl', 'wait'].map(step => html`<li key=${step}>${t(`overview.step_${step}`)}</li>`)}</ol>
        <p><${LinkButton} kind="primary" href=${of('keys', ['first'], {key: begun})}>
            ${t(begun ? 'overview.first_continue' : 'overview.first_action')}<//></p>
    <//>`;
}

/** @param {{keys: Loaded<Answer<'get', '/api-keys'>>, calls: Calls}} props */
function Attention({keys, calls}) {
    const {client, user} = useSession();
    const of = useAddress();
    const requests = useCall(calls.requests);
    const ending = useCall(calls.expiring);
    const resend = async () => {
        await client.post('/email/verify/resend', {});
        toast(t('overview.verification_sent', {email: user.email}));
    };
    const asking = requests.data?.items ?? [];
    const soon = ending.data?.items ?? [];
    const expiring = soon.filter(key => stateOf(key) === 'expiring')
        .sort((a, b) => (a.expires_at ?? '').localeCompare(b.expires_at ?? ''));
    const rows = [
        !user.email_verified && html`<li key="address"><div><strong>${t('overview.unverified',
            {email: user.email})}</strong>
            <p class="muted">${t('overview.unverified_hint')}</p></div>
            <${Button} small onClick=${resend}>${t('overview.resend')}<//></li>`,
        asking.length > 0 && html`<li key="requests"><div><strong>${t('overview.requests',
            {count: requests.data?.total ?? asking.length})}</strong>
            <p class="muted">${asking.slice(0, 3).map(one => one.email).join(', ')}</p></div>
            <${LinkButton} small href=${of('team', ['requests'])}>${t('overview.review')}<//></li>`,
        ...expiring.slice(0, 5).map(key => html`<li key=${key.prefix}><div>
            <strong>${t('overview.key_expires', {name: key.name})}</strong>
            <p class="muted"><${Time} at=${key.expires_at} /> · <code>${key.prefix}</code></p></div>
            <${LinkButton} small href=${of('keys', [key.prefix])}>${t('overview.open_key')}<//></li>`),
        // What could not be asked may need attention too.
        ...[requests, keys, ending].filter(one => one.problem).map((one, index) => html`<li key=${`problem-${index}`}>
            <${ProblemNotice} problem=${one.problem} retry=${one.reload} /></li>`),
    ].filter(Boolean);
    return rows.length ? html`<${Section} title=${t('overview.attention')}><ul class="todo">${rows}</ul><//>` : null;
}

/** @param {{days: number, calls: Calls, isNew: boolean}} props */
function Usage({days, calls, isNew}) {
    const of = useAddress();
    const daily = useCall(calls.daily), keyed = useCall(calls.keyed);
    if (daily.problem)
        return html`<${Section} title=${t('overview.usage')}>
            <${ProblemNotice} problem=${daily.problem} retry=${daily.reload} /><//>`;
    if (!daily.data)
        return html`<${Section} title=${t('overview.usage')}><${Loading} /><//>`;
    const bars = byDay(daily.data.items, lastDays(days, Date.now()));
    const sums = total(bars.map(bar => bar.counts));
    const whole = sums.allowed + sums.refused + sums.rate_limited;
    const series = counts.map(name => ({name, title: t(`usage.${name}`), tone: tones[name]}));
    const period = html`<label class="period"><span class="hidden">${t('usage.period')}</span>
        <select onChange=${(/** @type {any} */ event) =>
            navigate(of('overview', [], {days: event.currentTarget.value}), {replace: true})}>
            ${periods.map(one => html`<option value=${one} selected=${one === days}>
                ${t('usage.last_days', {count: one})}</option>`)}</select></label>`;
    return html`<${Section} title=${t('overview.usage')} intro=${t('usage.delay')} actions=${period}>
        ${whole === 0 ? (isNew ? html`<p class="muted">${t('usage.none')}</p>` :
            html`<${Empty} title=${t('usage.none')}>${t('usage.none_hint')}<//>`) : html`
        <dl class="tiles">${counts.map(name => html`<div key=${name}><dt>${t(`usage.${name}`)}</dt>
            <dd>${number(sums[name])}</dd>
            <dd class="muted">${t('usage.share', {share: percent(sums[name], whole)})}</dd></div>`)}</dl>
        <${BarChart} caption=${t('usage.by_day')} series=${series}
            bars=${bars.map(bar => ({label: shortDay(bar.day), values: bar.counts}))} />
        <${ByKey} loaded=${keyed} />`}
    <//>`;
}

/** @param {UsageRow} row @param {ReturnType<typeof useAddress>} of */
function keyName(row, of) {
    if (!row.key)
        return t('usage.sessions');
    const {prefix, name} = row.key;
    return prefix ? html`<a href=${of('keys', [prefix])}>${name ?? prefix}</a>` : t('usage.deleted_key');
}

/** @param {{loaded: Loaded<Answer<'get', '/usage'>>}} props */
function ByKey({loaded}) {
    const of = useAddress();
    if (loaded.problem)
        return html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />`;
    if (!loaded.data)
        return html`<${Loading} />`;
    const rows = [...loaded.data.items].sort((a, b) => b.checks - a.checks).slice(0, 10);
    const most = Math.max(1, ...rows.map(row => row.checks));
    return html`<${Table} showCaption caption=${t('usage.by_key')} rows=${rows} id=${(/** @type {UsageRow} */ row) =>
        row.key?.id ?? '-'} columns=${[
        {title: t('usage.key'), kind: 'main', cell: (/** @type {UsageRow} */ row) => keyName(row, of)},
        {title: t('usage.requests'), kind: 'number', cell: (/** @type {UsageRow} */ row) => html`${number(row.checks)}
            <${Share} value=${row.checks} of=${most} />`},
    ]} />`;
}
