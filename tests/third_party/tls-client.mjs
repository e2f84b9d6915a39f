// Node's HTTPS and TLS client, against a server at 127.0.0.1. Options:
//
//   server  the port
//   ca      path of the certificates to trust
//
// Reports one fact: the status, whether a second request used the same connection, its protocols, and whether a
// first and a second connection with the ticket of the first were resumed.
import {readFileSync} from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';
import {options, report} from './common.mjs';

const target = {host: 'localhost', port: options.server, ca: readFileSync(options.ca), ALPNProtocols: ['http/1.1']};
const agent = new https.Agent({...target, keepAlive: true, maxSockets: 1});

const get = () => new Promise((resolve, reject) => {
    const request = https.get({...target, path: '/healthz', agent}, response => {
        const {statusCode, socket} = response;
        response.resume();
        response.on('end', () => resolve([statusCode, socket]));
    });
    request.on('error', reject);
});

const connect = session => new Promise((resolve, reject) => {
    const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const socket = tls.connect({...target, session}, () => socket.write(request));
    let ticket;
    socket.on('session', next => { ticket = next; });
    socket.on('end', () => resolve([socket.isSessionReused(), ticket]));
    socket.on('error', reject);
    socket.resume();
});

const [status, socket] = await get();
await new Promise(setImmediate); // the agent takes the connection back
const [, same] = await get();
const [protocol, alpn] = [socket.getProtocol(), socket.alpnProtocol];
agent.destroy();
const [first, ticket] = await connect();
const [second] = await connect(ticket);
report({status, keeps_connection: socket === same, protocol, alpn, resumed: [first, second]});
