// A person with a mouse: from sign-up to sign-out, through every screen, with a colleague in a second browser.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, launch, open, signIn, signUp} from './support/browser.mjs';
import {eventually, newAddress, password, Server, verify} from './support/server.mjs';

let server, browser, ada, bob, base;
const adaAddress = newAddress('ada'), bobAddress = newAddress('bob');

before(async () => {
    server = await Server.start();
    browser = await launch();
    ada = await open(browser, server);
    bob = await open(browser, server);
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

const button = (page, name) => page.getByRole('button', {name, exact: true});
const link = (page, name) => page.getByRole('link', {name, exact: true});
const dialog = page => page.getByRole('dialog');
const toast = async (page, text) => page.locator('.toast', {hasText: text}).waitFor();
const check = async (key, permission = 'profile:read') =>
    (await fetch(`${server.origin}/api/v1/users/auth?permission=${permission}`,
                 {headers: {Authorization: `Bearer ${key}`}})).status;

test('the first visit leads to a key that answers 200', async () => {
    const {page} = ada;
    base = await signUp(page, server, {email: adaAddress, name: 'Ada Lovelace', workspace: 'Engines'});
    await verify(server, adaAddress);
    await page.getByRole('heading', {name: 'Your first key'}).waitFor();
    await link(page, 'Start').click();
    await arrive(page, 'Your first key');
    await button(page, 'Mint the key').click();
    const command = await page.getByLabel('Command for the terminal').innerText();
    const key = /tnx_\w+/.exec(command)[0];
    assert.equal(await check(key), 200);
    await page.getByText('It works: the key has been used').waitFor({timeout: 90_000});
    await button(page, 'I have stored it').click();
    await eventually('the secret leaves the page', async () => !(await page.content()).includes(key));
});

test('a key is minted, changed, rotated and revoked', async () => {
    const {page} = ada;
    await link(page, 'API keys').first().click();
    await arrive(page, 'API keys');
    await link(page, 'New key').click();
    await arrive(page, 'New key');
    await page.getByLabel('Name').fill('billing');
    await button(page, 'Mint the key').click();
    await page.getByText('Choose at least one permission.').waitFor();
    await page.getByLabel('content:read').check();
    await page.getByLabel('team:read').check();
    await page.getByLabel('Expires').selectOption('30');
    await button(page, 'Mint the key').click();
    await arrive(page, 'The key “billing” is ready');
    const secret = await page.getByLabel('Secret of the key').innerText();
    assert.equal(await check(secret, 'content:read'), 200);
    await button(page, 'I have stored it').click();
    await arrive(page, 'billing');
    assert.ok(!(await page.content()).includes(secret));

    await button(page, 'Edit').click();
    await dialog(page).getByLabel('Name').fill('billing worker');
    await dialog(page).getByLabel('team:read').uncheck();
    await button(dialog(page), 'Save').click();
    await arrive(page, 'billing worker');
    await eventually('the scope is gone', async () => await check(secret, 'team:read') === 403);

    await button(page, 'Rotate').click();
    await button(dialog(page), 'Rotate').click();
    const successor = await dialog(page).getByLabel('Secret of the key').innerText();
    assert.deepEqual([await check(secret, 'content:read'), await check(successor, 'content:read')], [200, 200]);
    await button(dialog(page), 'I have stored it').click();
    await dialog(page).waitFor({state: 'detached'});
    assert.ok(!(await page.content()).includes(successor));

    await button(page, 'Revoke').click();
    await dialog(page).getByText('Last seven days', {exact: true}).waitFor();
    await button(dialog(page), 'Revoke').click();
    await page.getByText('This key is revoked').waitFor();
    assert.equal(await check(successor, 'content:read'), 401);
});

test('a colleague is invited, accepts in another browser, gets a role, and is removed', async () => {
    const {page} = ada;
    await page.reload();
    await page.goto(`${base}/team/invite`);
    await arrive(page, 'Invite people');
    await page.getByLabel('Email addresses').fill(`Bob <${bobAddress}>, ${adaAddress}`);
    await button(page, 'Add to the list').click();
    await page.getByLabel(`Role of ${bobAddress}`).selectOption('manager');
    await button(page, 'Send 2 invites').click();
    await page.getByText('is a member already').waitFor();
    await link(page, 'Done').click();
    await page.getByRole('row', {name: new RegExp(bobAddress)}).waitFor();

    const invite = await server.link(bobAddress, '/invite');
    await server.call('POST', '/invites/accept', {body: {token: invite.split('token=')[1], name: 'Bob', password}});
    await signIn(bob.page, server, bobAddress);
    await bob.page.goto(`${base}/team`);
    await arrive(bob.page, 'Team');
    await link(bob.page, 'Invite people').waitFor();

    await link(page, 'Members').click();
    await page.getByLabel('Role of Bob').selectOption('member');
    await toast(page, 'Bob is now Member.');
    await bob.page.reload();
    await arrive(bob.page, 'Team');
    assert.equal(await link(bob.page, 'Invite people').count(), 0);
    await bob.page.goto(`${base}/audit`);
    await bob.page.getByText('This needs the permission audit:read.').waitFor();

    await bob.page.goto(`${base}/keys`);
    await page.getByRole('button', {name: 'Remove Bob'}).click();
    await dialog(page).getByText('No key ends with it').waitFor();
    await button(dialog(page), 'Remove').click();
    await toast(page, 'Bob is no member any more.');
    await bob.page.reload();
    await bob.page.getByRole('heading', {name: 'No such workspace'}).waitFor();
});

test('the account: profile, picture, password, sessions', async () => {
    const {page} = ada;
    await link(page, 'Account').click();
    await arrive(page, 'Account');
    await page.getByLabel('Title').fill('Engineer');
    await page.getByLabel('Time zone').fill('Mars/Olympus');
    await button(page, 'Save').click();
    await page.getByText(/^Not accepted: must be a time zone/).waitFor();
    await page.getByLabel('Time zone').fill('Europe/London');
    await button(page, 'Save').click();
    await toast(page, 'Saved.');
    const picture = await page.evaluate(() => {
        const canvas = document.createElement('canvas');
        canvas.width = 300;
        canvas.height = 200;
        canvas.getContext('2d').fillRect(20, 20, 200, 100);
        return canvas.toDataURL('image/png').split(',')[1];
    });
    await page.locator('input[type=file]').setInputFiles(
        {name: 'ada.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64')});
    await dialog(page).getByLabel('Zoom').fill('2');
    await button(page, 'Use this picture').click();
    await toast(page, 'The picture is saved.');
    await page.locator('img.avatar.large').waitFor();

    await link(page, 'Sign-in and security').click();
    await page.getByText('this device').waitFor();
    await page.getByLabel('Current password').fill('not my password');
    await page.getByLabel('New password').fill('another horse battery staple');
    await button(page, 'Change the password').click();
    await page.getByText('The password is wrong.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'current_password');
});

test('two workspaces in two tabs, and the switch between them', async () => {
    const {page, context} = ada;
    await page.goto(`${base}/workspace/new`);
    await arrive(page, 'Create a workspace');
    await page.getByLabel('Name').fill('Second');
    await button(page, 'Create a workspace').click();
    await arrive(page, 'Overview');
    assert.ok(!page.url().startsWith(base));
    const other = await context.newPage();
    await other.goto(`${base}/keys`);
    await arrive(other, 'API keys');
    await other.getByText('billing worker').first().waitFor();
    await link(page, 'API keys').first().click();
    await page.getByText('No API keys yet').waitFor();
    await page.locator('.switcher summary').click();
    await page.locator('.switcher').getByRole('link', {name: 'Engines'}).click();
    await arrive(page, 'Overview');
    assert.ok(page.url().startsWith(base));
    await other.close();
});

test('settings are saved, and the audit trail says who and why', async () => {
    const {page} = ada;
    await link(page, 'Workspace').click();
    await arrive(page, 'Workspace');
    await page.getByLabel('An admin approves').check();
    await page.getByLabel('Domain').fill('example.com');
    await button(page, 'Save').nth(1).click();
    await toast(page, 'Saved.');
    const {access_token: token} = await server.call('POST', '/login', {body: {email: adaAddress, password}});
    const {secret} = await server.call('POST', '/api-keys', {token, body: {name: 'narrow', scopes: ['content:read']}});
    assert.equal(await check(secret, 'team:read'), 403);
    await page.goto(`${base}/audit?action=access.denied`);
    await arrive(page, 'Audit');
    await eventually('the refusal is listed', async () => {
        await page.reload();
        await arrive(page, 'Audit');
        return await page.getByRole('button', {name: 'Details of Access denied'}).count() > 0;
    });
    await page.getByRole('button', {name: 'Details of Access denied'}).first().click();
    await page.getByText(/lacked the permission/).first().waitFor();
});

test('signing out ends it everywhere, without a fault on the way', async () => {
    const {page} = ada;
    await button(page, 'Sign out').click();
    await page.waitForURL(/\/sign-in/);
    await page.goto(`${base}/keys`);
    await page.waitForURL(/\/sign-in\?return_to=/);
    assertFaultless(ada.faults);
    assertFaultless(bob.faults);
});
