// A key, a certificate request for it (RFC 2986), and a PKCS#12 file (RFC 7292) of both the key and its certificate, made
// by the browser's own cryptography: the key is P-256, the file is sealed with AES-256 and a MAC with SHA-256.

const crypt = globalThis.crypto;
const PBKDF2_ITERATIONS = 10000;
const MAC_ITERATIONS = 2048;
const PASSWORD_LENGTH = 20;
// Without what is easily taken for something else.
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

// DER: tag, length, content.
function tlv(tag, ...parts) {
  const content = joined(parts);
  const length = content.length;
  const head = [tag];
  if (length < 0x80) {
    head.push(length);
  } else {
    const octets = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
    head.push(0x80 | octets.length, ...octets);
  }
  return joined([Uint8Array.from(head), content]);
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const sequence = (...parts) => tlv(0x30, ...parts);
const set = (...parts) => tlv(0x31, ...parts);
const octets = (bytes) => tlv(0x04, bytes);
const context = (number, ...parts) => tlv(0xa0 | number, ...parts);
const nothing = tlv(0x05);

function integer(value) {
  const bytes = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return unsigned(Uint8Array.from(bytes));
}

// An integer that is not negative, of its octets.
function unsigned(bytes) {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at += 1;
  const rest = bytes.subarray(at);
  return rest[0] & 0x80 ? tlv(0x02, Uint8Array.of(0), rest) : tlv(0x02, rest);
}

function oid(text) {
  const [first, second, ...rest] = text.split(".").map(Number);
  const bytes = [40 * first + second];
  for (const number of rest) {
    const digits = [number % 128];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | left % 128);
    bytes.push(...digits);
  }
  return tlv(0x06, Uint8Array.from(bytes));
}

const OID = {
  data: oid("1.2.840.113549.1.7.1"),
  encryptedData: oid("1.2.840.113549.1.7.6"),
  shroudedKeyBag: oid("1.2.840.113549.1.12.10.1.2"),
  certificateBag: oid("1.2.840.113549.1.12.10.1.3"),
  x509Certificate: oid("1.2.840.113549.1.9.22.1"),
  friendlyName: oid("1.2.840.113549.1.9.20"),
  localKeyId: oid("1.2.840.113549.1.9.21"),
  pbes2: oid("1.2.840.113549.1.5.13"),
  pbkdf2: oid("1.2.840.113549.1.5.12"),
  hmacWithSha256: oid("1.2.840.113549.2.9"),
  aes256Cbc: oid("2.16.840.1.101.3.4.1.42"),
  sha256: oid("2.16.840.1.101.3.4.2.1"),
  ecdsaWithSha256: oid("1.2.840.10045.4.3.2"),
};

const random = (length) => crypt.getRandomValues(new Uint8Array(length));
const sha256 = async (bytes) => new Uint8Array(await crypt.subtle.digest("SHA-256", bytes));

export function pem(label, bytes) {
  const packed = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `-----BEGIN ${label}-----\n${packed.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

// The DER of each certificate in a text.
export function certificates(text) {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return Array.from(blocks, (block) => Uint8Array.from(atob(block[1].replace(/\s/g, "")), (c) => c.charCodeAt(0)));
}

// Twenty letters and digits, each as likely as the others.
export function password() {
  const most = 256 - (256 % LETTERS.length);
  let text = "";
  while (text.length < PASSWORD_LENGTH) {
    const [byte] = random(1);
    if (byte < most) text += LETTERS[byte % LETTERS.length];
  }
  return text;
}

export function makeKey() {
  return crypt.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
}

// A request without a name: the authority takes none from it. PEM.
export async function request(key) {
  const spki = new Uint8Array(await crypt.subtle.exportKey("spki", key.publicKey));
  const info = sequence(integer(0), sequence(), spki, context(0));
  const raw = await crypt.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, info);
  const [r, s] = [new Uint8Array(raw, 0, 32), new Uint8Array(raw, 32, 32)].map(unsigned);
  const signature = tlv(0x03, Uint8Array.of(0), sequence(r, s));
  return pem("CERTIFICATE REQUEST", sequence(info, sequence(OID.ecdsaWithSha256), signature));
}

// PBES2 (RFC 8018) with PBKDF2, HMAC-SHA256 and AES-256-CBC.
async function sealed(bytes, secret) {
  const [salt, iv] = [random(16), random(16)];
  const base = await crypt.subtle.importKey("raw", new TextEncoder().encode(secret), "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ITERATIONS };
  const key = await crypt.subtle.deriveKey(derivation, base, { name: "AES-CBC", length: 256 }, false, ["encrypt"]);
  const content = new Uint8Array(await crypt.subtle.encrypt({ name: "AES-CBC", iv }, key, bytes));
  const derived = sequence(octets(salt), integer(PBKDF2_ITERATIONS), sequence(OID.hmacWithSha256, nothing));
  const algorithm = sequence(
    OID.pbes2,
    sequence(sequence(OID.pbkdf2, derived), sequence(OID.aes256Cbc, octets(iv))),
  );
  return { algorithm, content };
}

const wide = (text) => Uint8Array.from(Array.from(text).flatMap((c) => [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 0xff]));

// The MAC's key (RFC 7292 appendix B), which SHA-256 gives in one block.
async function macKey(secret, salt) {
  const repeated = (bytes) => Uint8Array.from({ length: 64 * Math.ceil(bytes.length / 64) }, (_, at) => bytes[at % bytes.length]);
  const text = joined([wide(secret), Uint8Array.of(0, 0)]);
  let key = joined([new Uint8Array(64).fill(3), repeated(salt), repeated(text)]);
  for (let round = 0; round < MAC_ITERATIONS; round += 1) key = await sha256(key);
  return key;
}

// The file: the key, its certificate and the CAs, under a name that is shown.
export async function pkcs12(key, chain, name, secret) {
  const attribute = (id, value) => sequence(id, set(value));
  const id = attribute(OID.localKeyId, octets((await sha256(chain[0])).subarray(0, 20)));
  const attributes = set(attribute(OID.friendlyName, tlv(0x1e, wide(name))), id);
  const bag = (kind, value, more = new Uint8Array()) => sequence(kind, context(0, value), more);
  const certificate = (der) => sequence(OID.x509Certificate, context(0, octets(der)));
  const bags = chain.map((der, at) => bag(OID.certificateBag, certificate(der), at === 0 ? attributes : undefined));

  const hidden = await sealed(sequence(...bags), secret);
  const encrypted = sequence(OID.data, hidden.algorithm, tlv(0x80, hidden.content));
  const pkcs8 = new Uint8Array(await crypt.subtle.exportKey("pkcs8", key.privateKey));
  const shrouded = await sealed(pkcs8, secret);
  pkcs8.fill(0);
  const keyBag = bag(OID.shroudedKeyBag, sequence(shrouded.algorithm, octets(shrouded.content)), attributes);
  const safe = sequence(
    sequence(OID.encryptedData, context(0, sequence(integer(0), encrypted))),
    sequence(OID.data, context(0, octets(sequence(keyBag)))),
  );

  const salt = random(16);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const mac = await crypt.subtle.importKey("raw", await macKey(secret, salt), hmac, false, ["sign"]);
  const digest = new Uint8Array(await crypt.subtle.sign("HMAC", mac, safe));
  const macData = sequence(
    sequence(sequence(OID.sha256, nothing), octets(digest)),
    octets(salt),
    integer(MAC_ITERATIONS),
  );
  return sequence(integer(3), sequence(OID.data, context(0, octets(safe))), macData);
}
