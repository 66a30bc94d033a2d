//! The tables, and the way from an older version to this one.
//!
//! States and fields stand by name (`queued`, `to`), so that the file can be read with any SQLite tool; times are
//! milliseconds since 1970 in UTC; recipients and last words are JSON; digests are 32 bytes.

use rusqlite::Connection;

use super::error::LedgerError;

/// "DMRC": how a SQLite file is known as ours.
pub(super) const APPLICATION_ID: i32 = 0x444D_5243;

/// One step per version; the file's `user_version` says how many it has taken.
const MIGRATIONS: [&str; 4] = [VERSION_1, VERSION_2, APPROVALS, BEGINNINGS];

/// What `deliveries` holds is touched at every step of every letter, so it is kept small: the rows' own data lies in
/// `recipients`, and what was said in `attempts`. `number` is also the position. `state` is that of the addresses
/// together (`State::of_addresses`), stored to be found. `tries` counts all attempts, `attempts` those that were not
/// given back. `not_before` is NULL for a deferred delivery that is not tried again by itself.
const VERSION_1: &str = "
CREATE TABLE campaign (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT NOT NULL,
    key        BLOB NOT NULL CHECK (length(key) = 16),
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sources (
    sha256 BLOB PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;
CREATE TABLE editions (
    edition  INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;
CREATE TABLE edition_sources (
    edition INTEGER NOT NULL REFERENCES editions,
    place   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    sha256  BLOB NOT NULL REFERENCES sources,
    PRIMARY KEY (edition, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    edition    INTEGER NOT NULL REFERENCES editions,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    note       TEXT
) STRICT;
CREATE INDEX deliveries_queued ON deliveries (state) WHERE state = 'queued';
CREATE INDEX deliveries_deferred ON deliveries (not_before) WHERE state = 'deferred';
CREATE TABLE recipients (
    number    INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL
) STRICT;
CREATE TABLE addresses (
    delivery INTEGER NOT NULL,
    address  TEXT NOT NULL,
    place    INTEGER NOT NULL,
    field    TEXT NOT NULL CHECK (field IN ('to', 'cc', 'bcc')),
    state    TEXT NOT NULL,
    word     TEXT,
    PRIMARY KEY (delivery, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    run        INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE TABLE attempts (
    delivery     INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    run          INTEGER NOT NULL,
    message_id   TEXT NOT NULL,
    date         INTEGER NOT NULL,
    bytes_digest BLOB NOT NULL CHECK (length(bytes_digest) = 32),
    addresses    INTEGER NOT NULL,
    claimed_at   INTEGER NOT NULL,
    intent_at    INTEGER,
    settled_at   INTEGER,
    outcome      TEXT,
    word         TEXT,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_intent ON attempts (intent_at, addresses) WHERE intent_at IS NOT NULL;
CREATE TABLE attempt_addresses (
    delivery INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    address  TEXT NOT NULL,
    place    INTEGER NOT NULL,
    field    TEXT NOT NULL,
    state    TEXT NOT NULL,
    word     TEXT,
    PRIMARY KEY (delivery, attempt, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE remarks (
    remark   INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL,
    note     TEXT NOT NULL
) STRICT;
CREATE INDEX remarks_delivery ON remarks (delivery);
";

/// Where the ledger is at home (`super::home`). `mark` tells ledgers apart wherever they lie; one that was begun before there
/// were marks takes its campaign's key, so that every copy of it gets the same. `turn` is another random value with each run.
/// The last of `homes` is the present one.
const VERSION_2: &str = "
CREATE TABLE mark (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mark BLOB NOT NULL CHECK (length(mark) = 16),
    turn BLOB CHECK (length(turn) = 16)
) STRICT;
INSERT INTO mark (one, mark) VALUES (1, COALESCE((SELECT key FROM campaign), randomblob(16)));
CREATE TABLE homes (
    home    INTEGER PRIMARY KEY,
    machine BLOB NOT NULL CHECK (length(machine) = 16),
    host    TEXT NOT NULL,
    since   INTEGER NOT NULL
) STRICT;
";

/// Who approved which batch, and what the batch was: its letters' digests, its rows and its sources, each batch once however
/// many people approve it. An approved batch is no edition: nothing renders from it unless it is sent. Beside that, what a
/// report needs to prove its words: the program of a run, who said a remark, and the rows as they were before a correction,
/// from which attempts up to `last_attempt` were made.
const APPROVALS: &str = "
CREATE TABLE approved_batches (
    digest   BLOB PRIMARY KEY CHECK (length(digest) = 32),
    settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE approved_sources (
    digest BLOB NOT NULL REFERENCES approved_batches,
    place  INTEGER NOT NULL,
    name   TEXT NOT NULL,
    sha256 BLOB NOT NULL REFERENCES sources,
    PRIMARY KEY (digest, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE approved_letters (
    digest    BLOB NOT NULL REFERENCES approved_batches,
    id        TEXT NOT NULL,
    letter    BLOB NOT NULL CHECK (length(letter) = 32),
    recipient TEXT NOT NULL,
    PRIMARY KEY (digest, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE approvals (
    approval       INTEGER PRIMARY KEY,
    digest         BLOB NOT NULL REFERENCES approved_batches,
    person         TEXT NOT NULL,
    note           TEXT NOT NULL,
    at             INTEGER NOT NULL,
    withdrawn_at   INTEGER,
    withdrawn_by   TEXT,
    withdrawn_note TEXT
) STRICT;
ALTER TABLE runs ADD COLUMN program TEXT;
ALTER TABLE remarks ADD COLUMN person TEXT;
CREATE TABLE former_recipients (
    delivery     INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    edition      INTEGER NOT NULL,
    digest       BLOB NOT NULL,
    recipient    TEXT NOT NULL,
    PRIMARY KEY (delivery, last_attempt)
) STRICT, WITHOUT ROWID;
";

/// How each run was begun: the digest of the batch as it was shown and confirmed, how (`Confirmation`), when, by which account
/// and on which machine; and the approvals that counted, so that nobody has to infer them from times. It is written with the
/// row of the run, before its first claim; runs of earlier versions have none of it.
const BEGINNINGS: &str = "
ALTER TABLE runs ADD COLUMN command TEXT;
ALTER TABLE runs ADD COLUMN digest BLOB CHECK (length(digest) = 32);
ALTER TABLE runs ADD COLUMN confirmed TEXT;
ALTER TABLE runs ADD COLUMN confirmed_at INTEGER;
ALTER TABLE runs ADD COLUMN person TEXT;
ALTER TABLE runs ADD COLUMN host TEXT;
CREATE TABLE run_approvals (
    run      INTEGER NOT NULL,
    approval INTEGER NOT NULL,
    PRIMARY KEY (run, approval)
) STRICT, WITHOUT ROWID;
";

/// The mark of a rehearsal's ledger. It is no step of [`MIGRATIONS`]: other ledgers do not have the table.
pub(super) const REHEARSAL: &str = "
CREATE TABLE IF NOT EXISTS rehearsal (
    one INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;
INSERT INTO rehearsal (one) VALUES (1) ON CONFLICT DO NOTHING;
";

/// The version that this program writes.
pub(super) fn version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The file's version.
pub(super) fn version_of(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the file to this version, in one transaction.
///
/// # Errors
/// [`LedgerError::Newer`], and what SQLite says.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let found = version_of(connection)?;
    let taken = usize::try_from(found).ok().filter(|taken| *taken <= MIGRATIONS.len());
    let Some(taken) = taken else {
        return Err(LedgerError::Newer { found, known: version() });
    };
    if taken == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    for migration in &MIGRATIONS[taken..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version())?;
    transaction.commit()?;
    Ok(())
}
