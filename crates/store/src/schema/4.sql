-- What figures are made of: folds of the journal, never sources.

-- One row a stay of a caller in a queue, or a contact by a trunk that came to none.
CREATE TABLE visit (
    arrived INTEGER NOT NULL, -- milliseconds since 1970
    id INTEGER NOT NULL,      -- number of the event that it began with
    client TEXT NOT NULL,
    open INTEGER NOT NULL,    -- 1 while anything may still be added
    visit TEXT NOT NULL,      -- JSON array, as figures::Packed says
    PRIMARY KEY (arrived, id)
) WITHOUT ROWID;
CREATE INDEX visit_open ON visit (id) WHERE open = 1;

-- What an agent did on a day of UTC.
CREATE TABLE agent_day (
    agent TEXT NOT NULL,
    day INTEGER NOT NULL,     -- days since 1970
    changes TEXT NOT NULL,    -- JSON arrays [milliseconds since 1970, state], in order, separated by line breaks
    PRIMARY KEY (agent, day)
);

-- How these two tables were made, and how far: one row, made by the first batch.
CREATE TABLE projection (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL, -- of the fold; they are made anew when it changes
    last INTEGER NOT NULL     -- the log's last event, milliseconds since 1970
);

PRAGMA user_version = 4;
