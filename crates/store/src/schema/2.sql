-- Where each agent of a queue was last: a fold of the journal, never a source. A restart goes on with it.
CREATE TABLE agent (
    agent TEXT PRIMARY KEY,
    logged_in INTEGER NOT NULL,
    paused TEXT,              -- the reason of its pause; NULL while it is in none
    phone TEXT                -- the user whose phone rang for it
);

PRAGMA user_version = 2;
