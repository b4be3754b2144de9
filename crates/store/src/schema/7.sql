-- Messages of callers: a fold of the journal, never a source. A restart goes on with it.
CREATE TABLE voicemail (
    message INTEGER PRIMARY KEY, -- number of the event that it began with
    contact INTEGER NOT NULL,    -- in which it was left
    client TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    caller TEXT NOT NULL,
    at INTEGER NOT NULL,         -- when it began, microseconds since 1970
    path TEXT NOT NULL,
    millis INTEGER,              -- its length; NULL while it is being left
    heard INTEGER NOT NULL       -- 1 once somebody has heard it
);

PRAGMA user_version = 7;
