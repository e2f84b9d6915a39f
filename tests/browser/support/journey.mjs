// The way of two people through pages and console, as steps that a driver performs: from sign-up to sign-out. Links of
// emails are opened, everything else is done on the pages.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {
    arrive, assertFaultless, button, dialog, field, launch, link, open, screenLink, waitForFocus,
} from './browser.mjs';
import {eventually, newAddress, password, Server} from './server.mjs';

/** Register the tests of the journey. @param {new (page: any) => any} Driver of drivers.mjs */
export function journey(Driver) {
    let server, browser, ada, bob, base, secret;
    const adaAddress = newAddress('ada'), bobAddress = newAddress('bob');
    const person = async () => {
        const opened = await open(browser, server);
        return {...opened, use: new Driver(opened.page)};
    };

    before(async () => {
        server = await Server.start();
        browser = await launch();
        ada = await person();
        bob = await person();
    });

    after(async () => {
        await browser?.close();
        await server?.stop();
    });

    /** The check that other services make. @return {Promise<number>} its status */
    const check = async (key, permission) => (await fetch(
        `${server.origin}/api/v1/users/auth?permission=${permission}`,
        {headers: {Authorization: `Bearer ${key}`}})).status;

    /** Take a secret that is shown once, and confirm that it is stored. */
    async function store({page, use}) {
        const shown = page.getByLabel('Secret of the key');
        await shown.waitFor();
        const text = (await shown.innerText()).trim();
        await use.press(button(page, 'I have stored it'));
        await eventually('the secret leaves the page', async () => !(await page.content()).includes(text));
        return text;
    }

    test('Ada signs up', async () => {
        const {page, use} = ada;
        await page.goto(`${server.origin}/sign-up`);
        await use.type(field(page, 'Email address'), adaAddress);
        await use.type(field(page, 'Password'), password);
        await use.type(page.getByLabel('Your name'), 'Ada Lovelace');
        await use.type(page.getByLabel('Workspace name'), 'Engines');
        await use.press(button(page, 'Create account'));
        await page.waitForURL(/\/console\/[0-9a-f-]{36}\/overview/);
        await arrive(page, 'Overview');
        base = page.url().replace(/\/overview.*/, '');
        await page.getByText(`${adaAddress} is not verified`).waitFor();
    });

    test('she confirms her address by the link of the email', async () => {
        const {page, use} = ada;
        await page.goto(await server.link(adaAddress, '/verify'));
        await page.waitForURL(`${server.origin}/verify`);
        await use.press(button(page, 'Yes, it was me'));
        await page.getByText('Your email address has been confirmed.').waitFor();
        await use.press(link(page, 'Go to the console'));
        await arrive(page, 'Overview');
        assert.equal(await page.getByText(`${adaAddress} is not verified`).count(), 0);
    });

    test('she mints a key, which is checked', async () => {
        const {page, use} = ada;
        await use.press(screenLink(page, 'API keys'));
        await arrive(page, 'API keys');
        await use.press(link(page, 'New key'));
        await arrive(page, 'New key');
        await use.type(field(page, 'Name'), 'billing');
        await use.tick(field(page, 'content:read'));
        await use.choose(field(page, 'Expires'), '30');
        await use.press(button(page, 'Mint the key'));
        await arrive(page, 'The key “billing” is ready');
        secret = await store(ada);
        await arrive(page, 'billing');
        assert.deepEqual([await check(secret, 'content:read'), await check(secret, 'team:read')], [200, 403]);
    });

    test('she rotates it, and revokes the successor', async () => {
        const {page, use} = ada;
        await use.press(button(page, 'Rotate'));
        await use.press(button(dialog(page), 'Rotate'));
        const successor = await store(ada);
        await dialog(page).waitFor({state: 'detached'});
        await arrive(page, 'billing');
        const both = async () => [await check(secret, 'content:read'), await check(successor, 'content:read')];
        assert.deepEqual(await both(), [200, 200]);
        await page.getByText(`tnx_${successor.split('_')[1]}_`).waitFor();
        await use.press(button(page, 'Revoke'));
        await dialog(page).getByText('Last seven days', {exact: true}).waitFor();
        await use.press(button(dialog(page), 'Revoke'));
        await page.getByText('This key is revoked').waitFor();
        assert.deepEqual(await both(), [200, 401]);
    });

    test('she invites Bob, who accepts in his browser', async () => {
        await ada.use.press(screenLink(ada.page, 'Team'));
        await arrive(ada.page, 'Team');
        await ada.use.press(link(ada.page, 'Invite people'));
        await arrive(ada.page, 'Invite people');
        await ada.use.type(field(ada.page, 'Email addresses'), `Bob <${bobAddress}>`);
        await ada.use.press(button(ada.page, 'Add to the list'));
        await ada.use.choose(ada.page.getByLabel(`Role of ${bobAddress}`), 'manager');
        await ada.use.press(button(ada.page, 'Send one invite'));
        await ada.page.getByText('invited', {exact: true}).waitFor();
        await ada.use.press(link(ada.page, 'Done'));
        await ada.page.getByRole('row', {name: new RegExp(bobAddress)}).waitFor();

        const {page, use} = bob;
        await page.goto(await server.link(bobAddress, '/invite'));
        await page.getByText('Ada Lovelace invites you to join Engines as a manager.').waitFor();
        assert.ok(!page.url().includes('token'));
        await use.type(page.getByLabel('Your name'), 'Bob');
        await use.type(field(page, 'Choose a password'), password);
        await use.press(button(page, 'Join Engines'));
        await page.getByText('You are now a member of the workspace.').waitFor();
        await use.press(link(page, 'Go to the console'));
        await arrive(page, 'Overview');
        assert.equal(page.url(), `${base}/overview`);
        await use.press(screenLink(page, 'Team'));
        await arrive(page, 'Team');
        await link(page, 'Invite people').waitFor();
    });

    test('she changes his role, and removes him', async () => {
        await ada.use.press(link(ada.page, 'Members'));
        await ada.use.choose(ada.page.getByLabel('Role of Bob'), 'member');
        await ada.page.locator('.toast', {hasText: 'Bob is now Member.'}).waitFor();
        await bob.page.reload();
        await arrive(bob.page, 'Team');
        assert.equal(await link(bob.page, 'Invite people').count(), 0);

        await ada.use.press(ada.page.getByRole('button', {name: /^Remove:? Bob$/}));
        await dialog(ada.page).getByText('No key ends with it').waitFor();
        await ada.use.press(button(dialog(ada.page), 'Remove'));
        await ada.page.getByLabel('Role of Bob').waitFor({state: 'detached'});
        bob.allow(404, '/session/token');
        await bob.page.reload();
        await bob.page.getByRole('heading', {name: 'No such workspace'}).waitFor();
    });

    test('she creates a second workspace, and switches back', async () => {
        const {page, use} = ada;
        const switcher = page.locator('.switcher');
        await use.press(switcher.locator('summary'));
        await use.press(link(switcher, 'New workspace'));
        await arrive(page, 'Create a workspace');
        await use.type(field(page, 'Name'), 'Second');
        await use.press(button(page, 'Create a workspace'));
        await arrive(page, 'Overview');
        assert.ok(!page.url().startsWith(base));
        await use.press(switcher.locator('summary'));
        await use.press(link(switcher, 'Engines'));
        await page.waitForURL(`${base}/overview`);
        await arrive(page, 'Overview');
    });

    test('she signs out on the page, and in again to where she was', async () => {
        const {page, use, allow} = ada;
        await page.goto(`${server.origin}/sign-out`);
        await page.getByText(`You are signed in as ${adaAddress}.`).waitFor();
        await use.press(button(page, 'Sign out'));
        await page.getByText('You have been signed out of this browser.').waitFor();
        allow(401, '/session/token');
        await page.goto(`${base}/keys`);
        await page.waitForURL(/\/sign-in\?return_to=/);

        allow(422, '/sign-in');
        await use.type(field(page, 'Email address'), adaAddress);
        await use.type(field(page, 'Password'), 'not my password');
        await use.press(button(page, 'Sign in'));
        const summary = page.getByRole('alert').filter({hasText: 'The email address or the password is incorrect.'});
        await summary.waitFor();
        await waitForFocus(summary);
        assert.equal(await field(page, 'Email address').inputValue(), adaAddress);
        assert.equal(await field(page, 'Password').inputValue(), '');
        await use.type(field(page, 'Password'), password);
        await use.press(button(page, 'Sign in'));
        await page.waitForURL(`${base}/keys`);
        await arrive(page, 'API keys');
        await use.press(button(page, 'Sign out'));
        await page.waitForURL(/\/sign-in$/);
    });

    test('there was no fault on the way', () => {
        assertFaultless(ada.faults);
        assertFaultless(bob.faults);
    });
}
