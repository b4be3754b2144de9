-- What agents have noted of contacts: a fold of the journal, never a source.
CREATE TABLE disposition (
    contact INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    at INTEGER NOT NULL,       -- when it was noted first, milliseconds since 1970
    disposition TEXT NOT NULL, -- as it was noted last
    noted_by TEXT NOT NULL
);
CREATE INDEX disposition_at ON disposition (client, at);

PRAGMA user_version = 10;
