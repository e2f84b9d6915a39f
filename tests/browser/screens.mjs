// Every screen of the console in both themes and languages, and from 320 pixels on: accessibility, nothing to scroll
// sideways.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {assertAccessible, assertNoOverflow, widths} from './support/accessibility.mjs';
import {arrive, assertFaultless, button, dialog, launch, open, screenLink, signIn, wide}
    from './support/browser.mjs';
import {newAddress, password, Server, signUp} from './support/server.mjs';

// LATCHKEY_SCREENSHOTS=FOLDER keeps a picture of each screen.
const pictures = process.env.LATCHKEY_SCREENSHOTS;

const screens = {
    overview: 'Overview', keys: 'API keys', 'keys/team': 'API keys', 'keys/new': 'New key',
        'keys/first': 'Your first key',
    'keys/{key}': 'billing worker', team: 'Team', 'team/invites': 'Team', 'team/requests': 'Team',
    'team/invite': 'Invite people', audit: 'Audit', workspace: 'Workspace', 'workspace/all': 'Workspace',
    'workspace/new': 'Create a workspace', account: 'Account', 'account/security': 'Account',
    'account/notifications': 'Account', 'no-such-screen': 'There is nothing here',
};
let server, browser, workspace, key;
const email = newAddress('grace');

before(async () => {
    server = await Server.start();
    browser = await launch();
    let token;
    ({token, workspace} = await signUp(server, email));
    const mint = body => server.call('POST', '/api-keys', {token, body});
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
    key = (await mint({name: 'billing worker', scopes: ['content:read', 'content:write', 'team:read', 'audit:read'],
                       expires_at: soon})).prefix;
    await mint({name: 'a name without spaces '.repeat(4).replaceAll(' ', '_') + 'x', scopes: ['*']});
    await mint({name: 'nightly', scopes: ['profile:read'], owner: 'workspace'});
    await addAdmin(token);
    await server.call('POST', '/team/invites', {token, body: {invites: [
        {email: newAddress('bob'), role: 'manager'}, {email: newAddress('a-long-address-of-a-colleague'),
            role: 'member'}]}});
});

/** Another admin, with a key: one who can be removed, or made the owner. */
async function addAdmin(token) {
    const address = newAddress('ada');
    await server.call('POST', '/team/invites', {token, body: {invites: [{email: address, role: 'admin'}]}});
    const link = await server.link(address, '/invite');
    const {access_token: own} = await server.call('POST', '/invites/accept', {
        body: {token: link.split('token=')[1], name: 'Ada Lovelace', password}});
    await server.call('POST', '/api-keys', {token: own, body: {name: 'engine', scopes: ['profile:read']}});
}

after(async () => {
    await browser?.close();
    await server?.stop();
});

const addressOf = name => `${server.origin}/console/${workspace}/${name.replace('{key}', key)}`;

async function visit(options) {
    const opened = await open(browser, server, options);
    await signIn(opened.context, server, email);
    return opened;
}

async function picture(page, name, theme) {
    if (!pictures)
        return;
    mkdirSync(pictures, {recursive: true});
    const {width} = page.viewportSize();
    await page.screenshot({path: `${pictures}/${name.replace('{key}', 'key').replaceAll('/',
        '-')}-${theme}-${width}.png`,
                           fullPage: true});
}

for (const theme of ['light', 'dark'])
    test(`no violation of accessibility rules, in the ${theme} theme`, async () => {
        const {context, page, faults} = await visit({viewport: wide, colorScheme: theme});
        for (const [name, heading] of Object.entries(screens)) {
            await page.goto(addressOf(name));
            await arrive(page, heading);
            await assertAccessible(page, name);
            await picture(page, name, theme);
        }
        assertFaultless(faults);
        await context.close();
    });

/** What opens each dialog, by screen; a text that it shows once it is complete. */
const dialogs = [
    ['keys/{key}', page => button(page, 'Edit').click(), 'Team'],
    ['keys/{key}', page => button(page, 'Rotate').click(), 'Until then both work.'],
    ['keys/{key}', page => button(page, 'Revoke').click(), /^\d+ checks?$|^one check$/],
    ['team', page => button(page, 'Remove Ada Lovelace').click(), 'One key ends with it'],
    ['team', page => button(page, 'Make owner: Ada Lovelace').click(), 'Your password'],
    ['account', choosePicture, 'Zoom'],
    ['account/security', page => button(page, 'End all others').click(), 'Cancel'],
    ['account/security', page => page.locator('.danger-zone').getByRole('button').click(), 'Your password'],
];

async function choosePicture(page) {
    const buffer = Buffer.from(await page.evaluate(() => {
        const canvas = document.createElement('canvas');
        canvas.getContext('2d').fillRect(20, 20, 200, 100);
        return canvas.toDataURL('image/png').split(',')[1];
    }), 'base64');
    await page.locator('input[type=file]').setInputFiles({name: 'grace.png', mimeType: 'image/png', buffer});
}

for (const theme of ['light', 'dark'])
    test(`no violation in dialogs, and where a secret is shown, in the ${theme} theme`, async () => {
        const {context, page, faults} = await visit({viewport: wide, colorScheme: theme});
        // Another session, that can be ended.
        await server.call('POST', '/login', {body: {email, password}});
        for (const [name, show, text] of dialogs) {
            await page.goto(addressOf(name));
            await arrive(page, screens[name]);
            await show(page);
            await dialog(page).getByText(text).first().waitFor();
            await assertAccessible(page, `${name}: ${text}`);
            await page.keyboard.press('Escape');
            await dialog(page).waitFor({state: 'detached'});
        }
        // A new key: its errors, its secret, and the question before it is left.
        await page.goto(addressOf('keys/new'));
        await arrive(page, 'New key');
        await page.getByLabel('Name').fill(`of the ${theme} theme`);
        await button(page, 'Mint the key').click();
        await page.getByText('Choose at least one permission.').waitFor();
        await assertAccessible(page, 'a new key without a permission');
        await page.getByLabel('content:read').check();
        await button(page, 'Mint the key').click();
        await button(page, 'I have stored it').waitFor();
        await assertAccessible(page, 'a new secret');
        await screenLink(page, 'Overview').click();
        await dialog(page).getByText('Leave without the secret?').waitFor();
        await assertAccessible(page, 'leaving a new secret');
        await button(dialog(page), 'Leave without it').click();
        await arrive(page, 'Overview');
        assertFaultless(faults);
        await context.close();
    });

for (const locale of ['en-US', 'de-DE'])
    test(`nothing scrolls sideways, from 320 pixels on, in ${locale}`, async () => {
        const {context, page, faults} = await visit({viewport: wide, locale});
        // The account's language is preferred to the browser's.
        const {access_token: token} = await server.call('POST', '/login', {body: {email, password}});
        await server.call('PATCH', '/me', {token, body: {locale}});
        for (const name of Object.keys(screens)) {
            await page.goto(addressOf(name));
            await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.loading'));
            assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
            for (const viewport of widths) {
                await page.setViewportSize(viewport);
                await assertNoOverflow(page, name);
                await picture(page, name, locale.slice(0, 2));
            }
        }
        await server.call('PATCH', '/me', {token, body: {locale: 'en'}});
        assertFaultless(faults);
        await context.close();
    });
