//! The tables, as the newest schema version has them. Times are seconds since 1970; hashes are blobs.

/// The newest schema version known here, kept in `PRAGMA user_version`.
pub(crate) const VERSION: i64 = 8;

/// What makes a version of the one before it: `MIGRATIONS[0]` makes 2 of 1.
///
/// In the first an operator's certificate is always of the operator CA, a party's of the client CA. In the second keys
/// can be looked up. In the third a certificate names the last change that concerned many. In the fourth commands find
/// single things among a million. In the fifth there are invites, in the sixth accounts of ACME. In the seventh changes
/// are answered again, issuers are ignored, and what changed is found among all that happened.
pub(crate) const MIGRATIONS: [&str; 7] = [
    "
ALTER TABLE certificates ADD COLUMN issued_by TEXT CHECK (issued_by IN ('client', 'operator'));
UPDATE certificates SET issued_by = CASE holder_kind WHEN 'operator' THEN 'operator' ELSE 'client' END
WHERE origin = 'own';
CREATE UNIQUE INDEX certificates_serial ON certificates (issued_by, serial) WHERE issued_by IS NOT NULL;
CREATE TABLE audit_checkpoints (
    writer TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    id INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
PRAGMA user_version = 2;
",
    "
CREATE INDEX certificates_key ON certificates (key_pin);
PRAGMA user_version = 3;
",
    "
ALTER TABLE certificates ADD COLUMN changed_by INTEGER;
CREATE INDEX certificates_changed_by ON certificates (changed_by) WHERE changed_by IS NOT NULL;
PRAGMA user_version = 4;
",
    "
CREATE INDEX grants_site ON grants (site);
CREATE INDEX certificates_end ON certificates (not_after) WHERE revoked_at IS NULL;
CREATE INDEX certificates_excused ON certificates (number)
WHERE ifnull(without_client_usage_until, ca_certificate_until) IS NOT NULL;
PRAGMA user_version = 5;
",
    "
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    label TEXT,
    code_salt BLOB,
    code_hash BLOB,
    attempts_left INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_key BLOB,
    thumbprint BLOB
) STRICT;
CREATE INDEX invites_party ON invites (party);
PRAGMA user_version = 6;
",
    "
CREATE TABLE acme_bindings (
    id TEXT PRIMARY KEY,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    names TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX acme_bindings_party ON acme_bindings (party);
CREATE TABLE acme_accounts (
    id TEXT PRIMARY KEY,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    names TEXT NOT NULL,
    key_thumbprint BLOB NOT NULL UNIQUE,
    jwk TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT CHECK (ended_by IN ('itself', 'operator'))
) STRICT;
CREATE INDEX acme_accounts_party ON acme_accounts (party);
CREATE TABLE acme_orders (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES acme_accounts (id) ON DELETE CASCADE,
    names TEXT NOT NULL,
    replaces BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    thumbprint BLOB,
    not_after INTEGER,
    der BLOB,
    revoked_at INTEGER
) STRICT;
CREATE INDEX acme_orders_account ON acme_orders (account);
CREATE INDEX acme_orders_thumbprint ON acme_orders (thumbprint) WHERE thumbprint IS NOT NULL;
CREATE INDEX acme_orders_replaces ON acme_orders (replaces) WHERE replaces IS NOT NULL;
CREATE TABLE acme_authorisations (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES acme_orders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'processing', 'valid', 'invalid', 'deactivated')),
    way TEXT,
    decided_at INTEGER,
    error TEXT
) STRICT;
CREATE INDEX acme_authorisations_order ON acme_authorisations (order_id);
PRAGMA user_version = 7;
",
    "
CREATE TABLE answers (
    operator TEXT NOT NULL,
    key TEXT NOT NULL,
    asked BLOB NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (operator, key)
) STRICT;
CREATE INDEX answers_at ON answers (at);
CREATE TABLE ignored_issuers (
    issuer TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 0,
    last_seen INTEGER
) STRICT;
CREATE INDEX certificates_pinned ON certificates (issuer) WHERE origin = 'pinned';
CREATE INDEX audit_changed ON audit (id) WHERE verdict = 'changed';
PRAGMA user_version = 8;
",
];

pub(crate) const CREATE: &str = "
CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0,
    crl_number INTEGER NOT NULL DEFAULT 0,
    pending_dropped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
CREATE TABLE parties (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    suspended_since INTEGER
) STRICT;
CREATE TABLE grants (
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    site TEXT NOT NULL,
    PRIMARY KEY (party, site)
) STRICT;
CREATE INDEX grants_site ON grants (site);
CREATE TABLE certificates (
    number INTEGER PRIMARY KEY,
    thumbprint BLOB NOT NULL UNIQUE,
    sha1 BLOB NOT NULL,
    holder_kind TEXT NOT NULL CHECK (holder_kind IN ('party', 'operator')),
    holder TEXT NOT NULL,
    role TEXT,
    label TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('pinned', 'own')),
    profile TEXT NOT NULL,
    key_pin BLOB NOT NULL,
    serial BLOB NOT NULL,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    superseded_after INTEGER,
    revoked_at INTEGER,
    revoked_reason TEXT,
    without_client_usage_until INTEGER,
    ca_certificate_until INTEGER,
    der BLOB NOT NULL,
    issued_by TEXT CHECK (issued_by IN ('client', 'operator')),
    changed_by INTEGER,
    UNIQUE (holder_kind, holder, label)
) STRICT;
CREATE UNIQUE INDEX certificates_serial ON certificates (issued_by, serial) WHERE issued_by IS NOT NULL;
CREATE INDEX certificates_sha1 ON certificates (sha1);
CREATE INDEX certificates_key ON certificates (key_pin);
CREATE INDEX certificates_changed_by ON certificates (changed_by) WHERE changed_by IS NOT NULL;
CREATE INDEX certificates_revoked ON certificates (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX certificates_end ON certificates (not_after) WHERE revoked_at IS NULL;
CREATE INDEX certificates_excused ON certificates (number)
WHERE ifnull(without_client_usage_until, ca_certificate_until) IS NOT NULL;
CREATE TABLE keys (
    number INTEGER PRIMARY KEY,
    key_pin BLOB NOT NULL,
    party TEXT NOT NULL,
    label TEXT NOT NULL,
    names BLOB NOT NULL,
    subject TEXT NOT NULL,
    revoked_at INTEGER,
    revoked_reason TEXT,
    without_client_usage_until INTEGER,
    ca_certificate_until INTEGER,
    UNIQUE (key_pin, names),
    UNIQUE (party, label)
) STRICT;
CREATE TABLE subjects (
    ca TEXT NOT NULL,
    subject BLOB NOT NULL,
    shown TEXT NOT NULL,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    PRIMARY KEY (ca, subject)
) STRICT;
CREATE INDEX subjects_party ON subjects (party);
CREATE TABLE compromised_keys (
    key_pin BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE sites (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;
CREATE TABLE cas (
    name TEXT PRIMARY KEY,
    pem TEXT NOT NULL,
    sites TEXT NOT NULL,
    settings TEXT NOT NULL
) STRICT;
CREATE TABLE ca_grants (
    site TEXT NOT NULL,
    ca TEXT NOT NULL,
    PRIMARY KEY (site, ca)
) STRICT;
CREATE TABLE pending (
    id TEXT PRIMARY KEY,
    key_pin BLOB NOT NULL UNIQUE,
    thumbprint BLOB NOT NULL,
    prefix TEXT NOT NULL,
    address TEXT NOT NULL,
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    refs TEXT NOT NULL,
    der BLOB NOT NULL
) STRICT;
CREATE INDEX pending_prefix ON pending (prefix);
CREATE INDEX pending_last_seen ON pending (last_seen);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    writer TEXT NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    site TEXT,
    party TEXT,
    code TEXT,
    verdict TEXT NOT NULL,
    reference TEXT,
    entry TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (writer, number)
) STRICT;
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_reference ON audit (reference) WHERE reference IS NOT NULL;
CREATE TABLE audit_heads (
    writer TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    id INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE audit_checkpoints (
    writer TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    id INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE receipts (
    gate TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    label TEXT,
    code_salt BLOB,
    code_hash BLOB,
    attempts_left INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_key BLOB,
    thumbprint BLOB
) STRICT;
CREATE INDEX invites_party ON invites (party);
CREATE TABLE acme_bindings (
    id TEXT PRIMARY KEY,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    names TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX acme_bindings_party ON acme_bindings (party);
CREATE TABLE acme_accounts (
    id TEXT PRIMARY KEY,
    party TEXT NOT NULL REFERENCES parties (name) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    names TEXT NOT NULL,
    key_thumbprint BLOB NOT NULL UNIQUE,
    jwk TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT CHECK (ended_by IN ('itself', 'operator'))
) STRICT;
CREATE INDEX acme_accounts_party ON acme_accounts (party);
CREATE TABLE acme_orders (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES acme_accounts (id) ON DELETE CASCADE,
    names TEXT NOT NULL,
    replaces BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    thumbprint BLOB,
    not_after INTEGER,
    der BLOB,
    revoked_at INTEGER
) STRICT;
CREATE INDEX acme_orders_account ON acme_orders (account);
CREATE INDEX acme_orders_thumbprint ON acme_orders (thumbprint) WHERE thumbprint IS NOT NULL;
CREATE INDEX acme_orders_replaces ON acme_orders (replaces) WHERE replaces IS NOT NULL;
CREATE TABLE acme_authorisations (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES acme_orders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'processing', 'valid', 'invalid', 'deactivated')),
    way TEXT,
    decided_at INTEGER,
    error TEXT
) STRICT;
CREATE INDEX acme_authorisations_order ON acme_authorisations (order_id);
CREATE TABLE answers (
    operator TEXT NOT NULL,
    key TEXT NOT NULL,
    asked BLOB NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (operator, key)
) STRICT;
CREATE INDEX answers_at ON answers (at);
CREATE TABLE ignored_issuers (
    issuer TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 0,
    last_seen INTEGER
) STRICT;
CREATE INDEX certificates_pinned ON certificates (issuer) WHERE origin = 'pinned';
CREATE INDEX audit_changed ON audit (id) WHERE verdict = 'changed';
PRAGMA user_version = 8;
";
