-- Contacts that phones have registered: a fold of the journal, never a source. A restart goes on with them.
CREATE TABLE registration (
    user TEXT NOT NULL,          -- user@client
    contact TEXT NOT NULL,       -- the Contact URI
    expires_at INTEGER NOT NULL, -- microseconds since the log began
    reach TEXT,                  -- JSON: how it is reached; NULL if the log does not say
    PRIMARY KEY (user, contact)
) WITHOUT ROWID;

PRAGMA user_version = 3;
