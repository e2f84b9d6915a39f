// Requests to join: people with an address of the workspace's domain.
import {t} from '../lib/i18n.js';
import {Badge, Button, Empty, LinkButton, Time} from '../ui/controls.js';
import {html} from '../ui/html.js';
import {useAddress, useList, useSession} from '../ui/session.js';
import {ListTable} from '../ui/table.js';
import {toast} from '../ui/messages.js';

/** @typedef {import('../lib/client.js').Row<'/team/requests'>} Row */

export function Requests() {
    const {client} = useSession();
    const of = useAddress();
    const list = useList('/team/requests');
    const decide = async (/** @type {Row} */ row, /** @type {'approve' | 'reject'} */ decision) => {
        await client.post(`/team/requests/${row.user_id}/${decision}`, decision === 'approve' ? {} : undefined);
        list.change(rows => rows.filter(one => one.user_id !== row.user_id));
        toast(t(`requests.done_${decision}`, {name: row.name ?? row.email}));
    };
    const columns = [
        {title: t('team.member'), kind: 'main', cell: (/** @type {Row} */ row) => html`${row.name ?? row.email}
            ${row.name && html` <span class="muted">${row.email}</span>`}`},
        {title: t('requests.address'), cell: (/** @type {Row} */ row) => html`<${Badge}
            tone=${row.email_verified ? 'good' : 'warning'}>
            ${t(row.email_verified ? 'requests.verified' : 'requests.unverified')}<//>`},
        {title: t('requests.asked'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.requested_at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Row} */ row) => html`
            <${Button} small kind="primary" disabled=${!row.email_verified}
                label=${t('requests.approve_of', {name: row.name ?? row.email})} onClick=${() => decide(row,
                    'approve')}>
                ${t('requests.approve')}<//>
            <${Button} small label=${t('requests.reject_of', {name: row.name ?? row.email})}
                onClick=${() => decide(row, 'reject')}>${t('requests.reject')}<//>`},
    ];
    return html`<${ListTable} list=${list} caption=${t('team.requests')} columns=${columns}
        id=${(/** @type {Row} */ row) => row.user_id} empty=${html`<${Empty} title=${t('requests.none')}
            action=${html`<${LinkButton} href=${of('workspace')}>${t('requests.policy')}<//>`}>
            ${t('requests.none_hint')}<//>`} />`;
}
