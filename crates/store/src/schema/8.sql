-- Recordings of calls: a fold of the journal, never a source.
CREATE TABLE recording (
    recording INTEGER PRIMARY KEY, -- number of the event that it began with
    contact INTEGER NOT NULL,
    at INTEGER NOT NULL,           -- when it began, microseconds since 1970
    path TEXT NOT NULL,
    millis INTEGER,                -- its length; NULL while it runs
    sealed INTEGER NOT NULL,       -- 1 once it is ciphertext
    held TEXT,                     -- why it is kept whatever else is wanted; NULL if it is not
    erased INTEGER                 -- when its file went, microseconds since 1970
);
CREATE INDEX recording_contact ON recording (contact);
CREATE INDEX recording_kept ON recording (at) WHERE erased IS NULL;

-- Those of before. The contacts have their lengths, and the paths that they came to have, in the same order.
INSERT INTO recording (recording, contact, at, path, millis, sealed)
SELECT
    started.seq,
    started.contact,
    started.at,
    COALESCE(json_extract(contact.cdr, '$.recordings[' || started.place || '].path'), started.path),
    json_extract(contact.cdr, '$.recordings[' || started.place || '].millis'),
    0
FROM (
    SELECT
        json_extract(event.value, '$[0]') AS seq,
        journal.contact AS contact,
        contact.started + json_extract(event.value, '$[1]') - contact.at AS at,
        json_extract(event.value, '$[2].path') AS path,
        row_number() OVER (
            PARTITION BY journal.contact ORDER BY json_extract(event.value, '$[0]')
        ) - 1 AS place
    FROM journal JOIN contact ON contact.contact = journal.contact, json_each(journal.events) event
    WHERE instr(journal.events, '"recording_started"') > 0
    AND json_extract(event.value, '$[2].kind') = 'recording_started'
) started JOIN contact ON contact.contact = started.contact;

PRAGMA user_version = 8;
