// The console's first view in a browser that has nothing of it yet: bytes, requests, and the time until data is shown.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {arrive, assertFaultless, launch, open, signIn} from './support/browser.mjs';
import {newAddress, password, Server, verify} from './support/server.mjs';

let server, browser, address;
const email = newAddress('grace');

before(async () => {
    // As many connections as an installation has: the calls of the overview come at once.
    server = await Server.start({LATCHKEY_DATABASE_CONNECTIONS: '3'});
    browser = await launch();
    const {workspace, access_token: token} = await server.call('POST', '/signup', {
        body: {email, password, name: 'Grace Hopper', workspace_name: 'Compilers'}});
    await verify(server, email);
    await server.call('POST', '/api-keys', {token, body: {name: 'nightly', scopes: ['profile:read']}});
    address = `${server.origin}/console/${workspace.id}/overview`;
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

/** A visit with an empty cache. @return {Promise<{bytes: number, requests: number, time: number}>} milliseconds */
async function visit() {
    const {context, page, faults} = await open(browser, server);
    await signIn(context, server, email);
    // The time of the last change that ended with a heading and without anything on its way.
    await context.addInitScript(() => {
        new MutationObserver(() => {
            const isComplete = document.querySelector('h1') && !document.querySelector('.loading');
            if (!isComplete)
                window.shownAt = undefined;
            else
                window.shownAt ??= performance.now();
        }).observe(document, {childList: true, subtree: true});
    });
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0, requests = 0;
    session.on('Network.loadingFinished', event => {
        bytes += event.encodedDataLength;
        ++requests;
    });
    await page.goto(address);
    await arrive(page, 'Overview');
    await page.waitForLoadState('networkidle');
    const time = await page.evaluate(() => window.shownAt);
    assertFaultless(faults);
    await context.close();
    return {bytes, requests, time};
}

test('the first view is small, and soon shown', async () => {
    const visits = [];
    for (let number = 0; number < 5; ++number)
        visits.push(await visit());
    const [{bytes, requests}] = visits;
    const times = visits.map(one => Math.round(one.time)).sort((a, b) => a - b);
    console.log(`first view: ${bytes} bytes in ${requests} requests; data shown after ${times} ms`);
    for (const one of visits)
        assert.ok(one.bytes > 10_000 && one.bytes <= 80_000, `${one.bytes} bytes`);
    // Sanitizers make the server several times slower.
    if (!process.env.LATCHKEY_SANITIZE)
        assert.ok(times[2] <= 150, `${times} ms`);
});
