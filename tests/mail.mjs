// A mail server for tests: npm's smtp-server. It prints its address, and then each mail it takes as one line of JSON.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PACKAGES}/node_modules/`);
const { SMTPServer } = require("smtp-server");

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _, done) => done(username === "pharos" && password === "s p:a/ce" ? null : new Error("wrong"), { user: username }),
  onRcptTo: ({ address }, _, done) => done(address.startsWith("full@") ? Object.assign(new Error("the box is full"), { responseCode: 452 }) : null),
  onData: (stream, session, done) => {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      console.log(JSON.stringify({ from: mailFrom.address, to: rcptTo.map(({ address }) => address), user: session.user ?? null, raw: Buffer.concat(parts).toString() }));
      done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.server.address().port}`));
