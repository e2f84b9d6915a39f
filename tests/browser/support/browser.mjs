// Chromium, and pages that record what they must not do.
import assert from 'node:assert/strict';
import {load} from './packages.mjs';
import {password} from './server.mjs';

const {chromium} = (await load('playwright-core')).default;

export const launch = () => chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
});

/**
 * A context with one page. `faults` collects requests off the origin, errors of scripts and of the console, and
 * violations of the content security policy. `bytes` is what the page has received, as compressed.
 */
export async function open(browser, server, options = {}) {
    const context = await browser.newContext({
        viewport: {width: 1280, height: 900}, locale: 'en-US', reducedMotion: 'reduce', ...options});
    const page = await context.newPage();
    const faults = [];
    await page.exposeBinding('reportViolation', (_, text) => faults.push(`policy: ${text}`));
    await page.addInitScript(() => addEventListener('securitypolicyviolation', event =>
        window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`)));
    page.on('request', request => {
        const url = request.url();
        if (!url.startsWith(server.origin) && !/^(data|blob|about):/.test(url))
            faults.push(`request: ${url}`);
    });
    page.on('pageerror', error => faults.push(`script: ${error}`));
    page.on('console', message => {
        // A response of 401 or 404 that a flow causes on purpose is reported here too.
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
            faults.push(`console: ${message.text()}`);
    });
    page.setDefaultTimeout(20_000);
    return {context, page, faults};
}

export const assertFaultless = faults => assert.deepEqual(faults, []);

/** Sign up through the page. @return the address of the workspace's console */
export async function signUp(page, server, {email, name, workspace}) {
    await page.goto(`${server.origin}/sign-up`);
    await page.fill('input[name=email]', email);
    await page.fill('input[name=password]', password);
    for (const [field, value] of [['name', name], ['workspace_name', workspace]])
        if (value && await page.locator(`input[name=${field}]`).count())
            await page.fill(`input[name=${field}]`, value);
    await page.locator('form button[type=submit]').last().click();
    await page.waitForURL(url => url.pathname !== '/sign-up');
    await page.goto(`${server.origin}/console`);
    await arrive(page, 'Overview');
    return page.url().replace(/\/overview.*/, '');
}

/** Give the page the session of an account without the sign-in pages. */
export async function signIn(page, server, email) {
    const {access_token: token} = await server.call('POST', '/login', {body: {email, password}});
    await page.goto(`${server.origin}/docs`);
    const status = await page.evaluate(async bearer => (await fetch('/session', {
        method: 'POST', headers: {Authorization: `Bearer ${bearer}`}})).status, token);
    assert.equal(status, 204);
    return token;
}

/** Wait for a screen. */
export async function arrive(page, heading) {
    await page.getByRole('heading', {level: 1, name: heading}).waitFor();
    await page.waitForFunction(() => !document.querySelector('.loading'));
}
