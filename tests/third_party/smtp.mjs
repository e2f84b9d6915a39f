// A mail server that accepts what a test lets it accept, decodes it, and tells of it.
//
//   key, cert       paths of PEM files: STARTTLS is offered; with `implicit`, TLS from the first byte
//   user, password  have to be given, by PLAIN or LOGIN; where there is TLS, only under it
//   stall           "greeting" or "data": take the connection, or a whole mail, and never say anything more
//   refuse          {recipient: code}: answer RCPT so
//   reject          code: answer every whole mail so
//   delay_ms        answer a whole mail only then
//   grey            [recipient]: 451 the first time, accepted from then on
//   idle_ms         close a connection on which nothing has come for so long
//
// Tells {"port": …} first, then {"mail": {…}} for each one accepted, before the client hears of it.
import {readFileSync} from 'node:fs';
import {listen, load, options, tell} from './common.mjs';

const {SMTPServer} = await load('smtp-server');
const {simpleParser} = await load('mailparser');

const has_tls = Boolean(options.key);
const needs_login = Boolean(options.user);
const seen = new Set();

const refusal = (code, text) => Object.assign(new Error(text), {responseCode: code});

function check_login({username, password}, session, done) {
    const good = username === options.user && password === options.password;
    done(good ? null : refusal(535, 'wrong user or password'), good && {user: username});
}

// What the library demands by itself it forgets while AUTH is hidden, before TLS.
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

/** Each header by its lower-case name, unfolded and else as it came; the last of equal ones. */
function raw_headers(lines) {
    return Object.fromEntries(
        lines.map(({key, line}) => [key, line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, '').trim()]));
}

/** The first mailbox of a header. */
const mailbox = header => ({name: header?.value[0]?.name ?? '', address: header?.value[0]?.address ?? ''});

async function describe(raw, {id, secure, user, envelope}) {
    // Nothing derived: a text only if there is a text part.
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
    };
}

async function take(stream, session, done) {
    const parts = [];
    for await (const part of stream)
        parts.push(part);
    if (options.stall === 'data')
        return;
    if (options.delay_ms)
        await new Promise(resolve => setTimeout(resolve, options.delay_ms));
    if (options.reject)
        return done(refusal(options.reject, 'rejected'));
    tell({mail: await describe(Buffer.concat(parts), session)});
    done(null, 'taken');
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
            done();
    },
    onSecure(socket, session, done) {
        session.disabledCommands = undefined;
        done();
    },
    onAuth: check_login,
    onMailFrom: check_sender,
    onRcptTo: check_recipient,
    onData(stream, session, done) {
        take(stream, session, done).catch(done);
    },
});
// A client that breaks off, as one does that trusts not this certificate, is no fault of the server.
server.on('error', error => console.error(`smtp: ${error.message}`));
tell({port: await listen(server.server)});
