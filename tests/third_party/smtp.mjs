// A controllable mail server that decodes and reports the mail it accepts. Options:
//
//   key, cert       paths of PEM files: STARTTLS is offered; with `implicit`, TLS from the first byte
//   user, password  required, by PLAIN or LOGIN; with TLS, only after the handshake
//   stall           "greeting" or "data": accept the connection, or a message, and never respond
//   refuse          {recipient: code}: the response to RCPT
//   reject          code: the response to every message
//   delay_ms        the delay before the response to a message
//   latency_ms      the delay before the response to a connection and to every command
//   grey            [recipient]: 451 the first time, accepted afterwards
//   idle_ms         close a connection that has been idle for so long
//
// Reports {"port": …} first, then {"mail": {…}} for each accepted message, before the client gets the
// response.
import {readFileSync} from 'node:fs';
import {listen, load, options, report} from './common.mjs';

const {SMTPServer} = await load('smtp-server');
const {simpleParser} = await load('mailparser');

const has_tls = Boolean(options.key);
const needs_login = Boolean(options.user);
const seen = new Set();

const refusal = (code, text) => Object.assign(new Error(text), {responseCode: code});

function check_login({username, password}, session, done) {
    const matches = username === options.user && password === options.password;
    done(matches ? null : refusal(535, 'wrong user or password'), matches && {user: username});
}

// The library does not enforce authentication while AUTH is hidden, before TLS.
function check_sender(address, session, done) {
    done(needs_login && !session.user ? refusal(530, 'authentication required') : null);
}

function check_recipient({address}, session, done) {
    const code = options.refuse?.[address];
    if (code)
        return done(refusal(code, 'refused'));
    if (options.grey?.includes(address) && !seen.has(address)) {
        seen.add(address);
        return done(refusal(451, 'try again later'));
    }
    done();
}

/** Headers by lower-case name, unfolded but otherwise raw; the last of equal names. */
function raw_headers(lines) {
    const value = line => line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, '').trim();
    return Object.fromEntries(lines.map(({key, line}) => [key, value(line)]));
}

/** The first mailbox of a header. */
const mailbox = header => ({name: header?.value[0]?.name ?? '', address: header?.value[0]?.address ?? ''});

async function describe(raw, {id, secure, user, envelope}) {
    // No derived parts: `text` only if the message has a text part.
    const parsed = await simpleParser(raw, {skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true});
    return {
        connection: id,
        tls: secure,
        user: user || null,
        from: envelope.mailFrom.address,
        to: envelope.rcptTo.map(({address}) => address),
        sender: mailbox(parsed.from),
        reader: mailbox(parsed.to),
        subject: parsed.subject ?? null,
        text: parsed.text ?? null,
        html: parsed.html || null,
        headers: raw_headers(parsed.headerLines),
        raw: raw.toString(),
        at_ms: Date.now(),
    };
}

/** Calls back after the latency of the network. */
const later = done => options.latency_ms ? (...result) => setTimeout(done, options.latency_ms, ...result) : done;

async function receive(stream, session, done) {
    const parts = [];
    for await (const part of stream)
        parts.push(part);
    if (options.stall === 'data')
        return;
    if (options.delay_ms)
        await new Promise(resolve => setTimeout(resolve, options.delay_ms));
    if (options.reject)
        return done(refusal(options.reject, 'rejected'));
    report({mail: await describe(Buffer.concat(parts), session)});
    done(null, 'accepted');
}

const server = new SMTPServer({
    ...(has_tls && {key: readFileSync(options.key), cert: readFileSync(options.cert)}),
    secure: Boolean(options.implicit),
    hideSTARTTLS: !has_tls,
    authMethods: ['PLAIN', 'LOGIN'],
    authOptional: !needs_login,
    allowInsecureAuth: !has_tls,
    disabledCommands: [...(has_tls ? [] : ['STARTTLS']), ...(needs_login ? [] : ['AUTH'])],
    disableReverseLookup: true,
    ...(options.idle_ms && {socketTimeout: options.idle_ms}),
    onConnect(session, done) {
        if (needs_login && has_tls && !session.secure)
            session.disabledCommands = ['AUTH'];
        if (options.stall !== 'greeting')
            later(done)();
    },
    onSecure(socket, session, done) {
        session.disabledCommands = undefined;
        done();
    },
    onAuth: check_login,
    onMailFrom: (address, session, done) => check_sender(address, session, later(done)),
    onRcptTo: (address, session, done) => check_recipient(address, session, later(done)),
    onData(stream, session, done) {
        receive(stream, session, later(done)).catch(done);
    },
});
// Aborted connections are expected, such as those of clients that reject the certificate.
server.on('error', error => console.error(`smtp: ${error.message}`));
report({port: await listen(server.server)});
