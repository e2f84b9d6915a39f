// The pages of the server in both themes and languages, from 320 pixels on and at 200 % zoom: accessibility, nothing to
// scroll sideways, weight; and everything that they do without JavaScript.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {assertAccessible, assertNoOverflow, widths} from './support/accessibility.mjs';
import {assertFaultless, button, field, launch, link, open, signIn, wide} from './support/browser.mjs';
import {newAddress, password, Server, verify} from './support/server.mjs';

let server, browser, token;
const email = newAddress('grace'), invited = newAddress('irene'), withdrawn = newAddress('wanda');
/** Links of emails, by the page that they open. */
const links = {};

before(async () => {
    server = await Server.start();
    browser = await launch();
    ({access_token: token} = await server.call('POST', '/signup', {
        body: {email, password, name: 'Grace Hopper', workspace_name: 'Compilers'}}));
    links.verify = await server.link(email, '/verify');
    await verify(server, email);
    const {items} = await server.call('POST', '/team/invites', {token, body: {invites: [
        {email: invited, role: 'member'}, {email: withdrawn, role: 'member'}]}});
    links.invite = await server.link(invited, '/invite');
    links.cancelled = await server.link(withdrawn, '/invite');
    await server.call('DELETE', `/team/invites/${items[1].invite_id}`, {token});
});

after(async () => {
    await browser?.close();
    await server?.stop();
});

const at = path => async page => page.goto(server.origin + path);
const byLink = name => async page => {
    // A fragment alone would be no navigation.
    await page.goto('about:blank');
    await page.goto(links[name]);
};

/** Send the page's form with what is wrong with it, past the browser's own checks. */
const sendWrong = (path, values) => async page => {
    await page.goto(server.origin + path);
    for (const [name, value] of Object.entries(values))
        await page.fill(`[name=${name}]`, value);
    await page.evaluate(() => {
        document.forms[0].noValidate = true;
    });
    await page.locator('form button[type=submit]').first().click();
    await page.locator('#errors').waitFor();
};

/** How each state of the pages is reached. @type {Record<string, (page: any) => Promise<any>>} */
const states = {
    'sign-in': at('/sign-in'),
    'sign-in, refused': sendWrong('/sign-in', {email, password: 'wrong'}),
    'sign-up': at('/sign-up'),
    'sign-up, refused': sendWrong('/sign-up', {email: 'no address', password: '12345678'}),
    forgot: at('/forgot'),
    'forgot, refused': sendWrong('/forgot', {email: ''}),
    reset: at('/reset#token=x'),
    'reset, refused': sendWrong('/reset', {token: 'x', password: 'correct horse battery'}),
    verify: byLink('verify'),
    'verify, without the link': at('/verify'),
    'email-change': at('/email-change#token=x'),
    invite: async page => {
        await byLink('invite')(page);
        await page.locator('form [name=password]').waitFor();
    },
    'invite, without the link': at('/invite'),
    'invite, cancelled': async page => {
        await byLink('cancelled')(page);
        await page.getByRole('alert').waitFor();
    },
    claim: at('/claim#token=x'),
    'claim, refused': sendWrong('/claim', {token: 'x'}),
    unsubscribe: at('/unsubscribe?token=x'),
    'check-mail, sign-up': at('/check-mail?for=sign-up'),
    'check-mail, reset': at('/check-mail?for=reset'),
    done: at('/done?what=signed-out'),
    'sign-out': at('/sign-out'),
    'not found': at('/no/such/page'),
};

/** What the states above answer on purpose. */
function expectRefusals(allow) {
    for (const path of ['/sign-in', '/sign-up', '/forgot', '/reset', '/claim'])
        allow(422, path);
    for (const [status, path] of [[400, '/reset'], [400, '/claim'], [400, '/invite'], [404, '/no/such/page']])
        allow(status, path);
}

for (const colorScheme of ['light', 'dark'])
    for (const locale of ['en-US', 'de-DE'])
        test(`every page in ${colorScheme} and ${locale}`, async () => {
            const {context, page, faults, allow} = await open(browser, server, {colorScheme, locale});
            expectRefusals(allow);
            for (const [name, reach] of Object.entries(states)) {
                await page.setViewportSize(wide);
                await reach(page);
                assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2), name);
                for (const viewport of widths) {
                    await page.setViewportSize(viewport);
                    await assertNoOverflow(page, name);
                    if (viewport === widths[0] || viewport === widths.at(-1))
                        await assertAccessible(page, `${name} at ${viewport.width} pixels`);
                }
            }
            assertFaultless(faults);
            await context.close();
        });

test('every page as it is without its script', async () => {
    const {context, page} = await open(browser, server);
    await context.route('**/page.js', route => route.abort());
    for (const path of ['/sign-in', '/sign-up', '/forgot', '/reset', '/verify', '/email-change', '/invite', '/claim',
                        '/unsubscribe', '/check-mail', '/sign-out']) {
        await page.goto(server.origin + path);
        for (const viewport of [widths[0], widths.at(-1)]) {
            await page.setViewportSize(viewport);
            await assertNoOverflow(page, path);
            await assertAccessible(page, path);
        }
    }
    await context.close();
});

test('a signed-in person is asked before signing out', async () => {
    const {context, page, faults} = await open(browser, server);
    await signIn(context, server, email);
    await page.goto(`${server.origin}/sign-out`);
    await page.getByText(`You are signed in as ${email}.`).waitFor();
    await assertAccessible(page, 'sign-out, signed in');
    assertFaultless(faults);
    await context.close();
});

test('the reference has only the faults of its package', async () => {
    for (const colorScheme of ['light', 'dark']) {
        const {context, page, faults} = await open(browser, server, {colorScheme});
        await page.goto(`${server.origin}/docs`);
        await page.locator('.opblock').first().waitFor();
        await assertAccessible(page, '/docs', faultsOfSwagger);
        assertFaultless(faults);
        await context.close();
    }
});

/** Rules of axe that Swagger UI's own markup and colors break. */
const faultsOfSwagger = [
    'color-contrast', 'heading-order', 'landmark-main-is-top-level', 'landmark-no-duplicate-main', 'landmark-unique',
    'nested-interactive', 'select-name', 'target-size'];

test('sign-up, confirmation, sign-out, sign-in, reset and invite without JavaScript', async () => {
    const {context, page, faults, allow} = await open(browser, server, {javaScriptEnabled: false});
    const person = newAddress('nora');
    const submit = async name => {
        await button(page, name).click();
    };
    await page.goto(`${server.origin}/sign-up`);
    await field(page, 'Email address').fill(person);
    await field(page, 'Password').fill(password);
    await submit('Create account');
    await page.waitForURL(url => url.pathname !== '/sign-up');

    const pasted = await server.link(person, '/verify');
    await page.goto(`${server.origin}/verify`);
    await field(page, 'Code or link from the email').fill(pasted);
    await field(page, 'Password optional').or(field(page, 'Password')).fill(password);
    await submit('Yes, it was me');
    await page.getByText('Your email address has been confirmed.').waitFor();

    await page.goto(`${server.origin}/sign-out`);
    await submit('Sign out');
    await page.getByText('You have been signed out of this browser.').waitFor();
    await link(page, 'Sign in').click();
    allow(422, '/sign-in');
    await field(page, 'Email address').fill(person);
    await field(page, 'Password').fill('wrong');
    await submit('Sign in');
    await page.getByText('The email address or the password is incorrect.').waitFor();
    assert.equal(await field(page, 'Email address').inputValue(), person);

    await link(page, 'Forgot your password?').click();
    await field(page, 'Email address').fill(person);
    await submit('Send the link');
    await page.getByRole('heading', {name: 'Check your email'}).waitFor();
    const reset = await server.link(person, '/reset');
    await page.goto(`${server.origin}/reset`);
    await field(page, 'Code or link from the email').fill(reset);
    await field(page, 'New password').fill('another horse battery staple');
    await submit('Change password');
    await page.getByText('Your password has been changed.').waitFor();
    await link(page, 'Sign in').click();
    await field(page, 'Email address').fill(person);
    await field(page, 'Password').fill('another horse battery staple');
    await submit('Sign in');
    await page.waitForURL(url => url.pathname !== '/sign-in');
    assert.equal((await context.cookies()).length, 1);

    await server.call('POST', '/team/invites', {token, body: {invites: [{email: person, role: 'member'}]}});
    const invite = await server.link(person, '/invite');
    await page.goto(`${server.origin}/invite`);
    await field(page, 'Code or link from the email').fill(invite);
    await submit('Continue');
    await page.getByText(`You are signed in as ${person}.`).waitFor();
    await submit('Join Compilers');
    await page.getByText('You are now a member of the workspace.').waitFor();
    assertFaultless(faults);
    await context.close();
});

test('the sign-in page weighs at most 30 kB in all', async () => {
    const {context, page} = await open(browser, server);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', event => {
        bytes += event.encodedDataLength;
    });
    await page.goto(`${server.origin}/sign-in`);
    await page.waitForLoadState('networkidle');
    console.log(`sign-in page: ${bytes} bytes`);
    assert.ok(bytes > 2000 && bytes <= 30_000, `${bytes} bytes`);
    await context.close();
});
