// An OpenID Connect provider for tests: npm's oidc-provider, as companies run one. Everybody who is named by `login_hint` is signed in.
// LIE: what it gets wrong on purpose, to see that nobody is let in by it.
import { createRequire } from "node:module";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

// What it says besides its address nobody reads.
console.info = console.warn = () => {};
const require = createRequire(`${process.env.PACKAGES}/node_modules/`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const PEOPLE = {
  anna: { name: "Анна Петрова", email: "anna@example.org", email_verified: true, preferred_username: "anna", groups: ["kb-operators", "all"] },
  editor: { name: "Пётр Редактор", email: "editor@example.org", email_verified: true, preferred_username: "editor", groups: ["kb-editors"] },
  stranger: { name: "Кто-то", email: "stranger@example.org", email_verified: true, preferred_username: "stranger", groups: [] },
};

const server = createServer((request, reply) => handle(request, reply));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const lie = process.env.LIE;
// Another key under the same name: what it signs is no word of the provider.
const forged = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "pharos",
    client_secret: "a secret of this test",
    redirect_uris: ["http://127.0.0.1:8080/sign-on/back"],
    post_logout_redirect_uris: ["http://127.0.0.1:8080/sign-in"],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }] },
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  scopes: ["openid", "profile", "email", "groups"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  cookies: { keys: ["a key of this test"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
});

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function spoil(token) {
  const [head, body] = token.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  if (lie === "nonce") claims.nonce = "another";
  if (lie === "audience") claims.aud = "another";
  if (lie === "issuer") claims.iss = "https://another.example";
  if (lie === "expired") claims.exp = 1_000_000;
  const signed = `${head}.${encode(claims)}`;
  const key = lie === "signature" ? forged : privateKey;
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

const answer = provider.callback();
async function handle(request, reply) {
  if (request.url.startsWith("/interaction/")) {
    const { params } = await provider.interactionDetails(request, reply);
    await provider.interactionFinished(request, reply, { login: { accountId: params.login_hint } });
    return;
  }
  if (lie && request.url.startsWith("/token")) {
    const end = reply.end.bind(reply);
    reply.end = (text) => {
      const body = JSON.parse(text);
      body.id_token = spoil(body.id_token);
      const changed = JSON.stringify(body);
      reply.setHeader("content-length", Buffer.byteLength(changed));
      return end(changed);
    };
  }
  answer(request, reply);
}

console.log(issuer);
