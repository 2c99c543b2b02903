// SPDX-License-Identifier: Apache-2.0
// Node's HTTP server (llhttp) reads the cases that reader.c reads.
'use strict';

const http = require('http');
const { Duplex } = require('stream');

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');

function serve(seen) {
  return (request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const headers = [];
      for (let i = 0; i < request.rawHeaders.length; i += 2)
        headers.push({
          name: hex(request.rawHeaders[i]),
          value: hex(request.rawHeaders[i + 1]),
        });
      seen.messages.push({
        method: hex(request.method),
        target: hex(request.url),
        headers,
        body: Buffer.concat(pieces).toString('hex'),
      });
      response.end();
    });
    request.on('error', () => {});
  };
}

// A connection whose client sends `bytes` and then its end.
function connect(bytes, on_close) {
  const socket = new Duplex({
    read() {},
    write(chunk, encoding, done) { done(); },
    final(done) { done(); },
    destroy(error, done) { done(); },
  });
  Object.assign(socket, {
    setTimeout() { return socket; },
    setNoDelay() { return socket; },
    setKeepAlive() { return socket; },
    on_close,
  });
  socket.on('close', on_close);
  socket.on('error', () => {});
  socket.push(bytes);
  socket.push(null);
  return socket;
}

function read_case(bytes) {
  return new Promise((resolve) => {
    const seen = { messages: [], verdict: 'open' };
    const server = http.createServer(serve(seen));
    server.on('checkContinue', server.listeners('request')[0]);
    server.on('checkExpectation', server.listeners('request')[0]);
    let ended = false;
    const finish = () => {
      if (ended) return;
      ended = true;
      setImmediate(() => resolve(seen));
    };
    // What was read whole before the error still has to reach its 'end'.
    server.on('clientError', (error, socket) => {
      seen.verdict =
        error.code === 'HPE_INVALID_EOF_STATE' ? 'waiting' : 'refused';
      seen.reason = error.code;
      setImmediate(() => setImmediate(() => {
        socket.destroy();
        finish();
      }));
    });
    server.on('upgrade', (request, socket) => {
      seen.verdict = 'upgrade';
      socket.destroy();
      finish();
    });
    server.on('connect', (request, socket) => {
      seen.verdict = 'connect';
      socket.destroy();
      finish();
    });
    const socket = connect(bytes, finish);
    server.emit('connection', socket);
    setTimeout(finish, 1000).unref();
  });
}

async function main() {
  const pieces = [];
  for await (const piece of process.stdin) pieces.push(piece);
  const all = Buffer.concat(pieces);
  for (let at = 0; at < all.length;) {
    const length = all.readUInt32BE(at);
    const seen = await read_case(all.subarray(at + 4, at + 4 + length));
    process.stdout.write(JSON.stringify(seen) + '\n');
    at += 4 + length;
  }
}

main();
