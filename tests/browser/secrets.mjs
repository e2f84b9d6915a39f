// What a page keeps when it is left: the way back must not show what was typed or shown as a secret.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {assertFaultless, launch, open} from './support/browser.mjs';
import {password, Server} from './support/server.mjs';

let server, browser;

before(async () => {
    server = await Server.start();
    browser = await launch();
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

test('a password is gone once the page is left, also one that is shown', async () => {
    const {page, faults} = await open(browser, server);
    for (const shown of [false, true])
        for (const path of ['/sign-in', '/sign-up', '/reset']) {
            await page.goto(server.origin + path);
            const input = page.locator('.reveal input').first();
            await input.fill(password);
            if (shown)
                await page.locator('.reveal button').first().click();
            assert.equal(await input.inputValue(), password);
            // As before the browser keeps the page for the way back; whether it does is its own decision.
            await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true})));
            assert.equal(await input.inputValue(), '', path);
        }
    assertFaultless(faults);
});
