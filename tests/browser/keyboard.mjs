// A person without a mouse: keys alone, from sign-up to sign-out. Each step finds its control by Tab.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, launch, open, signUp} from './support/browser.mjs';
import {newAddress, Server} from './support/server.mjs';

let server, browser, ada;

before(async () => {
    server = await Server.start();
    browser = await launch();
    ada = await open(browser, server);
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

/** The accessible name of the focused element, its role or tag, and whether its focus is seen. */
const focused = page => page.evaluate(() => {
    const element = document.activeElement;
    const labels = element.labels ? [...element.labels].map(one => one.textContent.trim()).join(' ') : '';
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return {
        name: element.getAttribute('aria-label') || labels || element.textContent.trim(),
        tag: element.tagName,
        isSeen: style.outlineStyle !== 'none' && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    };
});

/** Tab until a control has the focus. */
async function reach(page, name, tag) {
    const passed = [];
    for (let steps = 0; steps < 80; ++steps) {
        await page.keyboard.press('Tab');
        const at = await focused(page);
        if (at.name === name && (!tag || at.tag === tag)) {
            assert.ok(at.isSeen, `the focus on "${name}" is not seen`);
            return;
        }
        passed.push(at.name.slice(0, 30));
    }
    assert.fail(`Tab does not reach "${name}"; it passes ${passed.join(' | ')}`);
}

const isFocusOnHeading = page => page.waitForFunction(() => document.activeElement?.tagName === 'H1');

test('keys alone mint, rotate and revoke a key, and sign out', async () => {
    const {page} = ada;
    await signUp(page, server, {email: newAddress('kay'), name: 'Kay', workspace: 'Keys'});
    await page.keyboard.press('Tab');
    assert.equal((await focused(page)).name, 'Skip to the content');
    await page.keyboard.press('Enter');
    await isFocusOnHeading(page);
    await reach(page, 'New key').catch(() => reach(page, 'API keys', 'A').then(async () => {
        await page.keyboard.press('Enter');
        await arrive(page, 'API keys');
        await isFocusOnHeading(page);
        await reach(page, 'New key', 'A');
    }));
    await page.keyboard.press('Enter');
    await arrive(page, 'New key');
    await isFocusOnHeading(page);
    await reach(page, 'Name', 'INPUT');
    await page.keyboard.type('by keyboard');
    await reach(page, 'content:read', 'INPUT');
    await page.keyboard.press('Space');
    await reach(page, 'Expires', 'SELECT');
    await page.keyboard.press('Home');
    await reach(page, 'Mint the key', 'BUTTON');
    await page.keyboard.press('Enter');
    await arrive(page, 'The key “by keyboard” is ready');
    await reach(page, 'Copy', 'BUTTON');
    await page.keyboard.press('Enter');
    await reach(page, 'I have stored it', 'BUTTON');
    await page.keyboard.press('Enter');
    await arrive(page, 'by keyboard');
    await isFocusOnHeading(page);

    await reach(page, 'Rotate', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({state: 'detached'});
    assert.equal((await focused(page)).name, 'Rotate');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await reach(page, 'Rotate', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.getByLabel('Secret of the key').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByLabel('Secret of the key').count(), 1);
    await reach(page, 'I have stored it', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({state: 'detached'});
    await arrive(page, 'by keyboard');

    await reach(page, 'Revoke', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await reach(page, 'Revoke', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.getByText('This key is revoked').waitFor();
    await reach(page, 'Sign out', 'BUTTON');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/sign-in/);
    assertFaultless(ada.faults);
});
