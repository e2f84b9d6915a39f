// The journey of support/journey.mjs by keyboard alone, and what keys do besides.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
    arrive, assertFaultless, button, dialog, field, launch, open, signIn, waitForFocus,
} from './support/browser.mjs';
import {Keyboard} from './support/drivers.mjs';
import {journey} from './support/journey.mjs';
import {newAddress, Server, signUp} from './support/server.mjs';

journey(Keyboard);

const headingIsFocused = page => page.waitForFunction(() => document.activeElement?.tagName === 'H1');

test('the focus follows the screen, returns from dialogs, and Escape loses no secret', async () => {
    const server = await Server.start();
    const browser = await launch();
    try {
        const email = newAddress('kay');
        const {token, workspace} = await signUp(server, email, 'Kay', 'Keys');
        const {prefix} = await server.call('POST', '/api-keys', {
            token, body: {name: 'by keyboard', scopes: ['content:read']}});
        const {context, page, faults} = await open(browser, server);
        await signIn(context, server, email);
        const use = new Keyboard(page);

        await page.goto(`${server.origin}/console/${workspace}/keys`);
        await arrive(page, 'API keys');
        await page.keyboard.press('Tab');
        await waitForFocus(page.getByRole('link', {name: 'Skip to the content'}));
        await page.keyboard.press('Enter');
        await headingIsFocused(page);
        await use.press(page.getByRole('link', {name: 'by keyboard'}));
        await arrive(page, 'by keyboard');
        assert.ok(page.url().endsWith(prefix));
        await headingIsFocused(page);

        for (const action of ['Edit', 'Rotate', 'Revoke']) {
            await use.press(button(page, action));
            await dialog(page).waitFor();
            await page.keyboard.press('Escape');
            await dialog(page).waitFor({state: 'detached'});
            await waitForFocus(button(page, action));
        }
        await use.press(button(page, 'Rotate'));
        await use.press(button(dialog(page), 'Rotate'));
        await field(page, 'Secret of the key').waitFor();
        await page.keyboard.press('Escape');
        await page.keyboard.press('Escape');
        assert.equal(await field(page, 'Secret of the key').count(), 1);
        assertFaultless(faults);
    } finally {
        await browser.close();
        await server.stop();
    }
});
