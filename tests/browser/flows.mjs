// What a person does in the console besides the journey: first key, errors, account, settings, owners and requests.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, button, dialog, field, launch, link, open, screenLink, signIn, toast}
    from './support/browser.mjs';
import {eventually, newAddress, password, Server, signUp, verify} from './support/server.mjs';

let server, browser, ada, bob, base, workspace;
const adaAddress = newAddress('ada'), bobAddress = newAddress('bob');

before(async () => {
    server = await Server.start();
    browser = await launch();
    ({workspace} = await signUp(server, adaAddress, 'Ada Lovelace', 'Engines'));
    base = `${server.origin}/console/${workspace}`;
    ada = await open(browser, server);
    bob = await open(browser, server);
    await signIn(ada.context, server, adaAddress);
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

const check = async (key, permission = 'profile:read') =>
    (await fetch(`${server.origin}/api/v1/users/auth?permission=${permission}`,
                 {headers: {Authorization: `Bearer ${key}`}})).status;

test('the first visit leads to a key that answers 200', async () => {
    const {page} = ada;
    await page.goto(`${server.origin}/console`);
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

test('a key without a permission is not minted, and an edit of scopes counts at once', async () => {
    const {page} = ada;
    await screenLink(page, 'API keys').click();
    await arrive(page, 'API keys');
    await link(page, 'New key').click();
    await arrive(page, 'New key');
    await field(page, 'Name').fill('billing');
    await button(page, 'Mint the key').click();
    await page.getByText('Choose at least one permission.').waitFor();
    await field(page, 'content:read').check();
    await field(page, 'team:read').check();
    await button(page, 'Mint the key').click();
    await arrive(page, 'The key “billing” is ready');
    const secret = await page.getByLabel('Secret of the key').innerText();
    await button(page, 'I have stored it').click();
    await arrive(page, 'billing');
    assert.equal(await check(secret, 'team:read'), 200);

    await button(page, 'Edit').click();
    await field(dialog(page), 'Name').fill('billing worker');
    await field(dialog(page), 'team:read').uncheck();
    await button(dialog(page), 'Save').click();
    await arrive(page, 'billing worker');
    assert.deepEqual([await check(secret, 'content:read'), await check(secret, 'team:read')], [200, 403]);
});

test('the account: profile, picture, password, sessions', async () => {
    const {page, allow} = ada;
    await screenLink(page, 'Account').click();
    await arrive(page, 'Account');
    await page.getByLabel('Title').fill('Engineer');
    await page.getByLabel('Time zone').fill('Mars/Olympus');
    allow(422, '/api/v1/users/me');
    await button(page, 'Save').click();
    await page.getByText(/^Not accepted/).waitFor();
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
    allow(403, '/api/v1/users/password/change');
    await button(page, 'Change the password').click();
    await page.getByText('The password is wrong.').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'current_password');
});

test('two workspaces in two tabs', async () => {
    const {page, context} = ada;
    await page.goto(`${base}/workspace/new`);
    await arrive(page, 'Create a workspace');
    await field(page, 'Name').fill('Second');
    await button(page, 'Create a workspace').click();
    await arrive(page, 'Overview');
    const other = await context.newPage();
    await other.goto(`${base}/keys`);
    await arrive(other, 'API keys');
    await other.getByText('billing worker').first().waitFor();
    await screenLink(page, 'API keys').click();
    await page.getByText('No API keys yet').waitFor();
    await other.reload();
    await other.getByText('billing worker').first().waitFor();
    await other.close();
});

test('invites say what became of each, and a screen which permission it needs', async () => {
    const {page} = ada;
    await page.goto(`${base}/team/invite`);
    await arrive(page, 'Invite people');
    await field(page, 'Email addresses').fill(`Bob <${bobAddress}>, ${adaAddress}`);
    await button(page, 'Add to the list').click();
    await button(page, 'Send 2 invites').click();
    await page.getByText('is a member already').waitFor();
    const invite = await server.link(bobAddress, '/invite');
    await server.call('POST', '/invites/accept', {body: {token: invite.split('token=')[1], name: 'Bob', password}});
    await signIn(bob.context, server, bobAddress);
    await bob.page.goto(`${base}/audit`);
    await bob.page.getByText('This needs the permission audit:read.').waitFor();
});

test('another admin becomes the owner', async () => {
    const {page} = ada;
    await page.goto(`${base}/team`);
    await arrive(page, 'Team');
    await page.getByLabel('Role of Bob').selectOption('admin');
    await page.getByRole('button', {name: /^Make (owner: Bob|Bob the owner)$/}).click();
    await dialog(page).getByLabel('Your password').fill(password);
    await button(dialog(page), 'Make owner').click();
    await page.getByRole('row', {name: /Bob/}).getByText('Owner', {exact: true}).waitFor();
    await bob.page.goto(`${base}/team`);
    await arrive(bob.page, 'Team');
    await bob.page.getByRole('button', {name: /^Make (owner: Ada Lovelace|Ada Lovelace the owner)$/}).waitFor();
});

test('an admin sees which keys of the workspace end soon', async () => {
    const {page} = ada;
    const {access_token: login} = await server.call('POST', '/login', {body: {email: bobAddress, password}});
    const {access_token: token} = await server.call('POST', `/workspaces/${workspace}/switch`, {token: login});
    const after = days => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
    for (const [name, days] of [['of this week', 5], ['of this year', 90]])
        await server.call('POST', '/api-keys', {token, body: {
            name, scopes: ['profile:read'], expires_at: after(days)}});
    await screenLink(page, 'Overview').click();
    await arrive(page, 'Overview');
    const attention = page.locator('section', {has: page.getByRole('heading', {name: 'Needs attention'})});
    await attention.getByText('The key “of this week” expires soon').waitFor();
    assert.equal(await attention.getByText('of this year').count(), 0);
    await link(attention, 'Open the key').click();
    await arrive(page, 'of this week');
});

test('settings are saved, and who signs up with the domain asks to join', async () => {
    const {page} = ada;
    await screenLink(page, 'Workspace').click();
    await arrive(page, 'Workspace');
    await field(page, 'An admin approves').check();
    await page.getByLabel('Domain').fill('example.com');
    await button(page.locator('section', {has: page.getByLabel('Domain')}).last(), 'Save').click();
    await toast(page, 'Saved.');
    const carol = newAddress('carol');
    await server.call('POST', '/signup', {body: {email: carol, password, name: 'Carol'}});
    await verify(server, carol);
    await page.goto(`${base}/team/requests`);
    await arrive(page, 'Team');
    await page.getByRole('button', {name: /^Approve:? Carol$/}).click();
    await page.getByRole('button', {name: /^Approve:? Carol$/}).waitFor({state: 'detached'});
    await page.goto(`${base}/team`);
    await page.getByLabel('Role of Carol').waitFor();
});

test('the audit trail says who was refused, and why', async () => {
    const {page} = ada;
    const {access_token: token} = await server.call('POST', '/login', {body: {email: adaAddress, password}});
    const {access_token: own} = await server.call('POST', `/workspaces/${workspace}/switch`, {token});
    const {secret} = await server.call('POST', '/api-keys', {
        token: own, body: {name: 'narrow', scopes: ['content:read']}});
    assert.equal(await check(secret, 'team:read'), 403);
    await eventually('the refusal is listed', async () => {
        await page.goto(`${base}/audit?action=access.denied`);
        await arrive(page, 'Audit');
        return await page.getByRole('button', {name: /^Details of/}).count() > 0;
    });
    await page.getByRole('button', {name: /^Details of/}).first().click();
    await page.getByText(/lacked the permission/).first().waitFor();
});

test('a sign-out in one tab is one in all, and another person finds nothing of the one before', async () => {
    const {context, page, faults, allow} = await open(browser, server);
    await signIn(context, server, adaAddress);
    const other = await context.newPage();
    for (const tab of [page, other]) {
        await tab.goto(`${base}/team`);
        await arrive(tab, 'Team');
    }
    // The first tab hears of it only by its next call: the answer to it is for another person.
    await signIn(context, server, bobAddress);
    const rejected = '/api/v1/users/api-keys';
    allow(401, rejected);
    await page.route(`**${rejected}`, route => route.fulfill({
        status: 401, contentType: 'application/json', body: '{"code":"token_expired","detail":""}'}), {times: 1});
    await screenLink(page, 'API keys').click();
    await arrive(page, 'API keys');
    await page.getByRole('region', {name: 'You'}).getByText('Bob', {exact: true}).waitFor();
    assert.equal(await page.getByText('Ada Lovelace').count(), 0);

    allow(401, '/session/token');
    await button(page, 'Sign out').click();
    await page.waitForURL(/\/sign-in$/);
    await other.waitForURL(/\/sign-in\?return_to=/);
    assertFaultless(faults);
    await context.close();
});

test('a sign-out that fails says so', async () => {
    const {context, page, faults, allow} = await open(browser, server);
    await signIn(context, server, adaAddress);
    await page.goto(`${base}/team`);
    await arrive(page, 'Team');
    allow(503, '/session');
    await page.route('**/session', route => route.fulfill({
        status: 503, contentType: 'application/json', body: '{"code":"database_unavailable","detail":""}'}),
        {times: 1});
    await button(page, 'Sign out').click();
    await toast(page, 'The database is unavailable.');
    assert.ok(page.url().endsWith('/team'));
    await button(page, 'Sign out').click();
    await page.waitForURL(/\/sign-in$/);
    assertFaultless(faults);
    await context.close();
});

test('a sign-out on the page is one in the console', async () => {
    const {context, page, faults, allow} = await open(browser, server);
    await signIn(context, server, adaAddress);
    const other = await context.newPage();
    await other.goto(`${base}/team`);
    await arrive(other, 'Team');
    allow(401, '/session/token');
    // The address that the sign-out leads to proves nothing.
    await page.goto(`${server.origin}/done?what=signed-out`);
    await page.goto(`${server.origin}/sign-out`);
    await screenLink(other, 'API keys').click();
    await arrive(other, 'API keys');
    await button(page, 'Sign out').click();
    await other.waitForURL(/\/sign-in\?return_to=/);
    assertFaultless(faults);
    await context.close();
});

test('there was no fault on the way', () => {
    assertFaultless(ada.faults);
    assertFaultless(bob.faults);
});
