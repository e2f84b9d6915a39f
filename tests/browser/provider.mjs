// Sign-in through a provider in a browser: a sign-up by it, the account that it is linked to, unlinked, linked again.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, button, dialog, field, launch, open, toast} from './support/browser.mjs';
import {root} from './support/packages.mjs';
import {password, Server} from './support/server.mjs';

let provider, issuer, server, browser, ada;

before(async () => {
    // It ends with its standard input.
    provider = spawn(process.execPath, [`${root}tests/third_party/oidc.mjs`, '{}'],
                     {stdio: ['pipe', 'pipe', 'inherit']});
    const [line] = await once(createInterface(provider.stdout), 'line');
    ({issuer} = JSON.parse(line));
    server = await Server.start({
        LATCHKEY_GOOGLE_ISSUER: issuer, LATCHKEY_GOOGLE_CLIENT_ID: 'demo', LATCHKEY_GOOGLE_CLIENT_SECRET: 'demo',
        LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS: 'example.org'});
    browser = await launch();
    ada = await open(browser, server);
});

after(async () => {
    await browser?.close();
    await server?.stop();
    provider?.stdin.end();
});

test('a person signs up by the provider, which agrees to everything', async () => {
    const {page} = ada;
    await page.goto(`${server.origin}/sign-in`);
    await page.getByRole('link', {name: /^Sign in with/}).click();
    await page.waitForURL(/\/console\//);
    await page.getByRole('region', {name: 'You'}).getByText('Ada', {exact: true}).waitFor();
});

test('the only way to sign in cannot be unlinked', async () => {
    const {page, allow} = ada;
    await page.goto(page.url().replace(/\/[^/]*$/, '/account/security'));
    await arrive(page, 'Account');
    allow(409, '/api/v1/users/me/oauth-grants/google');
    await button(page, 'Unlink').click();
    await toast(page, 'It is your only way to sign in: set a password first.');
    await button(page.locator('.toast'), 'Close').click();
    await field(page, 'New password').fill(password);
    await button(page, 'Change the password').click();
    await toast(page, 'The password is changed.');
});

test('with a password it is unlinked, and linked again', async () => {
    const {page} = ada;
    const path = new URL(page.url()).pathname;
    await button(page, 'Unlink').click();
    await toast(page, 'The provider is unlinked.');
    await page.getByText('No provider is linked').waitFor();
    await button(page, 'Link Google').click();
    await button(page, 'Unlink').waitFor();
    assert.equal(new URL(page.url()).pathname, path);
    await arrive(page, 'Account');
    assert.equal(await dialog(page).count(), 0);
});

test('there was no fault on the way, and no request but to the provider', () => {
    assertFaultless(ada.faults.filter(fault => !fault.startsWith(`request: ${issuer}/`)));
    assert.ok(ada.faults.length > 0);
});
