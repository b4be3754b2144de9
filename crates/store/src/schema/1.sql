-- When the log began: one row, made by the first run.
CREATE TABLE log (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    began INTEGER NOT NULL -- wall clock at the log's time zero, microseconds since 1970
);

-- The event log. A row holds the events of one contact (NULL: of the node) from one batch.
CREATE TABLE journal (
    first_seq INTEGER PRIMARY KEY, -- number of the row's first event
    last_seq INTEGER NOT NULL,     -- and of its last; other rows' events may lie between
    last_at INTEGER NOT NULL,      -- time of its last event, microseconds since the log began
    contact INTEGER,
    events TEXT NOT NULL           -- JSON array of [seq, at, kind], in order
);
CREATE INDEX journal_contact ON journal (contact);

-- One row a contact: a fold of the journal, never a source.
CREATE TABLE contact (
    contact INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,      -- when it began, microseconds since the log began
    started INTEGER NOT NULL, -- when it began, microseconds since 1970
    caller TEXT NOT NULL,     -- the caller's number as a search key: its letters and digits, reversed
    called TEXT NOT NULL,     -- the number called, likewise
    client TEXT NOT NULL,
    cdr TEXT                  -- JSON; NULL while the contact lives
);
CREATE INDEX contact_started ON contact (started);
CREATE INDEX contact_caller ON contact (caller);
CREATE INDEX contact_called ON contact (called);
CREATE INDEX contact_live ON contact (contact) WHERE cdr IS NULL;

PRAGMA user_version = 1;
