// Pictures of pages and screens in both themes and three widths, compared with those of the last change that was meant.
// The clock stands, data is made up, and fonts are those that every Debian has.
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, launch, open, signIn, wide} from './support/browser.mjs';
import {assertLooksAsBefore} from './support/pictures.mjs';
import {password, Server, signUp} from './support/server.mjs';

const now = Date.parse('2026-03-18T10:00:00Z'), day = 86_400_000;
const email = 'grace@example.com';

let server, browser, workspace;
/** Prefixes of the keys, in the order of their minting. */
const prefixes = [];

before(async () => {
    server = await Server.start();
    browser = await launch();
    let token;
    ({token, workspace} = await signUp(server, email));
    const minted = [['deploy pipeline', 90, ['content:read', 'content:write']],
                    ['billing worker', 5, ['content:read', 'team:read', 'audit:read', 'api_keys:read']],
                    ['nightly report', 30, ['profile:read']]];
    for (const [name, days, scopes] of minted) {
        const expires_at = new Date(Date.now() + days * day).toISOString().replace(/\.\d+Z/, 'Z');
        prefixes.push((await server.call('POST', '/api-keys', {token, body: {name, scopes, expires_at}})).prefix);
    }
    for (const [name, role] of [['Ada Lovelace', 'manager'], ['Kathleen Booth', 'member']]) {
        const address = `${name.split(' ')[0].toLowerCase()}@example.com`;
        await server.call('POST', '/team/invites', {token, body: {invites: [{email: address, role}]}});
        const invite = await server.link(address, '/invite');
        await server.call('POST', '/invites/accept', {body: {token: invite.split('token=')[1], name, password}});
    }
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

/** Times relative to the clock that stands, in whole days, and prefixes that are always the same. */
function calm(text) {
    const moved = text.replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, one => {
        const days = Math.round((Date.parse(JSON.parse(one)) - Date.now()) / day);
        return JSON.stringify(new Date(now + (days > 0 ? days : -3) * day).toISOString());
    });
    return prefixes.reduce((result, prefix, index) => result.replaceAll(`"${prefix}"`, `"k${index}demo00"`), moved);
}

/** The usage of a month, as GET /usage lists it. */
function usageBy(grouping) {
    const counts = {checks: 14_210, refusals: 312, rate_limited: 41};
    if (grouping === 'status')
        return [['allowed', 13_857], ['refused', 312], ['rate_limited', 41]].map(([status, checks]) =>
            ({status, checks}));
    if (grouping === 'key')
        return [{key: {id: 'a', prefix: 'k0demo00', name: 'deploy pipeline'}, ...counts, checks: 9000},
                {key: {id: 'b', prefix: 'k1demo00', name: 'billing worker'}, ...counts, checks: 4210},
                {key: null, checks: 1000, refusals: 0, rate_limited: 0}];
    return Array.from({length: 30}, (_, index) => ({
        day: new Date(now - index * day).toISOString().slice(0, 10),
        checks: 300 + (index * 137) % 400, refusals: (index * 7) % 40, rate_limited: index % 9 === 0 ? 25 : 0}));
}

const fonts = `
*, ::before, ::after { font-family: "DejaVu Sans" !important; }
code, code *, pre, kbd, textarea, .secret, .secret * { font-family: "DejaVu Sans Mono" !important; }
`;

async function visit(colorScheme) {
    const opened = await open(browser, server, {colorScheme, timezoneId: 'UTC'});
    const {context} = opened;
    await context.clock.setFixedTime(now);
    await context.route(/\/assets\/.*\.css$/, async route => {
        const response = await route.fetch();
        await route.fulfill({response, body: await response.text() + fonts});
    });
    await context.route('**/api/v1/users/**', async route => {
        const url = new URL(route.request().url());
        if (url.pathname.endsWith('/usage')) {
            await route.fulfill({json: {items: usageBy(url.searchParams.get('by') ?? 'day'), next_cursor: null}});
            return;
        }
        // The clock of the server goes on.
        if (url.searchParams.has('expires_before'))
            url.searchParams.set('expires_before', new Date(Date.now() + 15 * day).toISOString());
        const response = await route.fetch({url: url.href});
        await route.fulfill({response, body: calm(await response.text())});
    });
    return opened;
}

const widths = [wide, {width: 768, height: 1024}, {width: 360, height: 740}];

/** @type {Record<string, [path: string, heading: string]>} */
const screens = {
    overview: ['overview', 'Overview'], keys: ['keys', 'API keys'], 'new-key': ['keys/new', 'New key'],
    team: ['team', 'Team'],
};

for (const theme of ['light', 'dark'])
    test(`pages and screens look as before, in the ${theme} theme`, async () => {
        const {context, page, faults} = await visit(theme);
        const look = async name => {
            for (const viewport of widths) {
                await page.setViewportSize(viewport);
                await assertLooksAsBefore(page, `${name}-${theme}-${viewport.width}`);
            }
        };
        await page.goto(`${server.origin}/sign-in`);
        await page.getByRole('heading', {level: 1}).waitFor();
        await look('sign-in');
        await signIn(context, server, email);
        for (const [name, [path, heading]] of Object.entries(screens)) {
            await page.goto(`${server.origin}/console/${workspace}/${path}`);
            await arrive(page, heading);
            await page.waitForLoadState('networkidle');
            await look(name);
        }
        assertFaultless(faults);
        await context.close();
    });
