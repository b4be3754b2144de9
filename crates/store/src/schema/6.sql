-- What flows remember beyond a call: a fold of the journal, never a source. A restart goes on with it.
CREATE TABLE value (
    client TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    until INTEGER,            -- microseconds since 1970; NULL: for ever
    PRIMARY KEY (client, key)
) WITHOUT ROWID;

PRAGMA user_version = 6;
